// The name somebody probably meant. Used wherever a message can answer a typo.

/** Fewest insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
const distance = (a: string, b: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1))
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1)
      current.push(best)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

/**
 * The candidate closest to a name.
 * @returns undefined when nothing is close: more than a third of the letters differ, or all of them.
 */
export const nearest = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = name.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.floor(Math.max(name.length, 3) / 3) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue
    const found = distance(wanted, candidate.toLowerCase())
    if (found < bestDistance && found < candidate.length) [best, bestDistance] = [candidate, found]
  }
  return best
}

/** ` Did you mean 'x'?`, or which names there are. */
export const suggest = (name: string, candidates: readonly string[]): string => {
  const found = nearest(name, candidates)
  if (found !== undefined) return ` Did you mean '${found}'?`
  if (candidates.length === 0) return ' There are none.'
  const shown = candidates.slice(0, 12).map((candidate) => `'${candidate}'`)
  return ` There are ${shown.join(', ')}${candidates.length > 12 ? ` and ${candidates.length - 12} more` : ''}.`
}
