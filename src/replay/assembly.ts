// Puts a recording together from a run that is folded here and now: imported, redacted or brought up to date. Invariant:
// what it gives could have come from a journal: hashes chain, the row is that of the last entry, content is there.
import { promptsOf, type Agent } from '../agent/index.ts'
import type { EntryBody, RunRow, StartCause } from '../journal/index.ts'
import { promptText } from '../prompt/index.ts'
import { bodyOf, type Commit, type Fold, type StepRequest } from '../run/index.ts'
import { sha256 } from '../schema/index.ts'
import { AskNotes } from './ask-notes.ts'
import { chained, type Content, type Recording } from './recording.ts'

/** What a row says that no entry does. */
export type RowStart = Pick<RunRow, 'id' | 'agent' | 'agentHash' | 'engine' | 'startedAt'> & Partial<Pick<RunRow, 'agentVersion' | 'source' | 'user' | 'route' | 'tenant' | 'session' | 'key'>>

const WHO = ['agentVersion', 'source', 'user', 'route', 'tenant', 'session', 'key'] as const

/** The agent of a run as its first entry names it, and the content that goes with it. */
export const identityOf = (agent: Agent): { readonly agent: StartCause['agent']; readonly prompts: Pick<StartCause, 'prompts'>; readonly contents: ReadonlyMap<string, Content> } => {
  const text = JSON.stringify(agent.definition)
  const definition = sha256(text)
  const prompts = promptsOf(agent)
  const { id, version, hash } = agent
  return {
    agent: { id, hash, definition, ...(version === undefined ? {} : { version }) },
    prompts: prompts.length === 0 ? {} : { prompts: Object.fromEntries(prompts.map((prompt) => [prompt.id, { hash: prompt.hash }])) },
    contents: new Map([[definition, { kind: 'agent', text }], ...prompts.map((prompt) => [prompt.hash, { kind: 'prompt', text: promptText(prompt.document) }] as const)]),
  }
}

/** A recording being put together. */
export class Assembly {
  readonly #notes = new AskNotes()
  readonly #bodies: { readonly at: number; readonly body: EntryBody }[] = []

  request(request: StepRequest): void {
    this.#notes.take(request)
  }

  /** Keeps an entry as it is: one before a migration, which belongs to an agent of that time. */
  keep(at: number, body: EntryBody): void {
    this.#bodies.push({ at, body })
  }

  /** @param change makes the body what is to be kept. */
  commit(commit: Commit, change: (body: EntryBody) => EntryBody = (body) => body): void {
    // A copy through JSON, as a journal would give it back.
    this.#bodies.push({ at: commit.arrival.at, body: JSON.parse(JSON.stringify(change(bodyOf(commit)))) as EntryBody })
  }

  finish(agent: Agent, fold: Fold, start: RowStart, contents: ReadonlyMap<string, Content>, redacted = false): Recording {
    const entries = chained(this.#bodies)
    const last = entries.at(-1)
    if (last === undefined) throw new Error('A run without entries cannot be recorded.')
    const { id, agent: name, engine, startedAt, ...rest } = start
    const who = Object.fromEntries(WHO.flatMap((field) => (rest[field] === undefined ? [] : [[field, rest[field]]])))
    const row: RunRow = { id, agent: name, engine, startedAt, ...who, seq: last.seq, hash: last.hash, ...fold.row(last.at), agentHash: start.agentHash }
    return this.#notes.addTo({ row, entries, asks: new Map(), contents, redacted }, agent)
  }
}
