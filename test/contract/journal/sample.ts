// Rows and chained entries for journal tests. Everything has a plain default, so that a test names only what it is about.
import { failureOf, type FailureCode, type Failure } from '../../../src/failure/index.ts'
import { chainHash, CHAIN_START, type Journal, type Lease, type RowUpdate, type RunRow, type StoredEntry } from '../../../src/journal/index.ts'

export const LEASE_MS = 10_000

export const sampleRow = (id: string, more: Partial<RunRow> = {}): RunRow => ({
  id,
  agent: 'support',
  agentHash: 'a1',
  engine: 'embedded',
  status: 'running',
  startedAt: 1_000,
  updatedAt: 1_000,
  seq: 0,
  hash: '',
  state: 'asking',
  taken: 0,
  modelCalls: 0,
  toolCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNano: 0,
  costUnknown: false,
  ...more,
})

export const sampleUpdate = (more: Partial<RowUpdate> = {}): RowUpdate => ({
  status: 'running',
  updatedAt: 2_000,
  state: { group: 'answering' },
  taken: 0,
  modelCalls: 1,
  toolCalls: 2,
  inputTokens: 30,
  outputTokens: 4,
  costNano: 5_000,
  costUnknown: true,
  ...more,
})

/** The entry after `previous`, or the first one. */
export const entryAfter = (previous: StoredEntry | undefined, text = JSON.stringify({ after: previous?.seq ?? null })): StoredEntry => {
  const seq = previous === undefined ? 0 : previous.seq + 1
  const at = 1_000 + seq
  return { seq, at, text, hash: chainHash(previous?.hash ?? CHAIN_START, seq, at, text) }
}

/** `count` entries that follow one another. */
export const chainOf = (count: number, text?: (seq: number) => string): readonly StoredEntry[] => {
  const entries: StoredEntry[] = []
  for (let seq = 0; seq < count; seq++) entries.push(entryAfter(entries.at(-1), text?.(seq)))
  return entries
}

/** A run with its first entry and the lease to go on. */
export const startRun = async (journal: Journal, id: string, more: Partial<RunRow> = {}, owner = 'worker-1'): Promise<{ readonly lease: Lease; readonly first: StoredEntry }> => {
  const first = entryAfter(undefined)
  const made = await journal.create(sampleRow(id, more), first, owner, LEASE_MS)
  if (!made.created) throw new Error(`run ${id} was there before`)
  return { lease: made.lease, first }
}

/** Appends entries one after the other. */
export const appendAll = async (journal: Journal, lease: Lease, entries: readonly StoredEntry[], update: RowUpdate = sampleUpdate()): Promise<void> => {
  for (const entry of entries) await journal.append(lease, entry, update)
}

/** The failure that a promise rejects with; anything but that code is thrown. */
export const rejection = async (promise: Promise<unknown>, code: FailureCode): Promise<Failure> => {
  const thrown: unknown = await promise.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)} instead of failing`),
    (reason: unknown) => reason,
  )
  const failure = failureOf(thrown)
  if (failure?.code !== code) throw thrown
  return failure
}
