// An XState machine that reports through the official inspector's protocol, as a feed. Invariant: what is kept is bounded,
// and a frame that is not understood is dropped, never trusted.
import { graphOf, sketchMachine, type Graph } from '../../agent/index.ts'
import type { StateValue } from '../../journal/index.ts'
import type { Drawing } from '../page/drawing.ts'
import type { ActorChange, Happening, Json, RunSummary, Step } from '../page/wire.ts'
import { activeStates, showValue } from './active.ts'
import { clip } from './clip.ts'
import { Drawings } from './drawings.ts'
import type { Feed } from './feed.ts'
import { guessEdges } from './guess.ts'

/** A frame of the official protocol, version 0.7, as far as it is used. */
export interface Frame {
  readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot'
  readonly sessionId: string
  readonly rootId: string
  /** Milliseconds UTC, as text. */
  readonly createdAt: string
  readonly name?: string
  readonly parentId?: string
  readonly definition?: string
  readonly sourceId?: string
  readonly event?: { readonly type: string; readonly [field: string]: unknown }
  readonly snapshot?: { readonly status?: string; readonly value?: unknown; readonly context?: unknown; readonly output?: unknown; readonly error?: unknown }
}

/** Steps that are kept, and how many are let go at once. */
const MOST_STEPS = 5_000
const LET_GO = 1_000

interface Reporter {
  readonly name: string
  graph?: Graph
  drawing: number
  active: readonly string[]
  context: { readonly [field: string]: Json }
}

const isObject = (value: unknown): value is { readonly [field: string]: unknown } => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A frame, when the text is one. */
export const readFrame = (text: string): Frame | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const known = isObject(value) && ['@xstate.actor', '@xstate.event', '@xstate.snapshot'].includes(String(value['type'])) && typeof value['sessionId'] === 'string'
  if (!known) return undefined
  const { event, snapshot, definition, rootId, ...rest } = value as { readonly [field: string]: unknown }
  const typed = isObject(event) && typeof event['type'] === 'string'
  return {
    ...rest,
    rootId: typeof rootId === 'string' ? rootId : String(rest['sessionId']),
    ...(typed ? { event } : {}),
    ...(isObject(snapshot) ? { snapshot } : {}),
    ...(typeof definition === 'string' ? { definition } : {}),
  } as unknown as Frame
}

const STATUS: { readonly [status: string]: RunSummary['status'] } = { active: 'running', done: 'done', error: 'failed', stopped: 'cancelled' }

/** A reported machine as a feed. */
export class ReportedFeed implements Feed {
  run: RunSummary
  readonly notes: string[] = []
  readonly steps: Step[] = []
  first = 0
  readonly ended = false
  readonly #root: string
  readonly #drawings = new Drawings()
  readonly #reporters = new Map<string, Reporter>()
  #work: Promise<void> = Promise.resolve()

  constructor(id: string, root: string, now: number) {
    this.#root = root
    this.run = { id, from: 'xstate', agent: root, status: 'running', startedAt: now, updatedAt: now, state: '', steps: 0, modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costUsd: null }
  }

  get drawings(): readonly Drawing[] {
    return this.#drawings.list
  }

  refresh(): Promise<void> {
    return this.#work
  }

  /** Takes a frame in. Frames keep their order although a layout takes time. */
  take(frame: Frame, now: number): void {
    this.#work = this.#work.then(() => this.#add(frame, now))
  }

