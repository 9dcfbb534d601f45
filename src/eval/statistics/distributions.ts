// Quantiles of the normal and of Student's t distribution. Invariant: right to at least eight digits where gates ask.
// @see Numerical Recipes, 6.4 (incomplete beta by continued fraction); Lanczos (1964) for the gamma function.

const LANCZOS = [676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7] as const

const logGamma = (x: number): number => {
  const shifted = x - 1
  const sum = LANCZOS.reduce((total, coefficient, at) => total + coefficient / (shifted + at + 1), 0.99999999999980993)
  const t = shifted + LANCZOS.length - 0.5
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum)
}

const TINY = 1e-300
const MOST_TERMS = 1_000

const betaFraction = (x: number, a: number, b: number): number => {
  let c = 1
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || TINY)
  let product = d
  for (let m = 1; m <= MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / (1 + even * d || TINY)
    c = 1 + even / c || TINY
    product *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / (1 + odd * d || TINY)
    c = 1 + odd / c || TINY
    product *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return product
}

/** The regularised incomplete beta function. */
const beta = (x: number, a: number, b: number): number => {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b
}

/** Chance that a t-distributed value with so many degrees of freedom is at most `t`. */
const studentCdf = (t: number, degrees: number): number => {
  const tail = 0.5 * beta(degrees / (degrees + t * t), degrees / 2, 0.5)
  return t > 0 ? 1 - tail : tail
}

/** Finds where a rising function reaches `p`, by halving. */
const invert = (cdf: (x: number) => number, p: number): number => {
  let high = 1
  while (cdf(high) < p && high < 1e12) high *= 2
  let low = 0
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (cdf(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

const quantiles = new Map<string, number>()

/**
 * The value below which a t-distributed one stays with chance `p`, from 0 to 1.
 * @example studentQuantile(0.975, 9) // 2.262157
 */
export const studentQuantile = (p: number, degrees: number): number => {
  if (p === 0.5) return 0
  if (p < 0.5) return -studentQuantile(1 - p, degrees)
  const key = `${p} ${degrees}`
  const known = quantiles.get(key) ?? invert((x) => studentCdf(x, degrees), p)
  quantiles.set(key, known)
  return known
}

/** Chance that a normally distributed value is at most `x`. @see Marsaglia (2004), Evaluating the normal distribution */
const normalCdf = (x: number): number => {
  let sum = x
  let term = x
  for (let n = 3; n < 2 * MOST_TERMS && Math.abs(term) > 1e-18; n += 2) {
    term *= (x * x) / n
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}

/**
 * The value below which a normally distributed one stays with chance `p`, from 1e-9 to 1 - 1e-9.
 * @example normalQuantile(0.975) // 1.959964
 */
export const normalQuantile = (p: number): number => {
  if (p === 0.5) return 0
  return p < 0.5 ? -normalQuantile(1 - p) : invert(normalCdf, p)
}
