// Removing runs and a user's name, written once for both databases. Invariant: a run goes with all that is only its own,
// and content that a remaining run names, directly or through a longer thread, stays.
import { userHolders } from '../../cost/index.ts'
import { sha256 } from '../../schema/index.ts'
import type { JournalSizes } from '../journal.ts'
import { blobIn, numberIn, textIn } from '../sqlite/connection.ts'
import { query, type Script } from './script.ts'

const ENDED = `status IN ('done', 'failed', 'limited', 'cancelled')`
const HASHES = /[0-9a-f]{64}/g

/** Threads by hash, each with those that it goes on from. */
function* readThreads(): Script<ReadonlyMap<string, readonly string[]>> {
  const rows = yield* query(`SELECT hash, body FROM content WHERE kind = 'thread'`)
  return new Map(rows.map((row) => [textIn(row['hash'], 'the hash of content'), blobIn(row['body'], 'a thread').match(HASHES) ?? []]))
}

/** A set of hashes, grown by the threads that those in it go on from. */
const withEarlier = (hashes: Iterable<string>, threads: ReadonlyMap<string, readonly string[]>): Set<string> => {
  const all = new Set(hashes)
  for (const hash of all) for (const earlier of threads.get(hash) ?? []) all.add(earlier)
  return all
}

/** Deletes content that removed runs named and no remaining run needs. */
function* removeContent(bodies: readonly string[]): Script<void> {
  const threads = yield* readThreads()
  const named = withEarlier(
    bodies.flatMap((body) => body.match(HASHES) ?? []),
    threads,
  )
  const mentioned: string[] = []
  for (const hash of named) {
    const [mention] = yield* query(`SELECT run FROM entries WHERE body LIKE '%' || CAST(? AS TEXT) || '%' LIMIT 1`, hash)
    if (mention !== undefined) mentioned.push(hash)
  }
  const others = [...threads.keys()].filter((hash) => !named.has(hash))
  const needed = withEarlier([...mentioned, ...others], threads)
  for (const hash of named) if (!needed.has(hash)) yield* query(`DELETE FROM content WHERE hash = ? AND kind IN ('thread', 'blob') RETURNING hash`, hash)
}

/** Notes of calls that were begun name their run in their text. */
function* removeNotes(runs: ReadonlySet<string>): Script<void> {
  const notes = yield* query(`SELECT hash, body FROM content WHERE kind = 'begun'`)
  for (const note of notes) {
    const { run } = JSON.parse(blobIn(note['body'], 'a note of a call')) as { readonly run: string }
    if (runs.has(run)) yield* query('DELETE FROM content WHERE hash = ? RETURNING hash', textIn(note['hash'], 'the hash of content'))
  }
}

/**
 * Removes runs. @returns those that were there and not at work.
 * @param held condition on a run that somebody drives, with the time now as its parameter.
 * @param tables other tables with rows by run.
 */
export function* removeRuns(ids: readonly string[], held: string, tables: readonly string[], nowMs: number): Script<readonly string[]> {
  const removed: string[] = []
  const bodies: string[] = []
  for (const id of ids) {
    const [row] = yield* query(`SELECT no FROM runs WHERE id = ? AND (${ENDED} OR (engine = 'embedded' AND NOT ${held}))`, id, nowMs)
    if (row === undefined) continue
    const no = numberIn(row['no'], `the row of run ${id}`)
    const entries = yield* query('DELETE FROM entries WHERE run = ? RETURNING body', no)
    bodies.push(...entries.map((entry) => textIn(entry['body'], `an entry of run ${id}`)))
    for (const table of ['inbox', 'snapshots', 'folds', ...tables]) yield* query(`DELETE FROM ${table} WHERE run = ? RETURNING run`, no)
    yield* query('DELETE FROM runs WHERE no = ? RETURNING no', no)
    removed.push(id)
  }
  if (removed.length === 0) return removed
  yield* removeContent(bodies)
  yield* removeNotes(new Set(removed))
  return removed
}

/** Takes a user's name out of sums and limits, and empties the cache. */
export function* forgetUser(user: string, tenant: string | undefined): Script<void> {
  const rows = yield* query(`SELECT no FROM ledger_keys WHERE user_id = ? AND (? = '' OR tenant = ?)`, user, tenant ?? '', tenant ?? '')
  for (const row of rows) {
    const no = numberIn(row['no'], 'the ledger')
    // A key of its own for each, so that sums stay what they were and nobody can tell whose they are.
    yield* query('UPDATE ledger_keys SET user_id = NULL, id = ? WHERE no = ? RETURNING no', sha256(`forgotten ${no}`), no)
  }
  for (const beginning of userHolders(user, tenant)) {
    yield* query('DELETE FROM holds WHERE substr(account, 1, length(CAST(? AS TEXT))) = ? RETURNING account', beginning, beginning)
    yield* query('DELETE FROM accounts WHERE substr(holder, 1, length(CAST(? AS TEXT))) = ? RETURNING id', beginning, beginning)
  }
  yield* query('DELETE FROM limits WHERE scope = ? RETURNING no', `user:${user}`)
  yield* query('DELETE FROM cache RETURNING key')
}

/** How much there is. */
export function* readSizes(): Script<JournalSizes> {
  const [runs] = yield* query('SELECT count(*) AS count FROM runs')
  const [entries] = yield* query('SELECT count(*) AS count, CAST(coalesce(sum(octet_length(body)), 0) AS BIGINT) AS bytes FROM entries')
  const [content] = yield* query('SELECT count(*) AS count, CAST(coalesce(sum(octet_length(body)), 0) AS BIGINT) AS bytes FROM content')
  const read = (row: typeof runs, column: string): number => numberIn(row?.[column], 'a size')
  return { runs: read(runs, 'count'), entries: read(entries, 'count'), entryBytes: read(entries, 'bytes'), contents: read(content, 'count'), contentBytes: read(content, 'bytes') }
}
