// The journal's contract. Memory, SQLite and later stores implement it; one contract suite judges them all.
// Invariant: what `create` and `append` have resolved for is never lost, and only the holder of a lease appends.
import type { BudgetStore, LedgerStore, Settlement } from '../cost/index.ts'
import type { Json } from '../failure/index.ts'
import type { CacheStore } from '../policy/index.ts'
import type { StoredEntry } from './entry.ts'

/** Where a run stands. `queued` waits for its session; `waiting` waits for the world. */
export type RunStatus = 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'limited' | 'cancelled'

const ENDED: ReadonlySet<RunStatus> = new Set(['done', 'failed', 'limited', 'cancelled'])
/** Tells whether a run with this status has ended. A run that has not ended holds its session. */
export const isEnded = (status: RunStatus): boolean => ENDED.has(status)

/** What a waiting run waits for. */
export interface Waiting {
  /** What it waits for: an event, a decision about calls, a time, or a person who knows whether an effect happened. */
  readonly for: 'event' | 'approval' | 'timer' | 'in_doubt'
  /** State path. */
  readonly state: string
  /** What the author shows to the person. */
  readonly show?: Json
  /** Event types that are accepted now. */
  readonly accepts: readonly string[]
  /** Approvals: the calls to decide, each with the hash to send back. */
  readonly calls?: readonly { readonly hash: string; readonly id: string; readonly name: string; readonly args: Json; readonly effect: string }[]
  /** Effects in doubt: their keys. */
  readonly keys?: readonly string[]
  /** When it expires, milliseconds UTC. */
  readonly dueAt?: number
}

/** A run as lists show it: a projection of its entries, written in the same transaction. */
export interface RunRow {
  /** The run's id, a UUIDv7. */
  readonly id: string
  /** Id of its agent. */
  readonly agent: string
  /** The agent's version, where it has one. */
  readonly agentVersion?: string
  /** Hash of the agent's structure, which a resumed run must fold with. */
  readonly agentHash: string
  /** File or name the agent was loaded from, so that a command can resume it. */
  readonly source?: string
  /** Who drives it: `embedded`, or `restate`. */
  readonly engine: string
  /** Whom it is for. */
  readonly user?: string
  /** The part of the product that asked. */
  readonly route?: string
  /** The customer it belongs to. */
  readonly tenant?: string
  /** The session it is part of. */
  readonly session?: string
  /** The caller's key: starting again with it gives this run. */
  readonly key?: string
  /** Where it stands. */
  readonly status: RunStatus
  /** Among queued runs, higher ones are taken first; default 0. */
  readonly priority?: number
  /** Milliseconds UTC. */
  readonly startedAt: number
  /** Time of its last entry, milliseconds UTC. */
  readonly updatedAt: number
  /** Last entry and its chain hash: the head that witnesses the run's length. */
  readonly seq: number
  /** Chain hash of the last entry, 64 hexadecimal digits. */
  readonly hash: string
  /** Where the run's own machine stands. */
  readonly state: Json
  /** What it waits for, when its status is `waiting`. */
  readonly waiting?: readonly Waiting[]
  /** Earliest timer, milliseconds UTC. */
  readonly dueAt?: number
  /** How many items of its inbox the run has taken. */
  readonly taken: number
  /** Attempts of model calls. */
  readonly modelCalls: number
  /** Tool calls. */
  readonly toolCalls: number
  /** Input tokens of all model calls. */
  readonly inputTokens: number
  /** Output tokens of all model calls. */
  readonly outputTokens: number
  /** Known cost so far, nano-dollars. */
  readonly costNano: number
  /** True when at least one call had no known price. */
  readonly costUnknown: boolean
  /** What it gave, once it has ended. */
  readonly output?: Json
  /** The code of the failure that ended it. */
  readonly failureCode?: string
  /** True when a bug ended it. */
  readonly defect?: boolean
}

/**
 * What changes in a row with each entry. `waiting`, `dueAt`, `output`, `failureCode` and `defect` are those of this entry:
 * absent means none. `agentHash` and `agentVersion`, when either is given, replace both; else they stay.
 */
export type RowUpdate = Pick<RunRow, 'status' | 'updatedAt' | 'state' | 'taken' | 'modelCalls' | 'toolCalls' | 'inputTokens' | 'outputTokens' | 'costNano' | 'costUnknown'> &
  Partial<Pick<RunRow, 'waiting' | 'dueAt' | 'output' | 'failureCode' | 'defect' | 'agentHash' | 'agentVersion'>>

