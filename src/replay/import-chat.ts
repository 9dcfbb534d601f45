// Makes a recording from a chat transcript of any framework, by running an agent that models it: the transcript answers
// for the model, the tools and the user. Invariant: nothing is made up; where the agent wants what the transcript does not
// have next, the import stops and says so.
import type { Agent } from '../agent/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import { fail, type Json } from '../failure/index.ts'
import type { Outcome, StartCause } from '../journal/index.ts'
import type { ModelProvider, ModelReply } from '../model/index.ts'
import { textOf, type Message } from '../prompt/index.ts'
import { actingOf, drive, openFold, performAttempt, type Acting, type Arrival, type Commit, type DurablePort, type Fold, type StepRequest } from '../run/index.ts'
import { toJson, toJsonSchema, validate } from '../schema/index.ts'
import { Assembly, identityOf, type RowStart } from './assembly.ts'
import { contentStore } from './content-store.ts'
import { brief, isObject, type Fields } from './data.ts'
import { chained, type Recording } from './recording.ts'

/** Turns what the user said into an event. */
type ToEvent = (text: string) => { readonly type: string; readonly [field: string]: Json }

/** How a transcript becomes a run. */
export interface ImportOptions {
  /** The run's input. Default: what the user said first, as text or in the only text field of the agent's input. */
  readonly input?: Json
  /** The event for something the user said later. Default: the event that the run waits for, with the text in its only text field. */
  readonly event?: ToEvent
  /** Whom the run is for. Default: nobody. */
  readonly user?: string
  /** Gives the run its id, seed and time. Default: the machine's own. */
  readonly clock?: Clock
}

/** An imported run. */
export interface ImportedRun {
  /** The run that the transcript became. */
  readonly recording: Recording
  /** Where a model was asked something else than the transcript had before its reply, the first few. */
  readonly notes: readonly string[]
}

/** The only text field that a schema must have; undefined when it has none or several. */
const textField = (schema: Fields): string | undefined => {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const texts = Object.entries(properties).filter(([name, property]) => required.includes(name) && isObject(property) && property['type'] === 'string')
  return texts.length === 1 ? texts[0]?.[0] : undefined
}

const inputOf = (agent: Agent, messages: readonly Message[], given: Json | undefined): Json => {
  const said = messages.find(({ role }) => role === 'user')
  const text = said === undefined ? '' : textOf(said.content)
  const field = given === undefined && !validate(agent.input, text).ok ? textField(toJsonSchema(agent.input, 'input')) : undefined
  const input = given ?? (field === undefined ? text : { [field]: text })
  const checked = validate(agent.input, input)
  if (!checked.ok) return fail('invalid_input', `The input ${brief(input)} does not fit agent ${agent.id}. Say what the run begins with: importChat(agent, transcript, { input }).`)
  return toJson(checked.value ?? null) ?? null
}

/** Notes that an import lists. */
const MOST_NOTES = 5

/** Answers a run from a transcript. */
class TranscriptPort implements DurablePort {
  readonly notes: string[] = []
  readonly #messages: readonly Message[]
  readonly #acting: Acting
  readonly #event: ToEvent
  readonly #onCommit: (commit: Commit) => void
  readonly #onRequest: (request: StepRequest) => void
  readonly #requests = new Map<string, StepRequest>()
  #next: number
  #inbox = 0
  readonly #at: number

  constructor(
    messages: readonly Message[],
    options: { readonly at: number; readonly clock: Clock; readonly event: ToEvent; readonly onCommit: (commit: Commit) => void; readonly onRequest: (request: StepRequest) => void },
  ) {
    this.#messages = messages
    this.#next =
      Math.max(
        0,
        messages.findIndex(({ role }) => role === 'user'),
      ) + 1
    this.#at = options.at
    this.#event = options.event
    this.#onCommit = options.onCommit
    this.#onRequest = options.onRequest
    // Whatever provider a model names, the transcript is who answers.
    this.#acting = { ...actingOf({ breaker: false, limiter: false }, options.clock, contentStore(new Map()), []), provider: (id) => this.#provider(id) }
  }

  step(request: StepRequest): void {
    this.#onRequest(request)
    this.#requests.set(`${request.key}.${request.attempt}`, request)
  }

  timer(): void {}

  inbox(n: number): void {
    this.#inbox = n
  }

  drop(key: string): void {
    this.#requests.delete(key)
  }

