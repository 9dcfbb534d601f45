// A run as the UI message stream of the AI SDK: text, calls with their results, questions to a person, and the states it
// passes as data. Invariant: every part that is opened is closed before the message ends.
import type { Json } from '../../failure/index.ts'
import { tellableFailure } from '../problem.ts'
import type { EntryBody, Waiting } from '../../journal/index.ts'
import { canonical, toJson } from '../../schema/index.ts'
import type { ServerParts } from '../options.ts'
import type { ChatAgent } from './chat-agent.ts'
import type { Narration, Piece } from './narrate.ts'
import { approvalId, type UiDecision } from './ui-wire.ts'

/** A chunk of the stream. */
export type UiChunk = { readonly type: string; readonly [field: string]: unknown }

/** What the stream of a run is made of. */
export interface UiStreamParts {
  readonly parts: ServerParts
  readonly run: string
  readonly chat: ChatAgent
  readonly narration: Narration
  /** The message that goes on, for the answer to a decision; a new one otherwise. */
  readonly messageId: string
  /** What was decided in the page: calls it already shows. */
  readonly decisions: readonly UiDecision[]
}

const same = (left: unknown, right: unknown): boolean => canonical(toJson(left) ?? null) === canonical(toJson(right) ?? null)

/** What a call gave, as the journal holds it. */
const resultAt = async ({ runtime }: ServerParts, run: string, seq: number): Promise<Json> => {
  const [entry] = await runtime.journal.read(run, seq)
  const cause = entry === undefined ? undefined : (JSON.parse(entry.text) as EntryBody).cause
  return cause?.type === 'attempt' && cause.outcome.ok ? cause.outcome.value : null
}

const questions = (run: string, waiting: readonly Waiting[]): readonly UiChunk[] =>
  waiting.flatMap((wait) => [
    ...(wait.calls ?? []).flatMap(({ hash, id, name, args }) => [
      { type: 'tool-input-available', toolCallId: id, toolName: name, input: args, dynamic: true },
      { type: 'tool-approval-request', toolCallId: id, approvalId: approvalId(run, hash) },
    ]),
    ...(wait.calls === undefined ? [{ type: 'data-waiting', data: wait }] : []),
  ])

/** Turns pieces of a run into chunks, a list for each piece. */
export class UiStream {
  readonly #of: UiStreamParts
  readonly #undecided: UiDecision[]
  /** Which part of the page shows a call. */
  readonly #shownAs = new Map<string, string>()
  #open: string | undefined
  #spoken = { key: '', text: '' }
  #texts = 0
  #begun = false
  #over = false

  constructor(of: UiStreamParts) {
    this.#of = of
    this.#undecided = [...of.decisions]
  }

  /** The next chunks; undefined after the last ones. */
  async next(): Promise<readonly UiChunk[] | undefined> {
    if (!this.#begun) {
      this.#begun = true
      return this.#beginning()
    }
    if (this.#over) return undefined
    const piece = await this.#of.narration.next()
    return piece === undefined ? undefined : this.#chunks(piece)
  }

  #beginning(): readonly UiChunk[] {
    const { run, messageId, decisions } = this.#of
    const denied = decisions.filter(({ approved }) => !approved).map(({ toolCallId }) => ({ type: 'tool-output-denied', toolCallId }))
    return [{ type: 'start', messageId }, { type: 'start-step' }, { type: 'data-run', data: { run } }, ...denied]
  }

  async #chunks(piece: Piece): Promise<readonly UiChunk[]> {
    switch (piece.type) {
      case 'idle':
      case 'failed':
        return []
      case 'state':
        return [{ type: 'data-state', data: { state: piece.state, kind: piece.kind }, transient: true }]
      case 'text':
        return this.#text(piece.key, piece.text)
      case 'discarded':
        if (piece.key !== this.#spoken.key) return []
        this.#spoken = { key: '', text: '' }
        this.#open = undefined
        return [{ type: 'reset-step' }]
      case 'called':
        return [...this.#close(), ...this.#called(piece)]
      case 'returned':
        return [...(await this.#returned(piece)), { type: 'finish-step' }, { type: 'start-step' }]
      case 'waiting':
        this.#over = true
        return [...this.#close(), ...questions(this.#of.run, piece.waiting), { type: 'finish-step' }, { type: 'finish' }]
      case 'ended':
        this.#over = true
        return this.#ended(piece)
    }
  }

  #close(): readonly UiChunk[] {
    const id = this.#open
    this.#open = undefined
    return id === undefined ? [] : [{ type: 'text-end', id }]
  }

  #speak(text: string): readonly UiChunk[] {
    if (text === '') return []
    if (this.#open !== undefined) return [{ type: 'text-delta', id: this.#open, delta: text }]
    const id = `text-${this.#of.run.slice(-12)}-${this.#texts++}`
    this.#open = id
    return [
      { type: 'text-start', id },
      { type: 'text-delta', id, delta: text },
    ]
  }

  #text(key: string, text: string): readonly UiChunk[] {
    const goesOn = key === this.#spoken.key
    this.#spoken = { key, text: (goesOn ? this.#spoken.text : '') + text }
    return [...(goesOn ? [] : this.#close()), ...this.#speak(text)]
  }

  #called({ key, name, args }: Extract<Piece, { readonly type: 'called' }>): readonly UiChunk[] {
    const at = this.#undecided.findIndex((decision) => decision.approved && decision.name === name && same(decision.input, args))
    const [decision] = at < 0 ? [] : this.#undecided.splice(at, 1)
    this.#shownAs.set(key, decision?.toolCallId ?? key)
    return decision === undefined ? [{ type: 'tool-input-available', toolCallId: key, toolName: name, input: args, dynamic: true }] : []
  }

  async #returned({ key, seq, failure }: Extract<Piece, { readonly type: 'returned' }>): Promise<readonly UiChunk[]> {
    const toolCallId = this.#shownAs.get(key)
    if (toolCallId === undefined) return []
    if (failure !== undefined) return [{ type: 'tool-output-error', toolCallId, errorText: tellableFailure(failure).message, dynamic: true }]
    return [{ type: 'tool-output-available', toolCallId, output: await resultAt(this.#of.parts, this.#of.run, seq), dynamic: true }]
  }

  #ended({ outcome }: Extract<Piece, { readonly type: 'ended' }>): readonly UiChunk[] {
    const { run, chat } = this.#of
    const { inputTokens, outputTokens, costUsd } = outcome
    const ending = [{ type: 'finish-step' }, { type: 'finish', messageMetadata: { run, outcome: outcome.outcome, inputTokens, outputTokens, costUsd } }]
    if (outcome.outcome !== 'done') return [...this.#close(), ...('failure' in outcome ? [{ type: 'error', errorText: tellableFailure(outcome.failure).message }] : []), ...ending]
    const said = chat.output(outcome.output as never)
    return [...(said === this.#spoken.text ? [] : [...this.#close(), ...this.#speak(said)]), ...this.#close(), ...ending]
  }
}
