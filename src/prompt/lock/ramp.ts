// Ramps a variant up and down. Invariant: ramping up moves units only from control to the variant, ramping down only back,
// whatever other variants there are; so nobody sees a prompt come and go.
import { BUCKETS, type Variant } from './lock.ts'

type Ranges = Variant['buckets']

const sizeOf = (ranges: Ranges): number => ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)

/** Share of the units that a variant has, percent with two decimals. */
export const percentOf = ({ buckets }: Variant): number => (sizeOf(buckets) * 100) / BUCKETS

/** Buckets that no variant has, as ranges in order. */
const freeOf = (variants: readonly Variant[]): Ranges => {
  const free: [number, number][] = []
  let next = 0
  for (const [from, to] of variants.flatMap(({ buckets }) => buckets).toSorted(([a], [b]) => a - b)) {
    if (from > next) free.push([next, from - 1])
    next = to + 1
  }
  return next < BUCKETS ? [...free, [next, BUCKETS - 1]] : free
}

/** The first `count` buckets of some ranges. */
const take = (ranges: Ranges, count: number): Ranges => {
  const taken: [number, number][] = []
  let left = count
  for (const [from, to] of ranges) {
    if (left === 0) break
    const size = Math.min(left, to - from + 1)
    taken.push([from, from + size - 1])
    left -= size
  }
  return taken
}

const joined = (ranges: Ranges): Ranges => {
  const all: [number, number][] = []
  for (const [from, to] of ranges) {
    const last = all.at(-1)
    if (last !== undefined && last[1] + 1 === from) last[1] = to
    else all.push([from, to])
  }
  return all
}

/**
 * The variants after one of them was ramped to a share.
 * @param percent from 0 to 100, with at most two decimals.
 * @returns undefined when the other variants leave too few buckets.
 */
export const ramp = (variants: readonly Variant[], name: string, percent: number): readonly Variant[] | undefined => {
  const wanted = Math.round((percent * BUCKETS) / 100)
  const free = freeOf(variants)
  return variants.some((variant) => variant.name === name && wanted - sizeOf(variant.buckets) > sizeOf(free))
    ? undefined
    : variants.map((variant) => {
        const has = sizeOf(variant.buckets)
        if (variant.name !== name) return variant
        // What was taken last is given back first, so the order of the ranges is their history.
        return { ...variant, buckets: wanted <= has ? take(variant.buckets, wanted) : joined([...variant.buckets, ...take(free, wanted - has)]) }
      })
}
