// The journal of a process that may forget: the contract of the durable ones, leases and verification included, on maps.
// Invariant: an append costs the same however long the run is, and texts are kept as they came, never copied.
import { memoryBudgets, memoryLedger, rankRuns, type LedgerStore, type MemoryBudgets, type MemoryLedger, type Settlement } from '../cost/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import { sha256 } from '../schema/index.ts'
import { verifyChain } from './chain.ts'
import { CHAIN_START, type StoredEntry } from './entry.ts'
import { isEnded, type Claimable, type ClaimQuery, type ClaimReason, type InboxItem, type Journal, type Lease, type RowUpdate, type RunFilter, type RunRow, type SnapshotKind, type StoredSnapshot } from './journal.ts'
import { checkRow, checkText, isNext, refuseClosed, refuseEnded, refuseHeld, refuseLost, refuseSession, refuseUnknown } from './refusal.ts'
import { watchers } from './watch.ts'

interface Run {
  /** As created; an append keeps its update beside it, and only a reader pays for joining them. */
  created: RunRow
  update: RowUpdate | undefined
  head: StoredEntry
  readonly entries: StoredEntry[]
  readonly inbox: InboxItem[]
  /** Undefined owner: given back. */
  owner: string | undefined
  epoch: number
  expiresAt: number
  readonly snapshots: Map<SnapshotKind, StoredSnapshot>
}

/** Kinds of content that belong to runs. */
const OWN_KINDS: ReadonlySet<string> = new Set(['thread', 'blob'])
const HASHES = /[0-9a-f]{64}/g

const statusOf = (run: Run): RunRow['status'] => (run.update ?? run.created).status

/** A copy without some fields, which is how they come to be absent. */
const without = (row: RunRow, fields: readonly (keyof RunRow)[]): RunRow => Object.fromEntries(Object.entries(row).filter(([field]) => !fields.includes(field as keyof RunRow))) as unknown as RunRow

const OF_THE_LAST_ENTRY = ['waiting', 'dueAt', 'output', 'failureCode', 'defect'] as const

const rowOf = (run: Run): RunRow => {
  const { created, update } = run
  const kept = OF_THE_LAST_ENTRY.some((field) => field in created) ? without(created, OF_THE_LAST_ENTRY) : created
  const row = update === undefined ? created : { ...kept, ...update }
  return { ...row, seq: run.head.seq, hash: run.head.hash }
}

const withAgent = (row: RunRow, { agentHash = row.agentHash, agentVersion }: RowUpdate): RunRow => ({
  ...without(row, ['agentVersion']),
  agentHash,
  ...(agentVersion === undefined ? {} : { agentVersion }),
})

const leaseOf = (run: Run, owner: string): Lease => ({ run: run.created.id, owner, epoch: run.epoch, expiresAt: run.expiresAt })
const holds = (run: Run, lease: Lease): boolean => run.epoch === lease.epoch && run.owner === lease.owner
const scoped = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts.map((part) => part ?? ''))

const EQUAL = ['agent', 'user', 'route', 'tenant', 'session', 'key'] as const
const matches = (row: RunRow, filter: RunFilter): boolean =>
  EQUAL.every((field) => filter[field] === undefined || filter[field] === row[field]) &&
  (filter.status === undefined || filter.status.includes(row.status)) &&
  (filter.since === undefined || row.startedAt >= filter.since) &&
  (filter.before === undefined || row.startedAt < filter.before)

interface Store {
  readonly clock: Clock
  readonly runs: Map<string, Run>
  readonly keys: Map<string, Run>
  /** The run of each session that has not ended. */
  readonly sessions: Map<string, Run>
  /** Ended runs, the oldest first; those beyond `keepEnded` are forgotten. */
  readonly ended: Set<Run>
  readonly keepEnded: number
  readonly ledger: MemoryLedger
  readonly content: Map<string, { readonly kind: string; readonly text: string }>
  readonly budgets: MemoryBudgets
  closed: boolean
}

/** How long an ended run is kept in any case, milliseconds: somebody may be about to read how it ended. */
const KEPT_MS = 60_000

const drop = (store: Store, run: Run): void => {
  store.ended.delete(run)
  const { id, agent, tenant, key, session } = run.created
  store.runs.delete(id)
  if (key !== undefined) store.keys.delete(scoped(agent, tenant, key))
  if (session !== undefined && store.sessions.get(scoped(tenant, session)) === run) store.sessions.delete(scoped(tenant, session))
}

