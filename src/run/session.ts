// Sessions: an ordered chain of runs that share named threads. What a run leaves behind is kept once, as the messages it
// added and a pointer to what was there before.
import { fail } from '../failure/index.ts'
import type { EntryBody, Journal, RunEnd, StartCause } from '../journal/index.ts'
import type { Message } from '../prompt/index.ts'
import type { Scrubber } from '../trace/index.ts'
import type { Fold } from './fold.ts'
import { scrubbedText } from './secrets.ts'
import { carriedOf } from './usage.ts'

interface ThreadContent {
  readonly previous: string | null
  readonly messages: readonly Message[]
}

/** Messages of a kept thread, oldest first. */
const loadThread = async (journal: Pick<Journal, 'getContent'>, hash: string): Promise<readonly Message[]> => {
  const parts: (readonly Message[])[] = []
  for (let at: string | null = hash; at !== null;) {
    const found: Awaited<ReturnType<Journal['getContent']>> = await journal.getContent(at)
    if (found === undefined) return fail('journal_corrupt', `The journal has no content ${at}, which a session's thread needs.`)
    const content = JSON.parse(found.text) as ThreadContent
    parts.push(content.messages)
    at = content.previous
  }
  return parts.toReversed().flat()
}

/** Threads that a run inherits. */
export const loadThreads = async (journal: Pick<Journal, 'getContent'>, cause: StartCause): Promise<ReadonlyMap<string, readonly Message[]>> => {
  const threads = new Map<string, readonly Message[]>()
  for (const [name, hash] of Object.entries(cause.threads ?? {})) threads.set(name, await loadThread(journal, hash))
  return threads
}

/** What the last ended run of a session left. */
export const sessionBefore = async (journal: Journal, session: string, agent: string): Promise<RunEnd['session']> => {
  const [last] = await journal.list({ session, agent, status: ['done', 'failed', 'limited', 'cancelled'], limit: 1 })
  if (last === undefined) return undefined
  const entries = await journal.read(last.id, last.seq)
  const end = entries.at(-1)
  return end === undefined ? undefined : (JSON.parse(end.text) as EntryBody).end?.session
}

/** Keeps what a run adds to its session's named threads; to be put into its end. */
export const keepSession = async (journal: Journal, fold: Fold, start: StartCause, scrub: Scrubber): Promise<NonNullable<RunEnd['session']>> => {
  const threads: { [name: string]: string } = { ...start.threads }
  for (const [name, thread] of fold.root.threads) {
    const messages = fold.namedThreads.has(name) ? thread.messages.slice(thread.inherited) : []
    if (messages.length === 0) continue
    const content: ThreadContent = { previous: start.threads?.[name] ?? null, messages }
    threads[name] = await journal.putContent('thread', scrubbedText(JSON.stringify(content), scrub))
  }
  return { threads, carried: carriedOf(fold.root.used, fold.carried) }
}
