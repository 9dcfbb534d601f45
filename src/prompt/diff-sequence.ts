// The shortest way from one sequence to another. Words of a text and messages of a prompt are compared with it.
// @see Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986)

/** One step from the old sequence to the new one. */
export type Edit<T> = { readonly kind: 'same' | 'added' | 'removed'; readonly value: T }

/** Beyond this many edits two sequences have nothing in common worth showing: the work grows with its square. */
const MAX_EDITS = 1_000

/** Furthest position reached in the old sequence, by diagonal. */
type Ends = ReadonlyMap<number, number>

// Whether the best way to a diagonal comes from above (an addition) rather than from the left (a removal).
const isDown = (ends: Ends, diagonal: number, edits: number): boolean => diagonal === -edits || (diagonal !== edits && (ends.get(diagonal - 1) ?? 0) < (ends.get(diagonal + 1) ?? 0))

/** How far one gets with 0, 1, 2 … edits, until the end is reached. */
const search = (before: readonly string[], after: readonly string[]): readonly Ends[] | undefined => {
  const trace: Ends[] = []
  let ends: Ends = new Map([[1, 0]])
  for (let edits = 0; edits <= Math.min(before.length + after.length, MAX_EDITS); edits++) {
    trace.push(ends)
    const next = new Map<number, number>()
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = isDown(ends, diagonal, edits) ? (ends.get(diagonal + 1) ?? 0) : (ends.get(diagonal - 1) ?? 0) + 1
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
      next.set(diagonal, x)
      if (x >= before.length && x - diagonal >= after.length) return trace
    }
    ends = next
  }
  return undefined
}

/** Walks back from the end to the beginning; steps come out last first. */
const walkBack = <T>(trace: readonly Ends[], before: readonly T[], after: readonly T[]): Edit<T>[] => {
  const steps: Edit<T>[] = []
  let x = before.length
  let y = after.length
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const ends: Ends = trace[edits] ?? new Map()
    const diagonal = x - y
    const down = isDown(ends, diagonal, edits)
    const fromX = ends.get(down ? diagonal + 1 : diagonal - 1) ?? 0
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1)
    for (; x > Math.max(fromX, 0) && y > Math.max(fromY, 0); x--, y--) steps.push({ kind: 'same', value: after[y - 1] as T })
    if (edits > 0) steps.push(down ? { kind: 'added', value: after[--y] as T } : { kind: 'removed', value: before[--x] as T })
  }
  return steps
}

/**
 * Compares two sequences.
 * @param keyOf values with equal keys are the same.
 * @returns the fewest edits, or everything removed and added when there are more than 1,000 of them.
 */
export const diffSequence = <T>(before: readonly T[], after: readonly T[], keyOf: (value: T) => string): readonly Edit<T>[] => {
  const trace = search(before.map(keyOf), after.map(keyOf))
  if (trace !== undefined) return walkBack(trace, before, after).reverse()
  return [...before.map((value): Edit<T> => ({ kind: 'removed', value })), ...after.map((value): Edit<T> => ({ kind: 'added', value }))]
}
