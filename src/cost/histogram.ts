// A histogram on a log scale: eight buckets for each doubling, so a quantile read from it is within 5 % of the exact one.
// Invariant: adding two histograms up gives the histogram of all their values, in whatever order they came.

/** How often a value fell into each bucket. */
export type Histogram = Map<number, number>

const PER_DOUBLING = 8

/** The bucket of a value: 0 for what is not positive. */
const bucketOf = (value: number): number => (value <= 0 ? 0 : Math.max(1, 1 + Math.floor(Math.log2(value) * PER_DOUBLING)))

/** The middle of a bucket. */
const middleOf = (bucket: number): number => (bucket === 0 ? 0 : 2 ** ((bucket - 0.5) / PER_DOUBLING))

/** Counts a value. */
export const countIn = (histogram: Histogram, value: number): void => {
  const bucket = bucketOf(value)
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1)
}

/** Adds one histogram to another. */
export const addHistogram = (into: Histogram, from: ReadonlyMap<number, number>): void => {
  for (const [bucket, count] of from) into.set(bucket, (into.get(bucket) ?? 0) + count)
}

/** A histogram as text: `2s:3 2t:1`. Texts joined with spaces are the text of the sum. */
export const histogramText = (histogram: ReadonlyMap<number, number>): string => [...histogram].map(([bucket, count]) => `${bucket.toString(36)}:${count.toString(36)}`).join(' ')

const [COLON, SPACE, NINE, LETTERS] = [0x3a, 0x20, 0x39, 0x61 - 10]

/** Adds what a text of histograms holds. Read letter by letter: a report of a long period reads tens of millions of them. */
export const addHistogramText = (into: Histogram, text: string): void => {
  let [bucket, number] = [0, 0]
  for (let index = 0; index <= text.length; index += 1) {
    const code = index < text.length ? text.charCodeAt(index) : SPACE
    if (code === COLON) [bucket, number] = [number, 0]
    else if (code !== SPACE) number = number * 36 + code - (code <= NINE ? 0x30 : LETTERS)
    else if (number > 0) {
      into.set(bucket, (into.get(bucket) ?? 0) + number)
      number = 0
    }
  }
}

/** The value that a share of all values does not exceed; null when there are none. @param share 0.95 for p95. */
export const quantile = (histogram: ReadonlyMap<number, number>, share: number): number | null => {
  const buckets = [...histogram].sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [bucket, count] of buckets) {
    seen += count
    if (seen >= share * total) return middleOf(bucket)
  }
  return null
}
