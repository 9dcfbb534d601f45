// A run as the page holds it: its steps, and where everything stood after any of them. Invariant: `at(n)` depends on steps
// up to n only, and costs the same wherever n is, so that scrubbing a long run stays smooth.
import type { Drawing } from './drawing.ts'
import type { ActorChange, Call, Happening, Json, LiveCall, RunSummary, ShownMessage, Step, StreamMessage } from './wire.ts'

/** A machine after a step. */
export interface Standing {
  readonly path: string
  readonly name: string
  readonly drawing: number
  readonly active: readonly string[]
  readonly context: { readonly [field: string]: Json }
  /** Messages so far, by thread id. */
  readonly threads: ReadonlyMap<string, { readonly name: string; readonly length: number }>
}

/** Everything used up to a step. */
export interface Spent {
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number
  /** True when a price was unknown. */
  readonly unknown: boolean
}

/** A stay in a state, for the timeline. */
export interface Stay {
  readonly lane: string
  readonly state: string
  readonly kind: string
  readonly from: number
  /** undefined while it lasts. */
  to: number | undefined
  /** Step in which it began. */
  readonly step: number
  /** True when it ended, or may end, by a failure. */
  failed: boolean
  /** True when an attempt failed that was tried again. */
  retried: boolean
}

/** Steps between two kept standings. */
const KEEP_EVERY = 64

type Standings = ReadonlyMap<string, Standing>

const NOTHING: Spent = { calls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0, unknown: false }

const spend = (spent: Spent, calls: readonly Call[]): Spent =>
  calls.reduce(
    (sum, call) => ({
      calls: sum.calls + 1,
      inputTokens: sum.inputTokens + call.inputTokens,
      outputTokens: sum.outputTokens + call.outputTokens,
      costUsd: sum.costUsd + (call.costUsd ?? 0),
      unknown: sum.unknown || call.costUsd === null,
    }),
    spent,
  )

const change = (before: Standing | undefined, { path, name, drawing, active, set = {}, unset = [], added = [] }: ActorChange): Standing => {
  const context = { ...before?.context, ...set }
  for (const field of unset) delete context[field]
  const threads = new Map(before?.threads)
  for (const { id, thread, messages } of added) threads.set(id, { name: thread, length: (threads.get(id)?.length ?? 0) + messages.length })
  return { path, name, drawing, active, context, threads }
}

const apply = (before: Standings, { changes }: Step): Standings => {
  if (changes.length === 0) return before
  const after = new Map(before)
  for (const one of changes) {
    if (one.gone === true) after.delete(one.path)
    else after.set(one.path, change(before.get(one.path), one))
  }
  return after
}

/** A run and its steps. */
export class RunModel {
  run: RunSummary | undefined
  notes: readonly string[] = []
  ended = false
  /** What models are writing at this moment. */
  live: readonly LiveCall[] = []
  /** Number of the first step that is kept. */
  first = 0
  readonly drawings: Drawing[] = []
  readonly steps: Step[] = []
  readonly stays: Stay[] = []
  readonly failures: { readonly step: number; readonly actor: string; readonly state: string; readonly code: string; readonly message: string; readonly retried: boolean }[] = []
  readonly #messages = new Map<string, ShownMessage[]>()
  readonly #kept: Standings[] = [new Map()]
  readonly #spent: Spent[] = []
  readonly #open = new Map<string, Stay>()

  /** Takes a message of the stream in. */
  take(message: StreamMessage): void {
    switch (message.type) {
      case 'head':
        this.run = message.run
        this.notes = message.notes
        return
      case 'drawing':
        this.drawings[message.index] = message.drawing
        return
      case 'gap':
        this.#forget(message.first)
        return
      case 'steps':
        for (const step of message.steps) this.#add(step)
        return
      case 'live':
        this.live = message.calls
        return
      case 'end':
        this.ended = true
        this.live = []
    }
  }

  get length(): number {
    return this.steps.length
  }

  /** Where every machine stood after the step at that position. */
  at(position: number): Standings {
    const from = Math.floor((position + 1) / KEEP_EVERY)
    let standing: Standings = this.#kept[from] ?? new Map()
    for (let index = from * KEEP_EVERY; index <= position; index++) {
      const step = this.steps[index]
      if (step !== undefined) standing = apply(standing, step)
    }
    return standing
  }

  spentAt(position: number): Spent {
    return this.#spent[position] ?? NOTHING
  }