/** The right to append to one run. A later epoch fences all earlier ones. */
export interface Lease {
  /** The run's id. */
  readonly run: string
  /** Who holds it: the name that a process gave itself. */
  readonly owner: string
  /** Counts who held it before; grows by one with each. */
  readonly epoch: number
  /** Milliseconds UTC. */
  readonly expiresAt: number
}

/** Which runs to list; fields are combined with "and". */
export interface RunFilter {
  /** Runs with one of these statuses. */
  readonly status?: readonly RunStatus[]
  /** Id of the agent. */
  readonly agent?: string
  /** Whom they are for. */
  readonly user?: string
  /** The part of the product that asked. */
  readonly route?: string
  /** The customer they belong to. */
  readonly tenant?: string
  /** The session they are part of. */
  readonly session?: string
  /** The caller's key. */
  readonly key?: string
  /** Started at or after, milliseconds UTC. */
  readonly since?: number
  /** Started before, milliseconds UTC. */
  readonly before?: number
  /** Newest first; default 100. */
  readonly limit?: number
}

/** How much a journal holds. */
export interface JournalSizes {
  readonly runs: number
  readonly entries: number
  /** Text of all entries, bytes of UTF-8. */
  readonly entryBytes: number
  /** Pieces of content: prompts, threads, blobs. */
  readonly contents: number
  readonly contentBytes: number
}

/** Which runs a worker can take up. */
export interface ClaimQuery {
  /** Runs of other engines are left alone. */
  readonly engine: string
  /** Agents the worker has, each with the hashes it can go on from; without hashes, from any. Default: every agent. */
  readonly agents?: readonly { readonly id: string; readonly hashes?: readonly string[] }[]
  readonly limit: number
  /** Only runs that could go on for one of these reasons. Default: all. */
  readonly only?: readonly ClaimReason[]
}

/** Why a run could go on: it was at work, its timer is due, it has an event it has not taken, or it is queued. */
export type ClaimReason = 'work' | 'timer' | 'event' | 'queue'

/** What a worker can take up now. */
export interface Claimable {
  /**
   * Runs whose lease is free and that could go on: first those that were at work, then those with a timer that is due, then
   * those with an outside event that they have not taken, then queued ones. Queued runs come by priority, and within one
   * priority users take turns, those with fewer runs at work first.
   */
  readonly runs: readonly RunRow[]
  /** The earliest timer of a waiting run that is not due yet, milliseconds UTC. */
  readonly nextDueAt?: number
}

/** An outside event on its way into a run. */
export interface InboxItem {
  /** Position in the run's inbox, from 0. */
  readonly n: number
  readonly at: number
  readonly event: { readonly type: string; readonly [field: string]: Json }
  readonly by?: string
}

/** What a snapshot is for: `standing` lets a run that waits be migrated, `fold` saves folding the entries before it again. */
export type SnapshotKind = 'standing' | 'fold'

/** A run at some entry: a cache to go on from, checked by hash. */
export interface StoredSnapshot {
  readonly seq: number
  /** Chain hash of that entry. */
  readonly hash: string
  readonly text: string
}

/**
 * Where runs are remembered.
 * All methods reject with FailureError: `journal_unavailable` (cannot read or write), `journal_corrupt`,
 * `journal_rolled_back`, and what each names.
 */