/** Notes the end of a run, and forgets the oldest ended runs beyond what is kept. */
const noteEnd = (store: Store, run: Run): void => {
  store.ended.add(run)
  for (const oldest of store.ended) {
    if (store.ended.size <= store.keepEnded || rowOf(oldest).updatedAt > store.clock.now() - KEPT_MS) return
    drop(store, oldest)
  }
}

const find = (store: Store, id: string): Run | undefined => (store.closed ? refuseClosed('memory') : store.runs.get(id))
const known = (store: Store, id: string): Run => find(store, id) ?? refuseUnknown(id)

const held = (store: Store, lease: Lease): Run => {
  const run = known(store, lease.run)
  return holds(run, lease) ? run : refuseLost(lease, run.epoch)
}

const grant = (store: Store, run: Run, owner: string, leaseMs: number): Lease => {
  run.owner = owner
  run.expiresAt = store.clock.now() + leaseMs
  return leaseOf(run, owner)
}

const settleIn = (store: Store, settlement: Settlement, run: string, atMs: number): void => {
  if (store.closed) return refuseClosed('memory')
  store.budgets.settle(settlement, run, atMs)
  store.ledger.add(settlement.charges)
}

const writing = (store: Store): Pick<Journal, 'create' | 'append'> => ({
  async create(row, entry, owner, leaseMs) {
    checkRow(row, entry)
    const { runs, keys, sessions } = store
    const before = find(store, row.id)
    const key = row.key === undefined ? undefined : scoped(row.agent, row.tenant, row.key)
    const session = row.session === undefined ? undefined : scoped(row.tenant, row.session)
    const taken = key === undefined ? undefined : keys.get(key)
    if (taken !== undefined) return { created: false, row: rowOf(taken) }
    const busy = session === undefined ? undefined : sessions.get(session)
    if (row.session !== undefined && busy !== undefined) refuseSession(row.session, busy.created.id)
    if (before !== undefined) throw new Error(`Run ${row.id} was created before`)
    const run: Run = { created: row, update: undefined, head: entry, entries: [entry], inbox: [], snapshots: new Map(), owner, epoch: 1, expiresAt: 0 }
    runs.set(row.id, run)
    if (key !== undefined) keys.set(key, run)
    if (isEnded(row.status)) noteEnd(store, run)
    else if (session !== undefined) sessions.set(session, run)
    return { created: true, lease: grant(store, run, owner, leaseMs) }
  },
  async append(lease, entry, update, settlement) {
    checkText(entry.text)
    const run = held(store, lease)
    if (!isNext(lease.run, run.head, entry)) return
    run.entries.push(entry)
    run.head = entry
    run.update = update
    if (settlement !== undefined) settleIn(store, settlement, lease.run, entry.at)
    const { agentHash = run.created.agentHash, agentVersion } = update
    const moved = agentHash !== run.created.agentHash || (update.agentHash !== undefined && agentVersion !== run.created.agentVersion)
    if (moved || (update.agentHash === undefined && agentVersion !== undefined)) run.created = withAgent(run.created, update)
    if (!isEnded(update.status)) return
    noteEnd(store, run)
    if (run.created.session !== undefined) {
      const session = scoped(run.created.tenant, run.created.session)
      if (store.sessions.get(session) === run) store.sessions.delete(session)
    }
  },
})

const userOf = (row: RunRow): string => scoped(row.tenant, row.user)

/** Queued runs by priority; within one, users take turns, those with fewer runs at work first. */
const inTurn = (queued: readonly RunRow[], atWork: readonly RunRow[]): readonly RunRow[] => {
  const turns = new Map<string, number>()
  for (const row of atWork) turns.set(userOf(row), (turns.get(userOf(row)) ?? 0) + 1)
  const lines = new Map<string, number>()
  const placed = queued.map((row) => {
    const line = `${row.priority ?? 0} ${userOf(row)}`
    const place = (lines.get(line) ?? 0) + 1
    lines.set(line, place)
    return { row, turn: place + (turns.get(userOf(row)) ?? 0) }
  })
  return placed.toSorted((a, b) => (b.row.priority ?? 0) - (a.row.priority ?? 0) || a.turn - b.turn || a.row.startedAt - b.row.startedAt).map(({ row }) => row)
}

