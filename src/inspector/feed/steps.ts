// Turns entries of a run into steps for the page: what came in, what happened, and what changed in each machine since the
// step before. Invariant: applying the changes of steps 0 to n gives every machine as it was after entry n.
import type { Agent } from '../../agent/index.ts'
import type { Cause, Entry, StateValue } from '../../journal/index.ts'
import { textOf, type Message } from '../../prompt/index.ts'
import type { HistoryActor, HistoryStep, RunEvent } from '../../run/index.ts'
import type { ActorChange, Call, Happening, ShownMessage, Step } from '../page/wire.ts'
import { activeStates } from './active.ts'
import { clip } from './clip.ts'

type Machine = Agent['machine']

/** Texts of a conversation are kept longer than other values. */
const LONGEST_MESSAGE = 50_000

const shownMessage = (message: Message): ShownMessage => {
  const whole = textOf(message.content)
  const text = whole.length > LONGEST_MESSAGE ? `${whole.slice(0, LONGEST_MESSAGE)}… (${whole.length - LONGEST_MESSAGE} more characters)` : whole
  if (message.role === 'tool') return { role: 'tool', text, name: message.name, callId: message.callId, ...(message.failed === undefined ? {} : { failed: message.failed }) }
  if (message.role !== 'assistant' || message.calls === undefined) return { role: message.role, text }
  return { role: 'assistant', text, calls: message.calls.map(({ id, name, args }) => ({ id, name, args: clip(args) })) }
}

const causeText = (cause: Cause): string => {
  switch (cause.type) {
    case 'start':
      return 'start'
    case 'attempt':
      return `${cause.outcome.ok ? 'result' : cause.outcome.failure.code} of ${cause.key}${cause.attempt > 1 ? `, attempt ${cause.attempt}` : ''}`
    case 'timer':
      return `timer ${cause.key}`
    case 'event':
      return `event ${cause.event.type}${cause.by === undefined ? '' : ` by ${cause.by}`}`
    case 'resumed':
      return 'resumed'
    case 'migrated':
      return 'migrated'
  }
}

const callsOf = (cause: Cause): readonly Call[] =>
  cause.type !== 'attempt'
    ? []
    : (cause.outcome.calls ?? []).map((call) => ({
        model: call.answered ?? call.model,
        inputTokens: call.usage?.inputTokens ?? 0,
        outputTokens: call.usage?.outputTokens ?? 0,
        costUsd: call.costNano === null ? null : call.costNano / 1e9,
        latencyMs: call.latencyMs,
        ...(call.firstTokenMs === undefined ? {} : { firstTokenMs: call.firstTokenMs }),
        ...(call.cached === undefined ? {} : { cached: call.cached }),
      }))

/** The step of an entry without changes of machines. */
const plainStep = ({ seq, at, body }: Entry, happenings: readonly Happening[], changes: readonly ActorChange[]): Step => {
  const { cause } = body
  const calls = callsOf(cause)
  const outcome = cause.type === 'start' ? cause.input : cause.type === 'event' ? cause.event : cause.type !== 'attempt' ? undefined : cause.outcome.ok ? cause.outcome.value : cause.outcome.failure
  return { seq, at, cause: causeText(cause), happenings, changes, ...(calls.length === 0 ? {} : { calls }), ...(outcome === undefined ? {} : { outcome: clip(outcome) }) }
}

/** An event of the run; states are named within their machine. */
const happeningOf = ({ run: _run, at: _at, seq: _seq, ...event }: RunEvent): Happening => {
  const inside = 'state' in event && event.actor !== '' && event.state.startsWith(`${event.actor}/`) ? { state: event.state.slice(event.actor.length + 1) } : {}
  return clip({ ...event, ...inside }) as Happening
}

/** Makes steps of a run that is folded again. */
export class FoldedSteps {
  readonly #place: (machine: Machine) => Promise<number>
  #before = new Map<string, HistoryActor>()
  readonly #sent = new Map<string, number>()

  /** @param place finds the drawing of a machine. */
  constructor(place: (machine: Machine) => Promise<number>) {
    this.#place = place
  }

