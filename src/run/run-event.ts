// What a run tells those who watch it. Events of committed steps come after the commit; deltas come as they happen.
import type { Failure, Json } from '../failure/index.ts'
import type { Usage } from '../cost/index.ts'
import type { CallRecord, RunEnd, StateValue, Waiting } from '../journal/index.ts'
import type { BudgetNotice } from './call/budget-notice.ts'

/** Fields that every event has. */
interface Common {
  /** Id of the run. */
  readonly run: string
  /** Milliseconds UTC. */
  readonly at: number
  /** Journal entry the event belongs to; for deltas the last one before them. */
  readonly seq: number
  /** Position among the events of its entry, from 0. Absent from what no entry holds: `token.delta` and `run.resumed`. */
  readonly index?: number
  /** Actor path: empty for the run's own machine. */
  readonly actor: string
}

/** One event of a run. */
export type RunEvent = Common & RunEventBody
/** What differs between events. */
export type RunEventBody =
  | { readonly type: 'run.started'; readonly agent: string; readonly input: Json }
  | {
      readonly type: 'run.resumed'
      /** The entry of the snapshot that it goes on from, so that only later ones were folded again. */
      readonly from?: number
      /** Why a snapshot that there is was of no use, so that all entries were folded again. */
      readonly unusable?: string
    }
  | { readonly type: 'state.entered'; readonly state: string; readonly kind: string }
  | { readonly type: 'state.left'; readonly state: string; readonly kind: string }
  /** A state started a child machine; its own events carry `child` as their actor. */
  | { readonly type: 'child.started'; readonly child: string; readonly state: string; readonly agent: string }
  | { readonly type: 'child.ended'; readonly child: string; readonly outcome: 'done' | 'failed' | 'limited'; readonly failure?: Failure }
  | {
      readonly type: 'transition.taken'
      readonly event: string
      readonly from: StateValue
      readonly to: StateValue
      readonly failed?: string
      /** Edges of the machine's graph, by id. */ readonly edges: readonly string[]
    }
  | {
      readonly type: 'effect.started'
      readonly key: string
      readonly state: string
      readonly kind: string
      readonly name: string
      readonly attempt: number
      readonly args?: Json
    }
  | { readonly type: 'token.delta'; readonly key: string; readonly state: string; readonly text: string }
  /** What a streamed structured output holds so far: neither complete nor validated. */
  | { readonly type: 'output.partial'; readonly key: string; readonly state: string; readonly value: Json }
  | { readonly type: 'attempt.discarded'; readonly key: string; readonly state: string; readonly attempt: number }
  | {
      readonly type: 'attempt.ended'
      readonly key: string
      readonly state: string
      readonly kind: string
      readonly name: string
      readonly attempt: number
      readonly durationMs: number
      readonly usage?: Usage
      /** Every billed call of the attempt, those made inside a tool included: tokens of each kind, models, price and its source. */
      readonly calls?: readonly CallRecord[]
      /** null when a price is unknown. */
      readonly costUsd?: number | null
      readonly failure?: Failure
      /** Set when another attempt follows. */
      readonly retryInMs?: number
      /** Id of the prompt; for a function the place it stands in. */
      readonly prompt?: string
      readonly promptHash?: string
      readonly stepHash?: string
      readonly requestHash?: string
      /** Set when the answer came from the cache, or from an equal call under way. `savedUsd` is null when a price was unknown. */
      readonly cached?: { readonly ageMs: number; readonly savedUsd: number | null; readonly stale?: true }
      /** What the way in to the provider decided. */
      readonly gate?: { readonly waitedMs?: number; readonly probe?: true }
    }
  | {
      readonly type: 'breaker.changed'
      readonly key: string
      readonly state: string
      /** Provider, model and address. */
      readonly circuit: string
      readonly to: 'closed' | 'open' | 'half_open'
      readonly openedBy?: string
      /** When the next probe may start, milliseconds UTC. */
      readonly retryAtMs?: number
    }
  /** Spending came near a limit, or reached it and a call was refused; told once for each limit and window, by whichever run met it. */
  | ({ readonly type: 'budget.warned' | 'budget.reached' } & BudgetNotice)
  | { readonly type: 'tool.called'; readonly key: string; readonly state: string; readonly name: string; readonly args: Json }
  | { readonly type: 'failure.raised'; readonly state: string; readonly failure: Failure }
  | { readonly type: 'machine.emitted'; readonly event: { readonly type: string } }
  | { readonly type: 'run.waiting'; readonly waiting: readonly Waiting[] }
  | ({ readonly type: 'run.ended' } & RunEnd)