const claimableOf = (runs: readonly Run[], { engine, agents, limit, only }: ClaimQuery, nowMs: number): Claimable => {
  const can = (row: RunRow): boolean => row.engine === engine && (agents === undefined || agents.some(({ id, hashes }) => id === row.agent && (hashes === undefined || hashes.includes(row.agentHash))))
  const rows = runs.map((run) => ({ run, row: rowOf(run) }))
  const free = rows.filter(({ run, row }) => can(row) && (run.owner === undefined || run.expiresAt <= nowMs))
  const offered = (wanted: (run: Run, row: RunRow) => boolean, rank: (row: RunRow) => number): readonly RunRow[] =>
    free
      .filter(({ run, row }) => wanted(run, row))
      .map(({ row }) => row)
      .toSorted((a, b) => rank(a) - rank(b))
  const atWork = rows.flatMap(({ row }) => (row.status === 'running' ? [row] : []))
  const atWorkNow = (row: RunRow): boolean => row.status === 'running' || row.status === 'waiting'
  const kinds: readonly (readonly [ClaimReason, readonly RunRow[]])[] = [
    [
      'work',
      offered(
        (_run, row) => row.status === 'running',
        (row) => row.updatedAt,
      ),
    ],
    [
      'timer',
      offered(
        (_run, row) => row.status === 'waiting' && row.dueAt !== undefined && row.dueAt <= nowMs,
        (row) => row.dueAt ?? 0,
      ),
    ],
    [
      'event',
      offered(
        (run, row) => atWorkNow(row) && run.inbox.length > row.taken,
        (row) => row.updatedAt,
      ),
    ],
    [
      'queue',
      inTurn(
        offered(
          (_run, row) => row.status === 'queued',
          (row) => row.startedAt,
        ),
        atWork,
      ),
    ],
  ]
  const later = rows.flatMap(({ row }) => (can(row) && row.status === 'waiting' && row.dueAt !== undefined && row.dueAt > nowMs ? [row.dueAt] : []))
  const found = [...new Map(kinds.flatMap(([reason, found]) => (only === undefined || only.includes(reason) ? found : [])).map((row) => [row.id, row])).values()].slice(0, limit)
  return { runs: found, ...(later.length === 0 ? {} : { nextDueAt: later.reduce((a, b) => Math.min(a, b)) }) }
}

const reading = (store: Store): Pick<Journal, 'read' | 'get' | 'list' | 'claimable'> => ({
  async read(id, from = 0) {
    const run = known(store, id)
    const entries = run.entries.slice(from)
    if (from <= run.entries.length) verifyChain(id, entries, from, run.entries[from - 1]?.hash ?? CHAIN_START, run.head)
    return entries
  },
  async get(id) {
    const run = find(store, id)
    return run === undefined ? undefined : rowOf(run)
  },
  async claimable(query) {
    if (store.closed) refuseClosed('memory')
    return claimableOf([...store.runs.values()], query, store.clock.now())
  },
  async list(filter = {}) {
    if (store.closed) refuseClosed('memory')
    const newestFirst = [...store.runs.values()]
      .map(rowOf)
      .filter((row) => matches(row, filter))
      .toReversed()
    return newestFirst.sort((a, b) => b.startedAt - a.startedAt).slice(0, filter.limit ?? 100)
  },
})

const leasing = (store: Store): Pick<Journal, 'acquire' | 'renew' | 'release'> => ({
  async acquire(id, owner, leaseMs) {
    const run = known(store, id)
    if (run.owner !== undefined && run.expiresAt > store.clock.now()) refuseHeld(leaseOf(run, run.owner))
    run.epoch++
    return grant(store, run, owner, leaseMs)
  },
  async renew(lease, leaseMs) {
    return grant(store, held(store, lease), lease.owner, leaseMs)
  },
  async release(lease) {
    const run = find(store, lease.run)
    if (run !== undefined && holds(run, lease)) run.owner = undefined
  },
})

const receiving = (store: Store): Pick<Journal, 'post' | 'inbox' | 'watch'> => {
  const watching = watchers()
  return {
    async post(id, event, by) {
      const run = known(store, id)
      refuseEnded(id, statusOf(run))
      const n = run.inbox.length
      // A copy through JSON: the sender keeps no hold on what was posted, and it reads as a database would give it back.
      run.inbox.push(JSON.parse(JSON.stringify({ n, at: store.clock.now(), event, by })) as InboxItem)
      watching.notify(id)
      return n
    },
    async inbox(id, from) {
      return known(store, id).inbox.slice(from)
    },
    watch: watching.add,
  }
}

/** Content that runs name, and what those threads go on from. */
const closure = (store: Store, runs: readonly Run[]): ReadonlySet<string> => {
  const named = new Set(runs.flatMap((run) => run.entries.flatMap((entry) => entry.text.match(HASHES) ?? [])))
  for (const hash of named) {
    const content = store.content.get(hash)
    if (content?.kind === 'thread') for (const earlier of content.text.match(HASHES) ?? []) named.add(earlier)
  }
  return named
}

