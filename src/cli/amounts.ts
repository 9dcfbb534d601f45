// Durations, tokens and money as people read them. Invariant: an unknown price is shown as unknown, never as nothing.

/** `340 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`. */
export const showDuration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** Dollars with as many digits as small amounts need; `price unknown` for null. */
export const showUsd = (usd: number | null): string => {
  if (usd === null) return 'price unknown'
  if (usd === 0) return '$0'
  if (usd < 0.000_001) return '<$0.000001'
  return `$${usd < 0.01 ? usd.toFixed(6) : usd.toFixed(4)}`
}

/** `1 call`, `3 calls`. */
export const count = (many: number, one: string): string => `${many} ${one}${many === 1 ? '' : 's'}`

/** Tokens in and out; empty when there are none. */
export const showTokens = (input: number, output: number): string => (input === 0 && output === 0 ? '' : `${input} in, ${output} out`)

/** A time in the ISO format that data uses, to the second. */
export const showTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
