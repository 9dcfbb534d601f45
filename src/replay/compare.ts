// Compares what a replay does with what was recorded: requests, transitions, effects begun, results and the end. Invariant:
// order counts within one machine of a run; machines side by side may overtake each other.
import { isDeepStrictEqual } from 'node:util'
import type { Agent } from '../agent/index.ts'
import type { Json } from '../failure/index.ts'
import { isEnded, type Entry, type Intent, type Move, type Outcome, type RunEnd, type StateValue } from '../journal/index.ts'
import type { Message } from '../prompt/index.ts'
import { hashesOf, type Commit, type Fold, type ModelAsk, type StepRequest } from '../run/index.ts'
import { sha256, toJson } from '../schema/index.ts'
import type { Answer } from './answers.ts'
import { blameRequest, blameStep, type AskedCall } from './blame.ts'
import { brief } from './data.ts'
import type { Blame, Difference } from './difference.ts'
import { edgeText, listText, valueLines } from './place.ts'
import { firstFolded, idOf, type Recording } from './recording.ts'
import { renderedReader } from './rendered.ts'
import type { Unstable } from './twin.ts'

/**
 * What counts as the same. `strict`: every request and every transition. `prompt`: the same template, model, tools and
 * schema, whatever was rendered. `shape`: tools and their arguments, and the states. `sequence`: which effects follow
 * each other, whatever the states are called.
 */
export type Match = 'strict' | 'prompt' | 'shape' | 'sequence'

/** What a comparison needs. */
export interface CompareOptions {
  readonly recording: Recording
  readonly agent: Agent
  readonly fold: Fold
  /** `none` leaves requests alone and compares transitions only. */
  readonly match: Match | 'none'
  /** True when results come from the world, so that the way of the run is not compared. */
  readonly free: boolean
  /** Gets each difference. May throw to stop the replay. */
  readonly found: (difference: Difference) => void
}

const LIMITS: ReadonlySet<string> = new Set(['loop_limit', 'no_progress', 'budget_exceeded', 'deadline_exceeded'])

/** A result without what differs from run to run. */
const resultOf = (outcome: Outcome): Json => (outcome.ok ? outcome.value : { failed: outcome.failure.code })

/** The actor's path and the effect's state, from a step's state path. */
const actorOf = (key: string): string => key.slice(0, key.lastIndexOf('/'))

const sameEdge = (a: Move | undefined, b: Move | undefined): boolean => a?.actor === b?.actor && a?.event === b?.event && a?.failed === b?.failed && isDeepStrictEqual(a?.value, b?.value)

/** The machine that an arrival is for. */
const ownerOf = (entry: Entry | undefined): string => {
  const cause = entry?.body.cause
  return cause !== undefined && 'key' in cause ? actorOf(cause.key) : ''
}

const endText = (end: RunEnd | undefined): string => {
  if (end === undefined) return 'the run goes on'
  const why = end.failure === undefined ? '' : ` (${end.failure.code}${end.defect === true ? `: ${brief(end.failure.message, 160)}` : ''})`
  return `the run is ${end.outcome}${why}`
}

