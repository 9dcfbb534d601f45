// Other values in place of real ones. Invariant: equal values get equal pseudonyms under one key, of the same type and the
// same shape, so that whatever compares or parses them goes on as it did.
import { createHmac } from 'node:crypto'

/** Gives pseudonyms. */
export interface Pseudonyms {
  readonly text: (value: string) => string
  readonly number: (value: number) => number
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const shaped = (value: string, bytes: Buffer): string => {
  let at = 0
  const next = (): number => bytes[at++ % bytes.length] ?? 0
  return value.replace(/[A-Za-z0-9]/g, (char) => {
    if (/\d/.test(char)) return String(next() % 10)
    const letter = LETTERS[next() % LETTERS.length] ?? 'x'
    return char === char.toUpperCase() ? letter.toUpperCase() : letter
  })
}

const EMAIL = /^([^@\s]+)@[^@\s]+$/

/** Pseudonyms under a key. The key is not in the recording: without it nobody can try out values. */
export const pseudonyms = (key: string): Pseudonyms => {
  const bytesFor = (value: string): Buffer => createHmac('sha256', key).update(value).digest()
  return {
    text: (value) => {
      const [, local] = EMAIL.exec(value) ?? []
      // Letters and digits only: what does not have any, such as Chinese, becomes hexadecimal.
      if (local !== undefined) return `${shaped(local, bytesFor(value))}@example.com`
      return /[A-Za-z0-9]/.test(value) && !/[^\p{ASCII}]/u.test(value)
        ? shaped(value, bytesFor(value))
        : bytesFor(value)
            .toString('hex')
            .slice(0, Math.max(4, Math.min(16, value.length)))
    },
    number: (value) => {
      if (!Number.isFinite(value)) return value
      const digits = shaped(String(Math.abs(value)), bytesFor(String(value))).replace(/^0(?=\d)/, '1')
      return Math.sign(value) * Number(digits) || value
    },
  }
}
