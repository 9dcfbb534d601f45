// The same run a second time, with another time of day and other random numbers around it: whatever then comes out
// otherwise was not decided by what came in. Invariant: nothing is performed; only the pure half of the run is evaluated.
import { isDeepStrictEqual } from 'node:util'
import { inAnotherWorld } from '../clock/index.ts'
import type { Move } from '../journal/index.ts'
import { hashesOf, type Commit, type Fold, type StepRequest } from '../run/index.ts'
import { brief } from './data.ts'
import { edgeText } from './place.ts'

/** Something that came out otherwise. */
export interface Unstable {
  readonly actor: string
  readonly expected: string
  readonly actual: string
  /** What reads more than it is given. */
  readonly about: string
}

const fieldsOf = (a: Move, b: Move): readonly string[] => Object.keys({ ...a.changed, ...b.changed }).filter((field) => a.changed?.[field] !== b.changed?.[field])

const moved = (a: Move | undefined, b: Move | undefined): Unstable | undefined => {
  const actor = (a ?? b)?.actor ?? ''
  if (a === undefined || b === undefined || a.event !== b.event || !isDeepStrictEqual(a.value, b.value)) return { actor, expected: edgeText(a), actual: edgeText(b), about: 'a guard' }
  const fields = fieldsOf(a, b)
  return fields.length === 0 ? undefined : { actor, expected: `${edgeText(a)} with one value of ${fields.map((field) => `context.${field}`).join(', ')}`, actual: 'with another', about: 'a save' }
}

const requested = (a: StepRequest | undefined, b: StepRequest | undefined): Unstable | undefined => {
  if (a === undefined || b === undefined) return undefined
  const actor = a.key.slice(0, a.key.lastIndexOf('/'))
  if (!isDeepStrictEqual(a.args, b.args)) return { actor, expected: `${a.state} asks with ${brief(a.args)}`, actual: `with ${brief(b.args)}`, about: 'args or query' }
  const [one, two] = [a.call?.(), b.call?.()]
  if (one === undefined || two === undefined || hashesOf(one).requestHash === hashesOf(two).requestHash) return undefined
  return { actor, expected: `${a.state} sends ${brief(one.thread.messages.at(-1)?.content)}`, actual: brief(two.thread.messages.at(-1)?.content), about: 'vars or an inline prompt' }
}

/** Follows a fold with a second one. @returns what came out otherwise at a step, if anything did. */
export const twinOf =
  (fold: Fold, twin: Fold) =>
  ({ arrival, step }: Commit): Unstable | undefined => {
    const again = inAnotherWorld(() => twin.apply(arrival.cause, arrival.at))
    twin.takeActs()
    for (let index = 0; index < Math.max(step.moves.length, again.moves.length); index++) {
      const found = moved(step.moves[index], again.moves[index])
      if (found !== undefined) return found
    }
    for (const { key, attempt } of step.intents) {
      const id = `${key}.${attempt}`
      const found = requested(fold.steps.get(id), twin.steps.get(id))
      if (found !== undefined) return found
    }
    if (isDeepStrictEqual(step.end?.output, again.end?.output)) return undefined
    return { actor: '', expected: `output ${brief(step.end?.output)}`, actual: brief(again.end?.output), about: 'the output of a final state' }
  }