  async #add(frame: Frame, now: number): Promise<void> {
    const path = frame.sessionId === this.#root ? '' : `/${frame.sessionId}`
    const at = Number(frame.createdAt) || now
    const happenings: Happening[] = []
    let change: ActorChange | undefined
    if (frame.type === '@xstate.actor') change = await this.#appear(frame, path, happenings)
    else if (frame.type === '@xstate.event') happenings.push({ type: 'event.sent', actor: path, event: clip(frame.event ?? null), ...(frame.sourceId === undefined ? {} : { source: frame.sourceId }) })
    else change = this.#move(frame, path, happenings)
    this.#push({ seq: this.first + this.steps.length, at, cause: this.#cause(frame), happenings, changes: change === undefined ? [] : [change] })
    const root = this.#reporters.get('')
    const status = path === '' && frame.snapshot?.status !== undefined ? (STATUS[frame.snapshot.status] ?? this.run.status) : this.run.status
    this.run = {
      ...this.run,
      status,
      updatedAt: at,
      steps: this.first + this.steps.length,
      ...(root === undefined ? {} : { agent: root.name, state: path === '' && frame.snapshot !== undefined ? showValue(frame.snapshot.value) : this.run.state }),
    }
  }

  #cause({ type, name, event, sessionId }: Frame): string {
    return type === '@xstate.actor' ? `actor ${name ?? sessionId}` : `${type === '@xstate.event' ? 'event' : 'after'} ${event?.type ?? ''}`
  }

  async #appear({ name, sessionId, definition, snapshot }: Frame, path: string, happenings: Happening[]): Promise<ActorChange> {
    const reporter: Reporter = { name: name ?? sessionId, drawing: -1, active: [], context: {} }
    this.#reporters.set(path, reporter)
    if (definition !== undefined) {
      try {
        const config: unknown = JSON.parse(definition)
        // Promises and the like have a definition too, without states.
        const machine = isObject(config) && isObject(config['states']) ? sketchMachine(config) : undefined
        if (machine !== undefined) reporter.graph = graphOf(machine)
        if (machine !== undefined) reporter.drawing = await this.#drawings.place(machine)
      } catch (thrown) {
        this.notes.push(
          `The definition of ${reporter.name} cannot be drawn: ${thrown instanceof Error ? thrown.message : String(thrown)}. Pass serializationDepthLimit: 60 to the official inspector, whose default of 10 cuts nested machines off.`,
        )
      }
    }
    happenings.push({ type: 'actor.started', actor: path, name: reporter.name })
    return this.#change(path, reporter, snapshot)
  }

  #move({ event, snapshot }: Frame, path: string, happenings: Happening[]): ActorChange | undefined {
    const reporter = this.#reporters.get(path)
    if (reporter === undefined) return undefined
    const before = reporter.active
    const change = this.#change(path, reporter, snapshot)
    const type = event?.type ?? ''
    const taken = reporter.graph === undefined ? [] : guessEdges(reporter.graph, before, type, reporter.active)
    for (const state of before) if (!reporter.active.includes(state)) happenings.push({ type: 'state.left', actor: path, state, kind: '' })
    happenings.push({ type: 'transition.taken', actor: path, event: type, from: before.at(-1) ?? '', to: clip(snapshot?.value ?? null), edges: taken })
    for (const state of reporter.active) if (!before.includes(state)) happenings.push({ type: 'state.entered', actor: path, state, kind: '' })
    return change
  }

  #change(path: string, reporter: Reporter, snapshot: Frame['snapshot']): ActorChange {
    const context = isObject(snapshot?.context) ? (clip(snapshot.context) as Reporter['context']) : {}
    const before = reporter.context
    const set = Object.fromEntries(Object.entries(context).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field])))
    const unset = Object.keys(before).filter((field) => !Object.hasOwn(context, field))
    reporter.context = context
    reporter.active = snapshot?.value === undefined ? [] : activeStates(snapshot.value as StateValue)
    const gone = path !== '' && snapshot?.status !== undefined && snapshot.status !== 'active'
    return { path, name: reporter.name, drawing: reporter.drawing, active: reporter.active, set, ...(unset.length === 0 ? {} : { unset }), ...(gone ? { gone: true } : {}) }
  }

  /** Adds a step; lets old ones go, and makes the first that stays tell where every machine stood. */
  #push(step: Step): void {
    this.steps.push(step)
    if (this.steps.length <= MOST_STEPS) return
    const standing = new Map<string, ActorChange>()
    for (const { changes } of this.steps.slice(0, LET_GO + 1)) {
      for (const change of changes) {
        const before = standing.get(change.path)
        const set = Object.fromEntries(Object.entries({ ...before?.set, ...change.set }).filter(([field]) => change.unset?.includes(field) !== true))
        standing.set(change.path, { ...change, set })
      }
    }
    const [first] = this.steps.splice(0, LET_GO + 1)
    if (first === undefined) return
    this.first += LET_GO
    const last = this.first
    this.steps.unshift({ ...first, seq: last, cause: 'where everything stood', happenings: [], changes: [...standing.values()] })
  }
}
