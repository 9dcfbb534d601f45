// How long a provider asks to wait, in every form that is in use.
// @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after

/** Reads headers by lower-case name. */
export interface HeaderReader {
  get(name: string): string | null
}

const NUMBER = /^\d+(\.\d+)?$/

/** A non-negative decimal number, or undefined; never infinite. */
const decimal = (text: string | null): number | undefined => {
  const trimmed = text?.trim() ?? ''
  return NUMBER.test(trimmed) ? Math.min(Number(trimmed), Number.MAX_SAFE_INTEGER) : undefined
}

/**
 * Milliseconds to wait: `retry-after-ms` first, then `retry-after` as seconds or as a date. However long, it is
 * reported as it is; a date that has passed is 0; negative or unreadable values are as if absent.
 */
export const retryAfterMs = (headers: HeaderReader, nowMs: number): number | undefined => {
  const exact = decimal(headers.get('retry-after-ms'))
  if (exact !== undefined) return Math.ceil(exact)
  const text = headers.get('retry-after')
  if (text === null) return undefined
  const seconds = decimal(text)
  if (seconds !== undefined) return Math.min(Math.ceil(seconds * 1000), Number.MAX_SAFE_INTEGER)
  // Only a text with letters is a date: Date.parse would read "-5" as a year.
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil(date - nowMs))
}
