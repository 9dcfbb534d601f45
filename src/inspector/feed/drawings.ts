// The drawings of a feed, one for each machine that takes part. Invariant: a machine is laid out once in this process,
// however many runs show it, and one with too many states is refused rather than waited for.
import type { graphOf } from '../../agent/index.ts'
import { chartOf } from '../chart/chart.ts'
import { layout } from '../chart/layout.ts'
import type { Drawing } from '../page/drawing.ts'

type Machine = Parameters<typeof graphOf>[0]

/** States of a machine that is still drawn. */
const MOST_STATES = 1_000

const drawn = new WeakMap<Machine, Promise<Drawing | undefined>>()

/** The drawing of a machine; undefined when it has too many states. */
export const drawingOf = (machine: Machine): Promise<Drawing | undefined> => {
  const known = drawn.get(machine)
  if (known !== undefined) return known
  const chart = chartOf(machine)
  const made = chart.states.length > MOST_STATES ? Promise.resolve(undefined) : layout(chart)
  drawn.set(machine, made)
  return made
}

/** Drawings in the order in which their machines appeared. */
export class Drawings {
  readonly list: Drawing[] = []
  readonly #places = new Map<Machine, number>()

  /** Position of a machine's drawing, or -1. */
  async place(machine: Machine): Promise<number> {
    const known = this.#places.get(machine)
    if (known !== undefined) return known
    const drawing = await drawingOf(machine)
    const place = drawing === undefined ? -1 : this.list.push(drawing) - 1
    this.#places.set(machine, place)
    return place
  }
}
