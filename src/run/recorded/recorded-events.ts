// What watchers of a run were told, worked out from its entries: states by where the machines moved, calls by the attempts
// that began and ended. Invariant: entry by entry it tells what a live run told, but for what only the agent knows.
import { failure, type Failure } from '../../failure/index.ts'
import type { Cause, Entry, Move, Outcome, RunEnd, StateValue, Waiting } from '../../journal/index.ts'
import { resolvedOutcome } from '../doubt.ts'
import { attemptNotice } from '../notices.ts'
import type { RunEvent, RunEventBody } from '../run-event.ts'
import { parseKey, RecordedCalls, stateFor, type RecordedCall } from './recorded-calls.ts'
import { noStructure, structureAt, type Structure } from './structure.ts'

/** Paths of the states in a value, outer ones first. */
const statesIn = (value: StateValue, around = ''): readonly string[] =>
  typeof value === 'string' ? (value === '' ? [] : [`${around}${value}`]) : Object.entries(value).flatMap(([name, inner]) => [`${around}${name}`, ...statesIn(inner, `${around}${name}.`)])

/** A machine as the entries so far leave it. */
interface Standing {
  readonly value: StateValue
  readonly states: readonly string[]
  readonly failure?: Failure
}

const FAILED = 'xstate.error.actor.'
/** Kinds whose failed attempts are discarded when another one follows. */
const SPEAKS: ReadonlySet<string> = new Set(['model', 'decide', 'compact'])
const WAITS_FOR: { readonly [kind: string]: Waiting['for'] } = { approve: 'approval', wait: 'timer' }

type Told = { readonly actor: string; readonly event: RunEventBody }

/** Tells the events of a run, entry by entry. */
export class RecordedEvents {
  readonly #run: string
  readonly #calls = new RecordedCalls()
  readonly #standing = new Map<string, Standing>()
  /** When each attempt began, by `key.attempt`. */
  readonly #began = new Map<string, { readonly seq: number; readonly at: number }>()
  /** Attempts under way, by `key.attempt`. */
  readonly #open = new Map<string, { readonly call: RecordedCall; readonly attempt: number }>()
  #doubted: string[] = []
  /** Calls that are tried again later, by key. */
  readonly #backingOff = new Set<string>()
  #structure = noStructure('')
  #told: Told[] = []

  constructor(run: string) {
    this.#run = run
  }

  /** The agent that the entries from here on belong to. */
  agent(structure: Structure): void {
    this.#structure = structure
  }

  /** Notes what only later entries tell of earlier ones: which model was asked, and that an attempt was followed by another. */
  lookAhead(entries: readonly Entry[]): void {
    this.#calls.lookAhead(entries)
    for (const { seq, at, body } of entries) for (const { key, attempt } of body.intents ?? []) this.#began.set(`${key}.${attempt}`, { seq, at })
  }

  /** The events of the next entry. */
  take({ seq, at, body }: Entry): readonly RunEvent[] {
    this.#told = []
    if (body.cause.type === 'attempt' && body.cause.outcome.ok) this.#calls.result(body.cause.key, body.cause.outcome.value)
    // What goes on within an effect is asked for before its attempt is told to be over; new effects follow the transition.
    const within = body.cause.type === 'attempt' ? parseKey(body.cause.key).effect : undefined
    const [own, others] = [true, false].map((inside) => (body.intents ?? []).filter(({ key }) => (parseKey(key).effect === within) === inside))
    for (const { key, attempt } of own ?? []) this.#begin(key, attempt)
    const problem = this.#cause(body.cause, seq, at)
    let left = others ?? []
    for (const move of body.moves) {
      this.#move(move, [problem, body.end?.failure])
      const begun = left.filter(({ key }) => this.#runsIn(move, key))
      left = left.filter((intent) => !begun.includes(intent))
      for (const { key, attempt } of begun) this.#begin(key, attempt)
    }
    for (const { key, attempt } of left) this.#begin(key, attempt)
    if (body.end !== undefined) this.#end(body.end)
    else if (this.#open.size === this.#doubted.length && this.#backingOff.size === 0) this.#wait()
    return this.#told.map(({ actor, event }, index) => ({ ...event, run: this.#run, at, seq, index, actor }))
  }

  #tell(actor: string, event: RunEventBody): void {
    this.#told.push({ actor, event })
  }

  #statesOf(actor: string): readonly string[] {
    return this.#standing.get(actor)?.states ?? []
  }

