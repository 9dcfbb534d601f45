// The `x-ratelimit-*` headers, for a limiter that wants to slow down before the provider says 429.
// @see https://platform.openai.com/docs/guides/rate-limits
import type { RateLimits } from '../provider.ts'
import type { HeaderReader } from './retry-after.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a duration such as `17ms`, `1.5s` or `6m0s`; a bare number means seconds. */
const durationMs = (text: string): number | undefined => {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  const total = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0)
  return Math.ceil(total)
}

const count = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)

const FIELDS: readonly (readonly [keyof RateLimits, string, (text: string) => number | undefined])[] = [
  ['limitRequests', 'x-ratelimit-limit-requests', count],
  ['remainingRequests', 'x-ratelimit-remaining-requests', count],
  ['resetRequestsMs', 'x-ratelimit-reset-requests', durationMs],
  ['limitTokens', 'x-ratelimit-limit-tokens', count],
  ['remainingTokens', 'x-ratelimit-remaining-tokens', count],
  ['resetTokensMs', 'x-ratelimit-reset-tokens', durationMs],
]

/** Reads the limits; undefined when the headers state none. */
export const readRateLimits = (headers: HeaderReader): RateLimits | undefined => {
  const found = FIELDS.flatMap(([field, header, read]) => {
    const value = read(headers.get(header)?.trim() ?? '')
    return value === undefined ? [] : [[field, value] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}
