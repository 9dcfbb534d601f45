// Damage at rest: bytes flipped, sectors zeroed, files cut. Whatever happens to the database or its write-ahead log, what
// is read is either all that was acknowledged or a typed failure; never less, and never something else.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { failureOf } from '../../src/failure/index.ts'
import { sqliteJournal, type Journal, type StoredEntry } from '../../src/journal/index.ts'
import { connectNodeSqlite } from '../../src/journal/sqlite.ts'
import { appendAll, entryAfter, rejection, startRun } from '../contract/journal/sample.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()
const RUNS = ['a', 'b', 'c', 'd', 'e', 'f']
const PER_RUN = 30
const DAMAGES = 150

/** Fills runs, from wherever they are, with entries of very different sizes. */
const fill = async (journal: Journal, heads: Map<string, StoredEntry>, random: () => number): Promise<void> => {
  await Promise.all(
    RUNS.map(async (id) => {
      const lease = heads.has(id) ? await journal.acquire(id, 'worker-1', 0) : { ...(await startRun(journal, id)).lease, expiresAt: 0 }
      let head = heads.get(id) ?? entryAfter(undefined)
      for (let n = 0; n < PER_RUN; n++) {
        head = entryAfter(head, JSON.stringify({ id, n, pad: 'x'.repeat(Math.floor(random() ** 6 * 9_000)) }))
        await appendAll(journal, lease, [head])
      }
      heads.set(id, head)
      await journal.release(lease)
      await journal.post(id, { type: 'REPLY', id })
      await journal.putSnapshot(id, { seq: head.seq, hash: head.hash, text: JSON.stringify({ snapshot: id }) }, 'standing')
    }),
  )
}

/** A database as a crash leaves it: half of it checkpointed, half of it in the log. */
const crashed = newPath()
/** The same after an orderly end: all in one file. */
const closed = newPath()
let contentHash: string
let seen: unknown

const observe = async (journal: Journal): Promise<unknown> => ({
  runs: await Promise.all(RUNS.map(async (id) => [id, await journal.read(id), await journal.inbox(id, 0), (await journal.get(id))?.seq])),
  listed: (await journal.list()).map(({ id }) => id),
  content: await journal.getContent(contentHash),
})

const copy = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true })
  for (const suffix of ['', '-wal', '-head']) if (existsSync(from + suffix)) cpSync(from + suffix, to + suffix)
}

beforeAll(async () => {
  const path = newPath()
  const random = seededRandom(3)
  const heads = new Map<string, StoredEntry>()
  const first = sqliteJournal({ path })
  await fill(first, heads, random)
  await first.close()
  const second = sqliteJournal({ path })
  contentHash = await second.putContent('prompt', 'Answer briefly. '.repeat(2_000))
  await fill(second, heads, random)
  seen = await observe(second)
  copy(path, crashed)
  await second.close()
  copy(path, closed)
})

type Damage = { readonly kind: 'flip' | 'zero' | 'cut'; readonly at: number }

const damage = (file: string, { kind, at }: Damage): void => {
  if (kind === 'cut') return truncateSync(file, at)
  const bytes = readFileSync(file)
  if (kind === 'zero') bytes.fill(0, at - (at % 512), at - (at % 512) + 512)
  else bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
  writeFileSync(file, bytes)
}

/** What a damaged copy shows: everything, or the codes of the failures that were met. */
const look = async (path: string): Promise<'whole' | readonly string[]> => {
  const journal = sqliteJournal({ path })
  const codes: string[] = []
  const ask = async (question: () => Promise<unknown>, answer: unknown): Promise<void> => {
    try {
      expect(await question()).toStrictEqual(answer)
    } catch (thrown) {
      const failure = failureOf(thrown)
      if (failure === undefined) throw thrown
      codes.push(failure.code)
    }
  }
  const whole = seen as { runs: [string, unknown, unknown, number][]; listed: unknown; content: unknown }
  for (const [id, entries, inbox, seq] of whole.runs) {
    await ask(() => journal.read(id), entries)
    await ask(() => journal.inbox(id, 0), inbox)
    await ask(async () => (await journal.get(id))?.seq, seq)
    await ask(async () => {
      const snapshot = await journal.getSnapshot(id, 'standing')
      return typeof snapshot === 'object' ? snapshot.text : `{"snapshot":"${id}"}`
    }, `{"snapshot":"${id}"}`)
  }
  await ask(async () => (await journal.list()).map(({ id }) => id), whole.listed)
  await ask(() => journal.getContent(contentHash), whole.content)
  await journal.close()
  return codes.length === 0 ? 'whole' : codes
}

const EXPECTED = new Set(['journal_corrupt', 'journal_rolled_back', 'journal_unavailable'])

