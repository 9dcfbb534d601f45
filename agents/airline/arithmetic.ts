// Arithmetic on plain numbers: + - * / and brackets. Invariant: nothing but arithmetic is ever evaluated.

/** Reads one expression from left to right. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text.replaceAll(' ', '')
  }

  whole(): number {
    const value = this.#sum()
    return this.#at === this.#text.length ? value : NaN
  }

  #take(...signs: readonly string[]): string | undefined {
    const sign = this.#text[this.#at]
    if (sign === undefined || !signs.includes(sign)) return undefined
    this.#at += 1
    return sign
  }

  #sum(): number {
    let value = this.#product()
    for (let sign = this.#take('+', '-'); sign !== undefined; sign = this.#take('+', '-')) {
      const next = this.#product()
      value = sign === '+' ? value + next : value - next
    }
    return value
  }

  #product(): number {
    let value = this.#factor()
    for (let sign = this.#take('*', '/'); sign !== undefined; sign = this.#take('*', '/')) {
      const next = this.#factor()
      value = sign === '*' ? value * next : value / next
    }
    return value
  }

  #factor(): number {
    if (this.#take('-') !== undefined) return -this.#factor()
    if (this.#take('+') !== undefined) return this.#factor()
    if (this.#take('(') !== undefined) {
      const value = this.#sum()
      return this.#take(')') === undefined ? NaN : value
    }
    const [digits = ''] = /^\d+(?:\.\d*)?|^\.\d+/.exec(this.#text.slice(this.#at)) ?? []
    this.#at += digits.length
    return digits === '' ? NaN : Number(digits)
  }
}

/** The value of an expression, rounded to two decimals; NaN when it is none. */
export const arithmetic = (expression: string): number => Math.round(new Reader(expression).whole() * 100) / 100
