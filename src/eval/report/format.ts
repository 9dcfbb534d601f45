// Numbers and texts as every report shows them. Invariant: text that models or authors wrote is escaped for the format it
// goes into, by the function of that format.
import type { Interval } from '../statistics/wilson.ts'

/** `94.0 %`; a dash for nothing. */
export const percent = (share: number | null): string => (share === null || Number.isNaN(share) ? '–' : `${(share * 100).toFixed(1)} %`)

/** `+2.0`, `−4.1`: percentage points. */
export const signedPoints = (share: number): string => `${share > 0 ? '+' : share < 0 ? '−' : '±'}${Math.abs(share * 100).toFixed(1)}`

/** `83.8 to 97.9 %`. */
export const percentRange = (interval: Interval | null): string => (interval === null ? '–' : `${(interval[0] * 100).toFixed(1)} to ${(interval[1] * 100).toFixed(1)} %`)

/** `−10.1 to +2.1 points`. */
export const pointsRange = ([low, high]: Interval): string => `${signedPoints(low)} to ${signedPoints(high)} points`

/** Dollars; `unknown` for null. */
export const usd = (amount: number | null): string => (amount === null ? 'unknown' : amount === 0 ? '$0' : `$${amount.toFixed(amount < 0.01 ? 6 : 4)}`)

/** `1.2 s`, `340 ms`. */
export const duration = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`)

/** Text for HTML and XML, without characters that XML cannot hold. */
export const escapeMarkup = (text: string): string =>
  text
    // XML 1.0 forbids these, even as references.
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

/** A space without width: forges find names to notify in rendered text, where an escaped `@` is one again. */
const GAP = '\u{200B}'

/** Text for one cell of a Markdown table: one line, nothing that Markdown, HTML or a forge would read. */
export const escapeCell = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_{}[\]<>()#+!|~&:]/g, (character) => `&#${character.codePointAt(0)};`)
    .replaceAll('@', `@${GAP}`)
