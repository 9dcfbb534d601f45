// A conversation with a model: an append-only list that is never copied, with a hash that rolls forward so that each
// message is hashed once however long the thread grows.
import { messageTokenBound } from '../cost/index.ts'
import type { Failure } from '../failure/index.ts'
import type { Message, ToolCall } from '../prompt/index.ts'
import { sha256 } from '../schema/index.ts'

/** What became of a pending call before it is performed. */
export interface CallDecision {
  readonly ok: boolean
  /** Arguments a person changed. */
  readonly args?: ToolCall['args']
  readonly reason?: string
}

/** Calls a model asked for and nobody has answered yet. */
export interface PendingCalls {
  /** State that the model call belongs to. */
  readonly state: string
  readonly thread: Thread
  readonly calls: readonly ToolCall[]
  /** Calls that cannot be performed as they are, by call id. */
  readonly problems: ReadonlyMap<string, Failure>
  /** Decisions of a person, by call id. */
  readonly decisions: Map<string, CallDecision>
}

/** What a thread sums up over its first `hashed` messages. */
export interface ThreadSums {
  readonly hash: string
  readonly hashed: number
  readonly bytes: number
  readonly tokenBound: number
}

/** One thread of messages. */
export class Thread {
  readonly id: string
  readonly messages: Message[]
  /** Set when tools have answered: the state goes on with this thread when it is entered next. */
  continues = false
  pending: PendingCalls | undefined
  /** Messages taken over from earlier runs of the session. */
  readonly inherited: number
  #hash = ''
  #hashed = 0
  #bytes = 0
  #tokenBound = 0

  constructor(id: string, messages: readonly Message[] = [], inherited = messages.length) {
    this.id = id
    this.messages = [...messages]
    this.inherited = inherited
  }

  /** The sums so far, so that another thread of the same messages need not make them again. */
  get sums(): ThreadSums {
    return { hash: this.#hash, hashed: this.#hashed, bytes: this.#bytes, tokenBound: this.#tokenBound }
  }

  takeSums({ hash, hashed, bytes, tokenBound }: ThreadSums): void {
    this.#hash = hash
    this.#hashed = hashed
    this.#bytes = bytes
    this.#tokenBound = tokenBound
  }

  push(message: Message): void {
    this.messages.push(message)
  }

  /** Hash over all messages so far. */
  get hash(): string {
    this.#roll()
    return this.#hash
  }

  /** Size of all messages as JSON, bytes of UTF-16 text. */
  get bytes(): number {
    this.#roll()
    return this.#bytes
  }

  /** Most input tokens that all messages can be. */
  get tokenBound(): number {
    this.#roll()
    return this.#tokenBound
  }

  /** Answers every call that has no answer, so that no request carries an open one. */
  answerOpenCalls(answer: (call: ToolCall, decision: CallDecision | undefined) => { readonly content: string; readonly failed: string }): void {
    const pending = this.pending
    this.pending = undefined
    if (pending === undefined) return
    for (const call of pending.calls) {
      const { content, failed } = answer(call, pending.decisions.get(call.id))
      this.push({ role: 'tool', callId: call.id, name: call.name, content, failed })
    }
  }

  #roll(): void {
    for (; this.#hashed < this.messages.length; this.#hashed++) {
      const message = this.messages[this.#hashed] as Message
      const text = JSON.stringify(message)
      this.#hash = sha256(`${this.#hash}\n${text}`)
      this.#bytes += text.length
      this.#tokenBound += messageTokenBound(message)
    }
  }
}