/** A value that a short hash may stand for: what came in, or a part of it. */
const recovered = (hash: string, value: unknown, depth = 0): Json | undefined => {
  if (sha256(JSON.stringify(value ?? null)).slice(0, 12) === hash) return value as Json
  if (typeof value !== 'object' || value === null || depth > 3) return undefined
  for (const inner of Object.values(value)) {
    const found = recovered(hash, inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** How one context field differs: by place where the recorded value can be found again, else by hash. */
const fieldLines = (name: string, was: string | undefined, is: string | undefined, entry: Entry | undefined, now: Json): readonly string[] => {
  if (was === undefined) return [`+ context.${name}: ${brief(now)}`]
  if (is === undefined) return [`- context.${name}: was set here, now is not`]
  const before = recovered(was, entry?.body.cause)
  return before === undefined ? [`~ context.${name}: ${was} → ${is} ${brief(now)}`] : valueLines(`context.${name}`, before, now)
}

type Found = Omit<Difference, 'step' | 'from' | 'stale' | 'places'> & Partial<Pick<Difference, 'stale' | 'places'>>

/** Compares a replay as it goes. */
export class Comparison {
  readonly #options: CompareOptions
  readonly #rendered = renderedReader()
  /** Where each machine stood before the step. */
  readonly #standing = new Map<string, StateValue>()
  readonly #staleThreads = new Set<unknown>()
  /** The way of each machine, and how much of it was gone. */
  readonly #paths = new Map<string, { readonly recorded: Move[]; next: number }>()
  readonly #begun: ReadonlySet<string>
  #step = 0

  constructor(options: CompareOptions) {
    this.#options = options
    const entries = options.recording.entries.slice(firstFolded(options.recording))
    for (const { body } of entries) for (const move of body.moves) this.#pathOf(move.actor).recorded.push(move)
    this.#begun = new Set(entries.flatMap(({ body }) => (body.intents ?? []).map(idOf)))
  }

  /** Compares what is asked for with what was. */
  request(request: StepRequest, answer: Answer | undefined): void {
    const { match, free } = this.#options
    if (free || match === 'none' || match === 'sequence') return
    const ask = request.call?.()
    if (ask === undefined) this.#args(request)
    else if (match !== 'shape') this.#model(request, ask, this.#recordedCall(request, answer))
  }

  /** Compares the outcome of an effect that was performed anew. */
  result(request: StepRequest, answer: Answer | undefined, outcome: Outcome): void {
    if (answer === undefined || this.#options.free) return
    const [before, now] = [resultOf(answer.cause.outcome), resultOf(outcome)]
    if (isDeepStrictEqual(before, now)) return
    this.#step = answer.entry.seq
    this.#report({
      kind: 'result',
      actor: actorOf(request.key),
      expected: `${request.kind === 'tools' ? 'tool' : request.kind} ${request.name} gives what was recorded`,
      actual: 'another result',
      places: valueLines('', before, now),
      blame: { what: 'data', name: request.name, changes: ['it was performed anew and gave something else: its code or its data changed'] },
    })
  }

  /** Compares what an arrival led to. @param inOrder false once an arrival overtook another. */
  commit({ step }: Commit, entry: Entry | undefined, inOrder: boolean): void {
    const { free, match } = this.#options
    this.#step = entry?.seq ?? this.#step
    if (free) return
    if (match !== 'sequence') {
      this.#moves(step.moves, entry)
      this.#effects(step.intents, entry)
    }
    const expected = inOrder ? entry?.body.end : this.#options.recording.entries.at(-1)?.body.end
    if (step.end !== undefined || (inOrder && expected !== undefined)) this.#end(expected, step.end)
  }

  /** Reports what comes out otherwise when it is evaluated again. */
  unstable({ actor, expected, actual, about }: Unstable, entry: Entry | undefined): void {
    this.#step = entry?.seq ?? this.#step
    const changes = [`${about} reads the clock, random numbers or a variable of its own; give it what it needs through the context or a code state`]
    this.#report({ kind: 'unstable', actor, expected, actual: `${actual}, when evaluated again`, blame: { what: 'machine', name: this.#options.agent.id, changes } })
  }

  /** Once nothing comes any more. */
  rest(unused: readonly Answer[], open: readonly StepRequest[]): void {
    const { recording, match, free } = this.#options
    const underWay = (request: StepRequest): boolean => (match === 'sequence' || free ? !isEnded(recording.row.status) : this.#begun.has(idOf(request)))
    const request = open.find((one) => !underWay(one))
    if (request !== undefined) {
      const actual = `${request.state} asks for ${request.kind} ${request.name}, which the recording does not hold`
      this.#report({ kind: 'unanswered', actor: actorOf(request.key), expected: 'effects that were recorded', actual, blame: this.#blame([request.state], []) })
    }
    if (free) return
    for (const [actor, { recorded: moves, next }] of match === 'sequence' || this.#options.fold.end === undefined ? [] : this.#paths) {
      if (next < moves.length) this.#edge(moves[next], undefined, actor)
    }
    const [left] = unused
    if (left === undefined) return
    this.#step = left.entry.seq
    const actual = `nothing asked for it${unused.length === 1 ? '' : `, nor for ${unused.length - 1} more`}`
    this.#report({ kind: 'unused', actor: actorOf(left.cause.key), expected: `${left.cause.key} is asked for`, actual, blame: this.#blame([], []) })
  }

  #pathOf(actor: string): { readonly recorded: Move[]; next: number } {
    const known = this.#paths.get(actor) ?? { recorded: [], next: 0 }
    this.#paths.set(actor, known)
    return known
  }

  #from(actor: string): StateValue {
    return this.#standing.get(actor) ?? ''
  }

  #report(difference: Found): void {
    this.#options.found({ stale: false, places: [], step: this.#step, from: this.#from(difference.actor), ...difference })
  }

  #blame(near: readonly StateValue[], codes: readonly (string | undefined)[]): Blame {
    const states = near.flatMap((value) => (typeof value === 'string' && value !== '' ? [value] : []))
    return blameStep(
      this.#options,
      states,
      codes.some((code) => code !== undefined && LIMITS.has(code)),
    )
  }

  /** What the recorded call was asked with, as its outcome says it, or as it was noted where no outcome does. */
  #recordedCall(request: StepRequest, answer: Answer | undefined): AskedCall | undefined {
    const billed = answer?.cause.outcome.calls?.[0]
    if (billed?.requestHash !== undefined) return { ...billed, name: `${billed.provider}/${billed.model}` }
    const ask = this.#options.recording.asks.get(idOf(request))
    return ask?.hashes === undefined ? undefined : { ...ask.hashes, name: ask.name }
  }

  #model(request: StepRequest, ask: ModelAsk, recorded: AskedCall | undefined): void {
    const { recording, agent, match } = this.#options
    const now = hashesOf(ask)
    const messages = this.#rendered(ask)
    if (recorded?.requestHash === undefined || recorded.requestHash === now.requestHash) return
    if (recorded.stepHash === now.stepHash) {
      if (match === 'strict' && !this.#staleThreads.has(ask.thread)) this.#messages(request, ask, messages)
      return
    }
    this.#staleThreads.add(ask.thread)
    this.#report({
      kind: 'request',
      stale: true,
      actor: actorOf(request.key),
      expected: `${recorded.name} asked with step ${recorded.stepHash?.slice(0, 12) ?? ''}`,
      actual: `${request.name} asked with step ${now.stepHash.slice(0, 12)}`,
      blame: blameRequest(recording, agent, ask, recorded),
    })
  }

  #messages(request: StepRequest, ask: ModelAsk, messages: readonly Message[]): void {
    const before = this.#options.recording.asks.get(idOf(request))?.messages
    this.#report({
      kind: 'request',
      actor: actorOf(request.key),
      expected: `the messages recorded for ${request.state}`,
      actual: 'other messages, from the same template, model and tools',
      places: before === undefined ? [] : valueLines('messages', before as unknown as Json, messages as unknown as Json),
      blame: { what: 'prompt', name: ask.prompt.id, changes: ['the template is the same, so a function that renders it differs: an inline prompt or vars'] },
    })
  }

  #args(request: StepRequest): void {
    const ask = this.#options.recording.asks.get(idOf(request))
    if (ask === undefined) return
    if (ask.kind === request.kind && ask.name === request.name && (ask.args === undefined || isDeepStrictEqual(ask.args, request.args))) return
    const text = (kind: string, name: string, args: Json | undefined): string => `${kind} ${name}${args === undefined ? '' : ` ${brief(args)}`}`
    this.#report({
      kind: 'request',
      actor: actorOf(request.key),
      expected: text(ask.kind, ask.name, ask.args),
      actual: text(request.kind, request.name, request.args),
      places: valueLines('args', ask.args ?? null, request.args ?? null),
      blame: this.#blame([request.state], []),
    })
  }

  /** Each machine must go its recorded way; the one that the arrival is for must go exactly as far as then. */
  #moves(actual: readonly Move[], entry: Entry | undefined): void {
    for (const move of actual) {
      const path = this.#pathOf(move.actor)
      const expected = path.recorded[path.next++]
      this.#edge(expected, move, move.actor)
      if (expected !== undefined && this.#options.match !== 'shape') this.#fields(expected, move, entry)
      this.#standing.set(move.actor, move.value)
    }
    const owner = ownerOf(entry)
    const went = actual.filter(({ actor }) => actor === owner)
    const recorded = entry?.body.moves.filter(({ actor }) => actor === owner) ?? went
    if (went.length !== recorded.length) this.#edge(recorded[went.length], went[recorded.length], owner)
  }

  #edge(expected: Move | undefined, actual: Move | undefined, actor: string): void {
    if (sameEdge(expected, actual)) return
    const near = [this.#from(actor), expected?.value ?? '', actual?.value ?? '']
    this.#report({ kind: 'transition', actor, expected: edgeText(expected), actual: edgeText(actual), blame: this.#blame(near, [expected?.failed, actual?.failed]) })
  }

  /** Whether the fields that a transition changed are the recorded ones. */
  #fields(expected: Move, actual: Move, entry: Entry | undefined): void {
    const names = [...new Set([...Object.keys(expected.changed ?? {}), ...Object.keys(actual.changed ?? {})])].filter((name) => expected.changed?.[name] !== actual.changed?.[name])
    if (names.length === 0) return
    const { fold } = this.#options
    const context = (actual.actor === '' ? fold.root : fold.actors.get(actual.actor))?.snapshot.context as { readonly [field: string]: unknown } | undefined
    const listed = listText(names.map((name) => `context.${name}`))
    this.#report({
      kind: 'context',
      actor: actual.actor,
      expected: `${edgeText(expected)}, ${listed} as recorded`,
      actual: `${edgeText(actual)}, ${listed} with another value`,
      places: names.flatMap((name) => fieldLines(name, expected.changed?.[name], actual.changed?.[name], entry, toJson(context?.[name]) ?? null)),
      blame: this.#blame([this.#from(actual.actor)], []),
    })
  }

  /** What begins must have begun then; for the machine that the arrival is for, at the same step. */
  #effects(begun: readonly Intent[], entry: Entry | undefined): void {
    const owner = ownerOf(entry)
    const of = (intents: readonly Intent[]): readonly string[] => intents.filter(({ key }) => actorOf(key) === owner).map(idOf)
    const [actual, expected] = [of(begun), of(entry?.body.intents ?? [])]
    const strange = begun.map(idOf).filter((id) => !this.#begun.has(id))
    if (strange.length === 0 && (entry === undefined || isDeepStrictEqual(expected, actual))) return
    const named = strange.length > 0 ? strange : actual
    this.#report({ kind: 'effects', actor: owner, expected: `begins ${listText(expected)}`, actual: `begins ${listText(named)}`, blame: this.#blame([this.#from(owner)], []) })
  }

  #end(expected: RunEnd | undefined, actual: RunEnd | undefined): void {
    const { match } = this.#options
    const codes = [expected?.failure?.code, actual?.failure?.code]
    if (expected?.outcome !== actual?.outcome || codes[0] !== codes[1]) {
      this.#report({ kind: 'end', actor: '', expected: endText(expected), actual: endText(actual), blame: this.#blame([this.#from('')], codes) })
    } else if (match !== 'shape' && match !== 'sequence' && !isDeepStrictEqual(expected?.output, actual?.output)) {
      const places = valueLines('output', expected?.output ?? null, actual?.output ?? null)
      this.#report({ kind: 'end', actor: '', expected: 'the recorded output', actual: 'another output', places, blame: this.#blame([this.#from('')], []) })
    }
  }
}