  /** Messages of a machine's thread. */
  messages(actor: string, thread: string): readonly ShownMessage[] {
    return this.#messages.get(`${actor} ${thread}`) ?? []
  }

  /** States of a machine that failed up to a step, and were not tried again. */
  failedBy(position: number, actor: string): ReadonlySet<string> {
    return new Set(this.failures.flatMap((failure) => (failure.step <= position && failure.actor === actor && !failure.retried ? [failure.state] : [])))
  }

  /** What happened up to a step, newest first; ends when `visit` returns false. */
  backwards(position: number, visit: (happening: Happening, step: Step) => boolean): void {
    for (let index = position; index >= 0; index--) {
      const step = this.steps[index]
      for (const happening of step?.happenings.toReversed() ?? []) if (step !== undefined && !visit(happening, step)) return
    }
  }

  #forget(first: number): void {
    this.first = first
    for (const list of [this.steps, this.stays, this.failures, this.#spent] as unknown[][]) list.length = 0
    this.#kept.length = 1
    this.#open.clear()
    this.#messages.clear()
  }

  #add(step: Step): void {
    if (step.seq !== this.first + this.steps.length) return
    this.steps.push(step)
    const position = this.steps.length - 1
    this.#spent.push(spend(this.spentAt(position - 1), step.calls ?? []))
    if ((position + 1) % KEEP_EVERY === 0) this.#kept.push(this.#standingAfter(position))
    for (const { path, added = [] } of step.changes) {
      for (const { id, messages } of added) {
        const key = `${path} ${id}`
        const list = this.#messages.get(key) ?? []
        this.#messages.set(key, list)
        list.push(...messages)
      }
    }
    for (const happening of step.happenings) this.#happening(happening, step, position)
    for (const { path, gone } of step.changes) if (gone === true) this.#close(path, step.at)
  }

  /** Ends the stays of a machine that is gone. */
  #close(actor: string, at: number): void {
    for (const [key, stay] of this.#open) {
      if (!key.startsWith(`${actor} `)) continue
      stay.to = at
      this.#open.delete(key)
    }
  }

  #standingAfter(position: number): Standings {
    let standing = this.#kept.at(-1) ?? new Map<string, Standing>()
    for (const step of this.steps.slice(position + 1 - KEEP_EVERY, position + 1)) standing = apply(standing, step)
    return standing
  }

  #happening(happening: Happening, { at, happenings }: Step, step: number): void {
    const { type, actor } = happening
    const state = String(happening['state'] ?? '')
    const key = `${actor} ${state}`
    if (type === 'state.entered') {
      const stay: Stay = { lane: this.#lane(actor, state), state, kind: String(happening['kind'] ?? ''), from: at, to: undefined, step, failed: false, retried: false }
      this.#open.set(key, stay)
      this.stays.push(stay)
    } else if (type === 'state.left') {
      const stay = this.#open.get(key)
      if (stay !== undefined) stay.to = at
      this.#open.delete(key)
    } else if (type === 'failure.raised' || (type === 'attempt.ended' && happening['failure'] !== undefined))
      this.#failure(happening, step, key, state, happening['retryInMs'] !== undefined || happenings.some((one) => one.type === 'attempt.discarded' && one['key'] === happening['key']))
    else if (type === 'run.ended') for (const stay of this.#open.values()) stay.to = at
  }

  #failure(happening: Happening, step: number, key: string, state: string, retried: boolean): void {
    const failure = happening['failure']
    if (typeof failure !== 'object' || failure === null || !('code' in failure)) return
    const { code, message } = failure as { readonly code: string; readonly message?: string }
    const stay = this.#open.get(key)
    if (stay !== undefined) stay[retried ? 'retried' : 'failed'] = true
    const before = this.failures.at(-1)
    // A failure that ends an attempt and then moves the machine is told twice; it is one failure.
    if (before?.step === step && before.state === state && before.code === code) return
    this.failures.push({ step, actor: happening.actor, state, code, message: message ?? '', retried })
  }

  /** One lane for each machine, and for each region of a parallel state. */
  #lane(actor: string, state: string): string {
    const drawing = this.drawings[this.steps.at(-1)?.changes.find(({ path }) => path === actor)?.drawing ?? -1]
    const region = drawing?.states.findLast((one) => one.region && (state === one.path || state.startsWith(`${one.path}.`)))
    return region === undefined ? actor : `${actor} ${region.path}`
  }
}
