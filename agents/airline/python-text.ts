// Text as Python writes it, because the recorded runs came from a Python program: results are compared byte by byte, and
// the reference hash of a database is taken over Python's notation of tuples.
import { createHash, type Hash } from 'node:crypto'
import type { AirlineDatabase } from './database.ts'

const escapeUnicode = (text: string): string => text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** JSON with a space after each comma and colon, ASCII only. */
export const pythonJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, inner]) => `${escapeUnicode(JSON.stringify(key))}: ${pythonJson(inner)}`)
    return `{${fields.join(', ')}}`
  }
  return escapeUnicode(JSON.stringify(value))
}

/** A number as `str(float)` writes it. */
export const pythonFloat = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value))

const pythonString = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  return `${quote}${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`)}${quote}`
}

const tuple = (items: readonly string[]): string => (items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`)

/** JSON data as nested tuples, objects as pairs in the order of their keys. */
const tupleText = (value: unknown): string => {
  if (Array.isArray(value)) return tuple(value.map(tupleText))
  if (typeof value === 'object' && value !== null) return tableText(value, tupleText)
  if (typeof value === 'string') return pythonString(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value === null ? 'None' : String(value)
}

const tableText = (table: object, textOf: (record: unknown) => string): string =>
  tuple(
    Object.entries(table)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, record]) => tuple([pythonString(key), textOf(record)])),
  )

const records = new WeakMap<object, string>()

/** The text of a record, made once: records never change. */
const recordText = (record: unknown): string => {
  if (typeof record !== 'object' || record === null) return tupleText(record)
  const known = records.get(record) ?? tupleText(record)
  records.set(record, known)
  return known
}

const begun = new WeakMap<object, Hash>()

/** The hash up to the flights, which no tool changes. */
const flightsHash = (flights: object): Hash => {
  const known = begun.get(flights) ?? createHash('sha256').update(`(('flights', ${tableText(flights, tupleText)}), `)
  begun.set(flights, known)
  return known.copy()
}

/** SHA-256 over the database in Python's notation, as tau-bench names its reference states. */
export const databaseHash = ({ flights, reservations, users }: AirlineDatabase): string =>
  flightsHash(flights)
    .update(`('reservations', ${tableText(reservations, recordText)}), ('users', ${tableText(users, recordText)}))`)
    .digest('hex')
