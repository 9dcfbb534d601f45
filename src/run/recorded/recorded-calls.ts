// The calls of a run that is read without its agent: what each was, as far as results and the agent's structure say.
// Invariant: a call keeps its name from its first attempt to its last.
import type { Json } from '../../failure/index.ts'
import type { CallRecord, Entry } from '../../journal/index.ts'
import { structureAt, type Structure } from './structure.ts'

/** What a call is. */
export interface RecordedCall {
  readonly key: string
  /** Actor path. */
  readonly actor: string
  /** State path within the actor. */
  readonly state: string
  readonly kind: string
  readonly name: string
  readonly args?: Json
}

/** The parts of an effect's key: `/research#1/asking#2:0` is the second `asking` of the machine `/research#1`, its call `0`. */
export const parseKey = (key: string): { readonly actor: string; readonly invoke: string; readonly effect: string; readonly suffix: string } => {
  const at = key.lastIndexOf('/')
  const [effect = '', suffix = ''] = key.slice(at + 1).split(':')
  return { actor: key.slice(0, at), invoke: effect.split('#')[0] ?? '', effect: `${key.slice(0, at)}/${effect}`, suffix }
}

interface Asked {
  readonly key?: string
  readonly kind?: string
  readonly name: string
  readonly args?: Json
}

const isAsked = (value: unknown): value is readonly Asked[] => Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null && typeof (item as Asked).name === 'string')

/** Calls of tools that a model's reply asks for, or calls that a hand-written loop asks for. */
const askedIn = (value: Json, field: 'calls' | 'asks'): readonly Asked[] => {
  const found = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly [name: string]: Json })[field] : undefined
  return isAsked(found) ? found : []
}

/** A key without its numbers: the same for every visit of a state. */
const placeOf = (key: string): string => key.replaceAll(/#\d+(?::\d+(?=\/))?/g, '')

const modelName = ({ provider, model }: CallRecord): string => `${provider}/${model}`

/** The state that an invoke belongs to: by the structure, or else by the names of the states that its machine is in. */
export const stateFor = (structure: Structure, invoke: string, stands: readonly string[]): string | undefined =>
  structure.stateOf(invoke) ?? stands.findLast((path) => path === invoke || path.endsWith(`.${invoke}`) || invoke.endsWith(`.${path}`))

/** Names calls, entry by entry. */
export class RecordedCalls {
  readonly #known = new Map<string, RecordedCall>()
  /** Models by the place that asked them, as results name them. */
  readonly #models = new Map<string, string>()
  /** Calls of tools that the last reply of each machine asked for. */
  readonly #tools = new Map<string, readonly Asked[]>()
  /** Calls that hand-written loops asked for, by key. */
  readonly #loops = new Map<string, Asked>()

  /** Reads the names that only later entries tell. */
  lookAhead(entries: readonly Entry[]): void {
    for (const { body } of entries) {
      const { cause } = body
      const call = cause.type === 'attempt' ? cause.outcome.calls?.[0] : undefined
      if (cause.type === 'attempt' && call !== undefined) this.#models.set(placeOf(cause.key), modelName(call))
    }
  }

  /** Notes what a result asks for. */
  result(key: string, value: Json): void {
    const { actor } = parseKey(key)
    const calls = askedIn(value, 'calls')
    if (calls.length > 0) this.#tools.set(actor, calls)
    for (const ask of askedIn(value, 'asks')) if (ask.key !== undefined) this.#loops.set(`${key}:${ask.key}`, ask)
  }

  /** The call with that key. @param stands states that its machine is in. */
  call(key: string, root: Structure, stands: readonly string[]): RecordedCall {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const { actor, invoke, suffix } = parseKey(key)
    const structure = structureAt(root, actor)
    const effect = structure.effect(invoke)
    const state = stateFor(structure, invoke, stands) ?? stands.at(-1) ?? invoke
    const asked = this.#loops.get(key) ?? (effect?.kind === 'tools' ? this.#tools.get(actor)?.[Number(suffix)] : undefined)
    const kind = asked?.kind ?? effect?.kind ?? (this.#models.has(placeOf(key)) ? 'model' : '')
    // What a loop asks a model is no argument of a call: it is the conversation.
    const args = asked?.args === undefined || kind === 'model' ? {} : { args: asked.args }
    const made: RecordedCall = { key, actor, state, kind, name: asked?.name ?? this.#models.get(placeOf(key)) ?? effect?.name ?? state, ...args }
    this.#known.set(key, made)
    return made
  }
}