const damagedCopies = async (image: string, suffix: string, seed: number): Promise<{ readonly whole: number; readonly reported: number }> => {
  const random = seededRandom(seed)
  const size = statSync(image + suffix).size
  const counts = { whole: 0, reported: 0 }
  for (let n = 0; n < DAMAGES; n++) {
    const chosen: Damage = { kind: (['flip', 'flip', 'zero', 'cut'] as const)[Math.floor(random() * 4)] as Damage['kind'], at: Math.floor(random() * size) }
    const path = newPath()
    copy(image, path)
    damage(path + suffix, chosen)
    const found = await look(path).catch((thrown: unknown) => {
      throw new Error(`seed ${seed}, damage ${n}: ${JSON.stringify(chosen)} in ${suffix || 'the database'}`, { cause: thrown })
    })
    if (found === 'whole') counts.whole++
    else {
      counts.reported++
      for (const code of found) expect(EXPECTED, `seed ${seed}, damage ${n}: ${JSON.stringify(chosen)} gave ${code}`).toContain(code)
    }
    rmSync(dirname(path), { recursive: true })
  }
  return counts
}

describe('a damaged SQLite journal', () => {
  test('undamaged copies show everything', async () => {
    for (const image of [crashed, closed]) {
      const path = newPath()
      copy(image, path)
      expect(await look(path)).toBe('whole')
    }
  })

  for (const [what, image, suffix, seed] of [
    ['the log after a crash', crashed, '-wal', 11],
    ['the database after a crash', crashed, '', 12],
    ['the database after an orderly end', closed, '', 13],
  ] as const) {
    test(`damage to ${what} is reported or harmless, ${DAMAGES} times`, { timeout: 60_000 }, async () => {
      const { whole, reported } = await damagedCopies(image, suffix, seed)
      expect(whole + reported).toBe(DAMAGES)
      expect(reported).toBeGreaterThan(DAMAGES / 10)
    })
  }

  test('a log that was cut is journal_rolled_back with how far it had come, and stays as it was found', async () => {
    const path = newPath()
    copy(crashed, path)
    truncateSync(`${path}-wal`, Math.floor(statSync(`${path}-wal`).size / 2))
    const found = readFileSync(`${path}-wal`)
    const journal = sqliteJournal({ path })
    const { details, message } = await rejection(journal.read('a'), 'journal_rolled_back')
    expect(Number(details?.['have'])).toBeLessThan(Number(details?.['witnessed']))
    expect(message).toContain(`delete ${path}-head`)
    await rejection(startRun(journal, 'new'), 'journal_rolled_back')
    await journal.close()
    expect(readFileSync(`${path}-wal`).equals(found)).toBe(true)
  })

  test('without its witness the same log would pass as shorter, which is how its loss is accepted', async () => {
    const path = newPath()
    copy(crashed, path)
    truncateSync(`${path}-wal`, Math.floor(statSync(`${path}-wal`).size / 2))
    rmSync(`${path}-head`)
    const journal = sqliteJournal({ path })
    expect((await journal.read('a')).length).toBeLessThan(1 + 2 * PER_RUN)
    await journal.close()
    expect(existsSync(`${path}-head`)).toBe(true)
  })

  test('a database that was deleted or replaced by an older one is reported, with how to start anew', async () => {
    const [gone, older] = [newPath(), newPath()]
    copy(closed, gone)
    rmSync(gone)
    const failure = await rejection(sqliteJournal({ path: gone }).list(), 'journal_rolled_back')
    expect(failure).toMatchObject({ details: { have: 0 }, message: expect.stringContaining('delete both') })
    expect(existsSync(gone)).toBe(false)
    const small = sqliteJournal({ path: older })
    await startRun(small, 'a')
    await small.close()
    cpSync(`${closed}-head`, `${older}-head`)
    await rejection(sqliteJournal({ path: older }).read('a'), 'journal_rolled_back')
  })

  test('a witness that lags, is torn or is missing is no failure, and catches up', async () => {
    const path = newPath()
    copy(closed, path)
    const witness = readFileSync(`${path}-head`)
    const halves = [witness.subarray(0, 100), Buffer.alloc(1_024), Buffer.from('nonsense'), undefined]
    for (const half of halves) {
      if (half === undefined) rmSync(`${path}-head`)
      else writeFileSync(`${path}-head`, half)
      const journal = sqliteJournal({ path })
      expect(await observe(journal)).toStrictEqual(seen)
      await journal.close()
      expect(readFileSync(`${path}-head`, 'latin1')).toContain(witness.toString('latin1').split('\n').toSorted().at(-1)?.trim())
    }
  })

  test('a log that goes back under a running journal stops its next write', async () => {
    const path = newPath()
    copy(closed, path)
    const journal = sqliteJournal({ path })
    await startRun(journal, 'new')
    const other = connectNodeSqlite(path, { readOnly: false })
    other.exec('UPDATE progress SET commits = commits - 1')
    other.close()
    expect((await rejection(startRun(journal, 'newer'), 'journal_rolled_back')).details).toMatchObject({ path })
    await rejection(journal.read('new'), 'journal_rolled_back')
    await journal.close()
  })

  const edits: readonly (readonly [string, string, (journal: Journal) => Promise<unknown>])[] = [
    ['an entry that is missing at the end', `DELETE FROM entries WHERE run = 1 AND seq = ${2 * PER_RUN}`, (journal) => journal.get('a')],
    ['an entry that is missing in the middle', 'DELETE FROM entries WHERE run = 1 AND seq = 5', (journal) => journal.read('a')],
    ['an entry whose text changed', `UPDATE entries SET body = replace(body, '"n":4', '"n":5') WHERE run = 1 AND seq = 5`, (journal) => journal.read('a')],
    ['an entry whose time changed', 'UPDATE entries SET at = at + 1 WHERE run = 1 AND seq = 5', (journal) => journal.read('a')],
    ['an entry too many', `INSERT INTO entries SELECT run, seq + 1, at, hash, body FROM entries WHERE run = 1 AND seq = ${2 * PER_RUN}`, (journal) => journal.read('a')],
    ['a head that went back', 'UPDATE runs SET seq = seq - 1 WHERE no = 1', (journal) => journal.read('a')],
    ['a row whose status is no status', `UPDATE runs SET status = 'sunning' WHERE no = 1`, (journal) => journal.list()],
    ['a row whose state is no JSON', `UPDATE runs SET state = '{' WHERE no = 1`, (journal) => journal.get('a')],
    ['an event that is missing', 'DELETE FROM inbox WHERE run = 1 AND n = 0', (journal) => journal.inbox('a', 0)],
    ['an event that changed', `UPDATE inbox SET body = replace(body, 'REPLY', 'OTHER') WHERE run = 1`, (journal) => journal.inbox('a', 0)],
    ['content that changed', `UPDATE content SET body = x'00'`, (journal) => journal.getContent(contentHash)],
    ['a lease that is missing', 'DELETE FROM leases WHERE run = 1', (journal) => journal.acquire('a', 'worker-1', 1)],
  ]
  test.each(edits)('%s is journal_corrupt', async (_, sql, use) => {
    const path = newPath()
    copy(closed, path)
    const editor = connectNodeSqlite(path, { readOnly: false })
    editor.exec(sql)
    editor.close()
    const journal = sqliteJournal({ path })
    expect((await rejection(use(journal), 'journal_corrupt')).message).toContain('restore it from a backup')
    await journal.close()
  })

  test('entries that are missing at the end are counted', async () => {
    const path = newPath()
    copy(closed, path)
    const editor = connectNodeSqlite(path, { readOnly: false })
    editor.exec(`DELETE FROM entries WHERE run = 1 AND seq > 57`)
    editor.close()
    const journal = sqliteJournal({ path })
    for (const from of [0, 20, 58, 59]) expect((await rejection(journal.read('a', from), 'journal_rolled_back')).details).toStrictEqual({ run: 'a', have: 58, witnessed: 61 })
    await journal.close()
  })

  test('a run is not called unknown, and no list is short, because its row or an index was damaged', async () => {
    const path = newPath()
    const before = sqliteJournal({ path })
    for (const id of ['run-one', 'run-needle', 'run-two']) await startRun(before, id)
    await before.close()
    const whole = sqliteJournal({ path })
    const bytes = readFileSync(path, 'latin1')
    const places = [...bytes.matchAll(/run-needle/g)].map(({ index }) => index)
    expect(places.length).toBeGreaterThanOrEqual(2)
    for (const place of places) {
      const damaged = newPath()
      copy(path, damaged)
      writeFileSync(damaged, `${bytes.slice(0, place)}run-nEedle${bytes.slice(place + 10)}`, 'latin1')
      for (const use of [(from: Journal) => from.get('run-needle'), (from: Journal) => from.read('run-needle')]) {
        const journal = sqliteJournal({ path: damaged })
        // The id is read from the index that it is searched by, so damage to the row alone takes nothing away.
        const found: unknown = await use(journal).catch((thrown: unknown) => failureOf(thrown)?.code)
        expect(['journal_corrupt', await use(whole)]).toContainEqual(found)
        await journal.close()
      }
      const journal = sqliteJournal({ path: damaged })
      await rejection(journal.list(), 'journal_corrupt')
      await journal.close()
    }
    await whole.close()
  })

  test('a snapshot that changed is not given', async () => {
    const path = newPath()
    copy(closed, path)
    const editor = connectNodeSqlite(path, { readOnly: false })
    editor.exec(`UPDATE snapshots SET body = '{}' WHERE run = 1`)
    editor.close()
    const journal = sqliteJournal({ path })
    expect(await journal.getSnapshot('a', 'standing')).toBe('damaged')
    expect(await journal.getSnapshot('b', 'standing')).toMatchObject({ text: '{"snapshot":"b"}' })
    await journal.close()
  })
})