const removing = (store: Store): Pick<Journal, 'sizes' | 'remove' | 'forgetUser'> => ({
  async sizes() {
    if (store.closed) refuseClosed('memory')
    const texts = [...store.runs.values()].flatMap((run) => run.entries.map((entry) => entry.text))
    const contents = [...store.content.values()]
    const bytes = (all: readonly string[]): number => all.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    return { runs: store.runs.size, entries: texts.length, entryBytes: bytes(texts), contents: contents.length, contentBytes: bytes(contents.map(({ text }) => text)) }
  },
  async remove(ids) {
    const removed = ids.flatMap((id) => {
      const run = find(store, id)
      if (run === undefined) return []
      const free = run.owner === undefined || run.expiresAt <= store.clock.now()
      return isEnded(statusOf(run)) || (run.created.engine === 'embedded' && free) ? [run] : []
    })
    for (const run of removed) drop(store, run)
    const named = closure(store, removed)
    const needed = closure(store, [...store.runs.values()])
    for (const hash of named) if (OWN_KINDS.has(store.content.get(hash)?.kind ?? '') && !needed.has(hash)) store.content.delete(hash)
    return removed.map((run) => run.created.id)
  },
  async forgetUser(user, tenant) {
    if (store.closed) refuseClosed('memory')
    store.ledger.forget(user, tenant)
    store.budgets.forget(user, tenant)
    await store.budgets.removeLimits(`user:${user}`)
  },
})

const keeping = (store: Store): Pick<Journal, 'putContent' | 'getContent' | 'listContent' | 'putSnapshot' | 'getSnapshot'> => {
  const { content } = store
  return {
    async putContent(kind, text) {
      if (store.closed) refuseClosed('memory')
      const hash = sha256(text)
      if (!content.has(hash)) content.set(hash, { kind, text: text.toWellFormed() })
      return hash
    },
    async getContent(hash) {
      return store.closed ? refuseClosed('memory') : content.get(hash)
    },
    async listContent(kind) {
      if (store.closed) refuseClosed('memory')
      return [...content].filter(([, kept]) => kept.kind === kind).map(([hash]) => hash)
    },
    async putSnapshot(id, snapshot, kind) {
      checkText(snapshot.text)
      const { snapshots } = known(store, id)
      if (snapshot.seq >= (snapshots.get(kind)?.seq ?? 0)) snapshots.set(kind, snapshot)
    },
    async getSnapshot(id, kind) {
      const run = find(store, id)
      const snapshot = run?.snapshots.get(kind)
      return snapshot !== undefined && run?.entries[snapshot.seq]?.hash === snapshot.hash ? snapshot : undefined
    },
  }
}

/** How a journal in memory remembers. */
export interface MemoryJournalOptions {
  /** Time. Default: the system's. */
  readonly clock?: Clock
  /** Ended runs that are remembered; older ones are forgotten a minute after their end. Default: all. */
  readonly keepEnded?: number
}

const ledgerOf = (store: Store): LedgerStore => ({
  async read(query) {
    return store.closed ? refuseClosed('memory') : store.ledger.read(query)
  },
  async dearest(query) {
    return store.closed ? refuseClosed('memory') : rankRuns([...store.runs.values()].map(rowOf), query)
  },
})

/**
 * Makes a journal that lives as long as the process.
 *
 * @example const runtime = createRuntime({ journal: memoryJournal() })
 */
export const memoryJournal = ({ clock = systemClock, keepEnded = Infinity }: MemoryJournalOptions = {}): Journal => {
  const runs = new Map<string, Run>()
  const ledger = memoryLedger()
  const atWork = (where: RunFilter): readonly string[] => [...runs.values()].filter((run) => statusOf(run) === 'running' && run.owner !== undefined && matches(run.created, where)).map(({ created }) => created.id)
  const budgets = memoryBudgets({
    now: () => clock.now(),
    ledger: (sinceMs, where) => ledger.read({ sinceMs, untilMs: clock.now() + 1, where }),
    runs: atWork,
    check: () => (store.closed ? refuseClosed('memory') : undefined),
  })
  const store: Store = { clock, keepEnded, runs, keys: new Map(), sessions: new Map(), ended: new Set(), ledger, content: new Map(), budgets, closed: false }
  return {
    name: 'memory',
    ...writing(store),
    ...reading(store),
    ...leasing(store),
    ...receiving(store),
    ...keeping(store),
    ...removing(store),
    settle: async (run, settlement) => settleIn(store, settlement, run, clock.now()),
    ledger: ledgerOf(store),
    budgets,
    async close() {
      store.closed = true
    },
  }
}