  async step({ entry, events, actors }: HistoryStep): Promise<Step> {
    if (actors.length === 0) return recordedStep({ entry, events })
    const now = new Map(actors.map((actor) => [actor.path, actor]))
    const changes: ActorChange[] = []
    for (const actor of actors) {
      const before = this.#before.get(actor.path)
      const change = await this.#change(actor, before)
      if (change !== undefined) changes.push(change)
    }
    for (const { path, agent } of this.#before.values()) if (!now.has(path)) changes.push({ path, name: agent.id, drawing: -1, active: [], gone: true })
    this.#before = now
    return plainStep(entry, events.map(happeningOf), changes)
  }

  async #change(actor: HistoryActor, before: HistoryActor | undefined): Promise<ActorChange | undefined> {
    const { set, unset } = this.#context(actor.context, before?.context ?? {})
    const added = this.#messages(actor)
    const same = before !== undefined && before.value === actor.value
    if (same && Object.keys(set).length === 0 && unset.length === 0 && added.length === 0) return undefined
    return {
      path: actor.path,
      name: actor.agent.id,
      drawing: await this.#place(actor.agent.machine),
      active: activeStates(actor.value),
      ...(Object.keys(set).length === 0 ? {} : { set }),
      ...(unset.length === 0 ? {} : { unset }),
      ...(added.length === 0 ? {} : { added }),
    }
  }

  #context(now: HistoryActor['context'], before: HistoryActor['context']): { readonly set: NonNullable<ActorChange['set']>; readonly unset: readonly string[] } {
    const changed = Object.entries(now).filter(([field, value]) => field !== '$run' && value !== undefined && value !== before[field])
    return { set: Object.fromEntries(changed.map(([field, value]) => [field, clip(value)])), unset: Object.keys(before).filter((field) => field !== '$run' && before[field] !== undefined && now[field] === undefined) }
  }

  #messages({ path, threads }: HistoryActor): NonNullable<ActorChange['added']> {
    return threads.flatMap(({ name, id, length, messages }) => {
      const key = JSON.stringify([path, id])
      const from = this.#sent.get(key) ?? 0
      if (length <= from) return []
      this.#sent.set(key, length)
      return [{ thread: name, id, messages: messages.slice(from, length).map(shownMessage) }]
    })
  }
}

/** Names the edges that a transition of the run's own machine probably took. */
export type Guess = (before: readonly string[], event: string, after: readonly string[]) => readonly string[]

/** Where to draw a step whose agent is not at hand. */
export interface RecordedPlace {
  /** Active states of each machine before it. */
  readonly before: ReadonlyMap<string, readonly string[]>
  readonly drawing: (actor: string) => number
  readonly guess: Guess
}

const NOWHERE: RecordedPlace = { before: new Map(), drawing: () => -1, guess: () => [] }

/** The step of an entry whose agent is not at hand: where it moved, without context and messages. */
export const recordedStep = ({ entry, events }: Pick<HistoryStep, 'entry' | 'events'>, { before, drawing, guess }: RecordedPlace = NOWHERE): Step => {
  const moved = new Map<string, StateValue>(entry.body.moves.map(({ actor, value }) => [actor, value]))
  const withEdges = (event: RunEvent): RunEvent => {
    if (event.type !== 'transition.taken' || event.actor !== '') return event
    return { ...event, edges: guess(event.from === '' ? (before.get('') ?? []) : activeStates(event.from), event.event, activeStates(event.to)) }
  }
  const ended = events.flatMap((event) => (event.type === 'child.ended' ? [event.child] : []))
  const changes = [...moved].map(([path, value]): ActorChange => ({ path, name: path === '' ? 'run' : path, drawing: drawing(path), active: activeStates(value) }))
  const gone = ended.map((path): ActorChange => ({ path, name: path, drawing: -1, active: [], gone: true }))
  return plainStep(
    entry,
    events.map((event) => happeningOf(withEdges(event))),
    [...changes.filter(({ path }) => !ended.includes(path)), ...gone],
  )
}