  async select(mayPark: boolean): Promise<Arrival | undefined> {
    const next = this.#messages[this.#next]
    if (next === undefined) return undefined
    for (const request of this.#requests.values()) {
      const outcome = await this.#answer(request)
      if (outcome !== undefined) return { cause: { type: 'attempt', key: request.key, attempt: request.attempt, outcome }, at: this.#at }
    }
    if (!mayPark || next.role !== 'user') {
      const wants = [...this.#requests.values()].map(({ state, kind, name }) => `${state} asks for ${kind} ${name}`).join(', ') || 'the run waits'
      return fail('invalid_input', `Message ${this.#next} of the transcript is ${next.role}'s, but ${wants}. The agent does not model this conversation there.`, { details: { index: this.#next } })
    }
    this.#next += 1
    return { cause: { type: 'event', n: this.#inbox, event: this.#event(textOf(next.content)) }, at: this.#at }
  }

  async commit(commit: Commit): Promise<void> {
    const { cause } = commit.arrival
    if (cause.type === 'attempt') this.#requests.delete(`${cause.key}.${cause.attempt}`)
    this.#onCommit(commit)
  }

  /** What the transcript says to a request now; undefined when something else comes first there. */
  async #answer(request: StepRequest): Promise<Outcome | undefined> {
    if (request.kind === 'tools' || request.kind === 'tool') return this.#toolResult(request)
    const next = this.#messages[this.#next]
    if (request.call === undefined) return performAttempt(this.#acting, request)
    if (next?.role !== 'assistant') return undefined
    this.#compare(request.call().thread.messages)
    return performAttempt(this.#acting, request)
  }

  #toolResult({ key, name }: StepRequest): Outcome | undefined {
    // The ids of calls are unique within a turn only: some frameworks use them again.
    const turn = this.#messages.findLastIndex((message, index) => index < this.#next && message.role === 'assistant')
    const asked = this.#messages[turn]
    const call = asked?.role === 'assistant' ? asked.calls?.[Number(key.slice(key.lastIndexOf(':') + 1))] : undefined
    const index = this.#messages.findIndex((message, at) => at > turn && message.role === 'tool' && message.callId === call?.id)
    const answer = this.#messages[index]
    if (answer?.role !== 'tool' || call?.name !== name) return undefined
    this.#next = Math.max(this.#next, index + 1)
    return { ok: true, value: textOf(answer.content), durationMs: 0 }
  }

  #compare(asked: readonly Message[]): void {
    const before = this.#messages.slice(0, this.#next)
    const differs = Array.from({ length: Math.max(asked.length, before.length) }, (_, index) => index).find((index) => JSON.stringify(asked[index]) !== JSON.stringify(before[index]))
    if (differs === undefined) return
    const note = `message ${differs}: the agent sends ${brief(asked[differs])}, the transcript has ${brief(before[differs])}`
    if (this.notes.length < MOST_NOTES && !this.notes.includes(note)) this.notes.push(note)
  }

  #provider(id: string): ModelProvider {
    return {
      id,
      call: async ({ model }): Promise<ModelReply> => {
        const message = this.#messages[this.#next]
        if (message?.role !== 'assistant') return fail('invalid_input', `Message ${this.#next} of the transcript is not the model's.`)
        this.#next += 1
        return { message, finish: message.calls === undefined ? 'stop' : 'tool_calls', usage: null, model }
      },
    }
  }
}

/** The event for what the user said, by what the run waits for. */
const eventFor = (agent: Agent, fold: Fold, text: string): ReturnType<ToEvent> => {
  const accepts = [...new Set(fold.waiting().flatMap((waiting) => waiting.accepts))]
  const [type] = accepts
  const schema = type === undefined ? undefined : agent.events[type]
  const field = schema === undefined ? undefined : textField(toJsonSchema(schema, `event ${type}`))
  if (accepts.length !== 1 || type === undefined || field === undefined) {
    return fail('invalid_input', `The user said ${brief(text)}, and the run waits for ${accepts.join(', ') || 'nothing'}, which does not have one text field. Pass the event: importChat(agent, transcript, { event }).`)
  }
  return { type, [field]: text }
}

/**
 * Makes a recording from a transcript.
 * @throws FailureError `invalid_input` where the agent does not model the conversation.
 * @example const { recording } = await importChat(airline, chatMessages(JSON.parse(text)))
 */
export const importChat = async (agent: Agent, messages: readonly Message[], options: ImportOptions = {}): Promise<ImportedRun> => {
  const { clock = systemClock, user } = options
  const at = clock.now()
  const identity = identityOf(agent)
  const start: StartCause = {
    type: 'start',
    agent: identity.agent,
    input: inputOf(agent, messages, options.input),
    ...(user === undefined ? {} : { user }),
    ...identity.prompts,
    seed: Math.floor(clock.random() * 2 ** 32),
    engine: 'embedded',
  }
  const row: RowStart = {
    id: clock.id(),
    agent: agent.id,
    agentHash: agent.hash,
    engine: 'embedded',
    startedAt: at,
    ...(agent.version === undefined ? {} : { agentVersion: agent.version }),
    ...(user === undefined ? {} : { user }),
  }
  const [first] = chained([{ at, body: { v: 1, cause: start, moves: [] } }])
  const { fold } = await openFold(contentStore(identity.contents), agent, row.id, first === undefined ? [] : [{ ...first, text: JSON.stringify(first.body) }])
  const assembly = new Assembly()
  const port = new TranscriptPort(messages, {
    at,
    clock,
    event: options.event ?? ((text) => eventFor(agent, fold, text)),
    onRequest: (request) => assembly.request(request),
    onCommit: (commit) => {
      fold.takeActs()
      assembly.commit(commit)
    },
  })
  await drive(fold, port, () => {}, { cause: start, at })
  return { recording: assembly.finish(agent, fold, row, identity.contents), notes: port.notes }
}
