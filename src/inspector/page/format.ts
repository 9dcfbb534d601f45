// Numbers and times as people read them.

/** A duration: `820 ms`, `4.2 s`, `3 min`. */
export const showMs = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`
}

/** Money: `$0.0042`; `?` when unknown. */
export const showUsd = (usd: number | null): string => {
  if (usd === null) return '$ ?'
  if (usd === 0) return '$0'
  return `$${usd >= 1 ? usd.toFixed(2) : usd.toPrecision(2)}`
}

/** A count: `950`, `12.3k`. */
export const showCount = (count: number): string => (count < 10_000 ? String(count) : count < 1_000_000 ? `${(count / 1_000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`)

/** Time of day, with milliseconds. */
export const showTime = (at: number): string => {
  const date = new Date(at)
  return `${date.toLocaleTimeString(undefined, { hour12: false })}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** How long ago, in whole units. */
export const showAgo = (at: number, now: number): string => {
  const seconds = Math.round((now - at) / 1_000)
  if (seconds < 5) return 'now'
  return seconds < 120 ? `${seconds} s` : showMs(now - at)
}
