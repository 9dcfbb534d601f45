// A run as a chat tells it: what is said, what is called, and how it ends. Invariant: the last thing told is how the run
// rests, unless the listener left first.
import type { AnyAgent } from '../../agent/index.ts'
import type { Usage } from '../../cost/index.ts'
import { fail, type Failure, type Json } from '../../failure/index.ts'
import type { Waiting } from '../../journal/index.ts'
import type { RunOutcome } from '../../run/index.ts'
import type { Cursor } from '../feed.ts'
import type { ServerParts } from '../options.ts'

/** A piece of a chat. */
export type Piece =
  | { readonly type: 'text'; readonly key: string; readonly text: string }
  /** What was said under the key does not count: the attempt failed and is made again. */
  | { readonly type: 'discarded'; readonly key: string }
  /** What was said under the key came from a call that failed for good. */
  | { readonly type: 'failed'; readonly key: string }
  | { readonly type: 'state'; readonly state: string; readonly kind: string }
  | { readonly type: 'called'; readonly key: string; readonly name: string; readonly args: Json }
  | { readonly type: 'returned'; readonly key: string; readonly seq: number; readonly failure?: Failure }
  | { readonly type: 'idle' }
  | { readonly type: 'waiting'; readonly waiting: readonly Waiting[] }
  /** `usage` is what the whole run was billed, failed attempts included. */
  | { readonly type: 'ended'; readonly outcome: RunOutcome; readonly usage: Usage }

/** A chat as it goes. */
export interface Narration {
  /** The next piece; undefined after the last one. */
  readonly next: () => Promise<Piece | undefined>
  /** Stops listening. */
  readonly close: () => void
}

const HEARTBEAT_MS = 15_000

/** What a run has used that called nobody. */
export const NOTHING_USED: Required<Usage> = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 }

/** The sum of what two calls used. */
export const addUsage = (sum: Usage, more: Usage): Usage => Object.fromEntries((Object.keys(NOTHING_USED) as (keyof Usage)[]).map((kind) => [kind, (sum[kind] ?? 0) + (more[kind] ?? 0)])) as unknown as Usage

/** Listens to a run. @param tokens tells whether the tokens of a state are said. */
export const narrate = async (parts: ServerParts, run: string, agent: AnyAgent, tokens: (state: string) => boolean, from?: Cursor): Promise<Narration> => {
  const { runtime, feeds } = parts
  const reader = await feeds.open(run, agent, from)
  let over = false
  let used: Usage = NOTHING_USED
  const rest = async (piece: Piece): Promise<Piece> => {
    over = true
    reader.close()
    return piece
  }
  const next = async (): Promise<Piece | undefined> => {
    for (;;) {
      if (over) return undefined
      const frame = await reader.next(HEARTBEAT_MS)
      if (frame === 'idle') return { type: 'idle' }
      if (frame === undefined) {
        over = true
        return fail('draining', 'The server let this stream go before the run rested. The run goes on: ask for it by its id.', { retryable: true, details: { run } })
      }
      const { event } = frame
      switch (event.type) {
        case 'token.delta':
          if (tokens(event.state)) return { type: 'text', key: event.key, text: event.text }
          break
        case 'attempt.discarded':
          if (tokens(event.state)) return { type: 'discarded', key: event.key }
          break
        case 'state.entered':
          return { type: 'state', state: event.state, kind: event.kind }
        case 'tool.called':
          return { type: 'called', key: event.key, name: event.name, args: event.args }
        case 'attempt.ended':
          for (const { usage } of event.calls ?? []) used = addUsage(used, usage ?? NOTHING_USED)
          if (event.retryInMs !== undefined) break
          if (event.failure !== undefined && event.kind !== 'tools' && tokens(event.state)) return { type: 'failed', key: event.key }
          if (event.kind !== 'tools') break
          return { type: 'returned', key: event.key, seq: event.seq, ...(event.failure === undefined ? {} : { failure: event.failure }) }
        case 'run.waiting':
          if (event.waiting.some((waiting) => waiting.for !== 'timer')) return rest({ type: 'waiting', waiting: event.waiting })
          break
        case 'run.ended':
          return rest({ type: 'ended', outcome: await runtime.outcome(run), usage: used })
        default:
      }
    }
  }
  return { next, close: reader.close }
}