export interface Journal {
  /** What it is, for people: `memory`, `sqlite`, `postgres`. */
  readonly name: string
  /**
   * Adds a run with its first entry and gives its lease.
   * When `row.key` is already taken (same agent and tenant), nothing is written and the existing row is returned.
   * When `row.session` has a run that has not ended (same tenant), nothing is written: rejects with `session_busy`.
   * The head is taken from `entry`, which is number 0.
   * @throws FailureError `session_busy`, `invalid_input` for a name with NUL or a lone surrogate.
   */
  create(row: RunRow, entry: StoredEntry, owner: string, leaseMs: number): Promise<{ readonly created: true; readonly lease: Lease } | { readonly created: false; readonly row: RunRow }>
  /**
   * Appends one entry and updates the row, atomically and durably.
   * The entry that is already the head, appended again, changes nothing: so an append that failed with
   * `journal_unavailable`, whose outcome is unknown, may be tried again.
   * @param settlement what the entry settles: added to the ledger and counted against budgets in the same transaction.
   * @throws FailureError `lease_lost` when the lease was taken over or given back, `run_not_found`; nothing is written then.
   */
  append(lease: Lease, entry: StoredEntry, update: RowUpdate, settlement?: Settlement): Promise<void>
  /**
   * Entries from `from` (default 0), in order, chain verified against the row's head.
   * @throws FailureError `run_not_found`, `journal_corrupt`, `journal_rolled_back`.
   */
  read(run: string, from?: number): Promise<readonly StoredEntry[]>
  /** One row. Undefined when there is none. */
  get(run: string): Promise<RunRow | undefined>
  /** Runs that match, newest first. */
  list(filter?: RunFilter): Promise<readonly RunRow[]>
  /** Runs that could be taken up now. Nothing is taken: `acquire` decides. */
  claimable(query: ClaimQuery): Promise<Claimable>
  /** Takes the lease of a run that nobody holds, or whose lease has expired; a lease is not shared, not even by its owner. @throws FailureError `lease_held`, `run_not_found`. */
  acquire(run: string, owner: string, leaseMs: number): Promise<Lease>
  /** Prolongs a lease. @throws FailureError `lease_lost`. */
  renew(lease: Lease, leaseMs: number): Promise<Lease>
  /** Gives a lease back; does nothing when it is no longer held. */
  release(lease: Lease): Promise<void>
  /** Adds an outside event; any process may. @returns its position. @throws FailureError `run_not_found`, `run_ended`. */
  post(run: string, event: InboxItem['event'], by?: string): Promise<number>
  /** Inbox from position `from`, in order. @throws FailureError `run_not_found`, `journal_corrupt`. */
  inbox(run: string, from: number): Promise<readonly InboxItem[]>
  /**
   * Calls `notify`, which must not throw, after something was posted to the run through this journal; other processes
   * are seen by polling. @returns stops watching.
   */
  watch(run: string, notify: () => void): () => void
  /**
   * Keeps content under the SHA-256 of its UTF-8; keeping it twice does nothing. Content is written before entries
   * appended after it in the same turn, so that both can be awaited together. Lone surrogates, which UTF-8 lacks, become U+FFFD.
   */
  putContent(kind: string, text: string): Promise<string>
  /** Content by its hash; undefined when there is none. */
  getContent(hash: string): Promise<{ readonly kind: string; readonly text: string } | undefined>
  /** Hashes of all content that was kept as this kind, oldest first. */
  listContent(kind: string): Promise<readonly string[]>
  /** Keeps the newest snapshot of a run, one of each kind. @throws FailureError `run_not_found`. */
  putSnapshot(run: string, snapshot: StoredSnapshot, kind: SnapshotKind): Promise<void>
  /** The newest snapshot of a kind; `damaged` when it is not as it was put, undefined when there is none or it is of other entries than the run's. */
  getSnapshot(run: string, kind: SnapshotKind): Promise<StoredSnapshot | 'damaged' | undefined>
  /** Where responses are cached beyond this process; absent where the journal forgets with it anyway. */
  readonly cache?: CacheStore
  /**
   * Adds charges to the ledger and budgets that no entry settles: those of an attempt that its run had left. Absent where the
   * journal keeps no ledger.
   * @throws FailureError `journal_unavailable`.
   */
  settle?(run: string, settlement: Settlement): Promise<void>
  /** What was spent; absent where the journal keeps no ledger. */
  readonly ledger?: LedgerStore
  /** Limits on spending, and what is held against them; absent where the journal cannot keep them. */
  readonly budgets?: BudgetStore
  /** Counts what the journal holds. */
  readonly sizes: () => Promise<JournalSizes>
  /**
   * Removes runs with all that is only theirs: entries, inbox, snapshots, threads and blobs that no other run needs.
   * Runs at work stay, as do those that another engine drives and that have not ended.
   * @returns the ids of those that are gone.
   */
  remove(runs: readonly string[]): Promise<readonly string[]>
  /**
   * Takes a user's name out of the sums of cost, which stay, and out of budgets; empties the response cache, which cannot
   * tell whose answers it holds. The user's runs go with `remove`.
   */
  forgetUser(user: string, tenant?: string): Promise<void>
  /** Writes what is pending and lets go of files. Every later call rejects with `journal_unavailable`. */
  close(): Promise<void>
}