  /** @returns the failure that the cause brought, if any. */
  #cause(cause: Cause, seq: number, at: number): Failure | undefined {
    switch (cause.type) {
      case 'start':
        this.#tell('', { type: 'run.started', agent: cause.agent.id, input: cause.input })
        return undefined
      case 'attempt':
        return this.#ended(cause.key, cause.attempt, cause.outcome, seq, at)
      case 'resumed':
        this.#doubted = [...(cause.doubt ?? [])]
        return undefined
      case 'event':
        return cause.event.type === 'RESOLVE' ? this.#resolve(cause.event, seq, at) : undefined
      case 'timer':
      case 'migrated':
        return undefined
    }
  }

  #resolve(event: Extract<Cause, { readonly type: 'event' }>['event'], seq: number, at: number): Failure | undefined {
    const key = typeof event['key'] === 'string' ? event['key'] : this.#doubted[0]
    const open = key === undefined ? undefined : this.#open.get(key)
    this.#doubted = this.#doubted.filter((doubted) => doubted !== key)
    return open === undefined || event['action'] === 'retry' ? undefined : this.#ended(open.call.key, open.attempt, resolvedOutcome(event), seq, at)
  }

  #ended(key: string, attempt: number, outcome: Outcome, seq: number, at: number): Failure | undefined {
    const call = this.#calls.call(key, this.#structure, this.#statesOf(parseKey(key).actor))
    this.#open.delete(`${key}.${attempt}`)
    this.#doubted = this.#doubted.filter((doubted) => doubted !== `${key}.${attempt}`)
    const state = this.#placed(call)
    const next = this.#began.get(`${key}.${attempt + 1}`)
    const later = next !== undefined && next.seq > seq && !outcome.ok ? next.at - at : undefined
    if (later !== undefined) this.#backingOff.add(key)
    if (next !== undefined && !outcome.ok && SPEAKS.has(call.kind)) this.#tell(call.actor, { type: 'attempt.discarded', key, state, attempt })
    this.#tell(call.actor, attemptNotice({ ...call, state, attempt }, outcome, later))
    return outcome.ok ? undefined : outcome.failure
  }

  /** The state of a call as events write it. */
  #placed({ actor, state }: RecordedCall): string {
    return actor === '' ? state : `${actor}/${state}`
  }

  /** Whether an effect begins in a state that a transition led to. */
  #runsIn({ actor }: Move, key: string): boolean {
    const parts = parseKey(key)
    return parts.actor === actor && stateFor(structureAt(this.#structure, actor), parts.invoke, this.#statesOf(actor)) !== undefined
  }

  #end({ session: _session, ...end }: RunEnd): void {
    this.#tell('', { type: 'run.ended', ...end })
  }

  #move({ actor, event, value, failed }: Move, known: readonly (Failure | undefined)[]): void {
    const before = this.#standing.get(actor)
    if (before === undefined && actor !== '') this.#childStarted(actor)
    const structure = structureAt(this.#structure, actor)
    const old = before?.states ?? []
    const states = statesIn(value)
    const stays = (state: string): boolean => old.includes(state) && states.includes(state)
    const invoke = event.startsWith(FAILED) ? event.slice(FAILED.length) : ''
    const blamed = structure.stateOf(invoke) ?? old.at(-1) ?? ''
    const raised = failed === undefined ? undefined : (known.find((found) => found?.code === failed) ?? failure(failed as Failure['code'], 'The message of this failure is not in the journal.'))
    if (raised !== undefined) this.#tell(actor, { type: 'failure.raised', state: blamed, failure: raised })
    for (const state of old) if (!stays(state)) this.#leave(actor, state, structure)
    this.#tell(actor, { type: 'transition.taken', event, from: before?.value ?? '', to: value, ...(failed === undefined ? {} : { failed }), edges: [] })
    for (const state of states) if (!stays(state)) this.#tell(actor, { type: 'state.entered', state, kind: structure.kind(state) ?? '' })
    const last = raised ?? before?.failure
    this.#standing.set(actor, { value, states, ...(last === undefined ? {} : { failure: last }) })
    if (actor !== '') this.#childEnded(actor, structure, states, last)
  }

  #leave(actor: string, state: string, structure: Structure): void {
    this.#tell(actor, { type: 'state.left', state, kind: structure.kind(state) ?? '' })
    const inside = [...this.#standing.keys()].filter((path) => path.startsWith(`${actor}/`) && structure.stateOf(parseKey(`${actor}/${path.slice(actor.length + 1).split('/')[0] ?? ''}`).invoke) === state)
    for (const path of inside) this.#standing.delete(path)
    for (const [key, { call }] of this.#open) {
      const own = call.actor === actor && call.state === state
      if (!own && !inside.some((path) => call.actor === path || call.actor.startsWith(`${path}/`))) continue
      this.#open.delete(key)
      this.#doubted = this.#doubted.filter((doubted) => doubted !== key)
    }
  }

  #childStarted(path: string): void {
    const { actor, invoke } = parseKey(path)
    const structure = structureAt(this.#structure, actor)
    this.#tell(actor, { type: 'child.started', child: path, state: structure.stateOf(invoke) ?? invoke, agent: structure.child(invoke)?.id ?? invoke })
  }

  #childEnded(path: string, structure: Structure, states: readonly string[], last: Failure | undefined): void {
    const outcome = states.map((state) => structure.outcome(state)).find((found) => found !== undefined)
    if (outcome !== 'done' && outcome !== 'failed' && outcome !== 'limited') return
    this.#standing.delete(path)
    this.#tell(parseKey(path).actor, { type: 'child.ended', child: path, outcome, ...(outcome === 'done' || last === undefined ? {} : { failure: last }) })
  }

  #begin(key: string, attempt: number): void {
    const call = this.#calls.call(key, this.#structure, this.#statesOf(parseKey(key).actor))
    this.#backingOff.delete(key)
    this.#open.set(`${key}.${attempt}`, { call, attempt })
    const { kind, name, args } = call
    this.#tell(call.actor, { type: 'effect.started', key, state: this.#placed(call), kind, name, attempt, ...(args === undefined ? {} : { args }) })
  }

  /** Nothing of the run's own is under way: the world has to move it. */
  #wait(): void {
    const waits = [...this.#standing].map(([actor, { states }]): Waiting => {
      const state = states.at(-1) ?? ''
      const kind = structureAt(this.#structure, actor).kind(state) ?? ''
      return { for: this.#doubted.length > 0 ? 'in_doubt' : (WAITS_FOR[kind] ?? 'event'), state: actor === '' ? state : `${actor}/${state}`, accepts: [] }
    })
    if (waits.length > 0) this.#tell('', { type: 'run.waiting', waiting: waits })
  }
}
