// `stateloop prune` and `stateloop forget`: old runs and a person's data leave the database. Invariant: with an archive, a run
// is removed only after its recording was written whole.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fail } from '../../failure/index.ts'
import { systemClock } from '../../clock/index.ts'
import type { Journal, RunRow } from '../../journal/index.ts'
import { exportRun, formatRecording } from '../../replay/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { openExisting, type CommonOptions } from '../open-runtime.ts'
import { databasePath, openProject, showDatabase } from '../project.ts'

interface PruneOptions extends CommonOptions {
  readonly olderThan?: string
  readonly archive?: string
  readonly dryRun?: boolean
}

interface ForgetOptions extends CommonOptions {
  readonly user?: string
  readonly tenant?: string
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `30d` in milliseconds. */
const ageOf = (text: string | undefined): number => {
  const [, count, unit] = /^(\d{1,5})([hdw])$/.exec(text ?? '') ?? []
  return count === undefined ? fail('usage', `--older-than must be an age such as 12h, 30d or 8w, not ${JSON.stringify(text ?? '')}.`) : Number(count) * (UNITS[unit ?? 'd'] ?? 0)
}

const ENDED = ['done', 'failed', 'limited', 'cancelled'] as const
/** Runs taken in one go: a removal is one transaction. */
const BATCH = 200
const MOST_LISTED = 1_000_000

const openDatabase = async (io: Io, options: CommonOptions): Promise<Journal> => {
  const project = await openProject(io)
  return openExisting(io, project, options) ?? fail('usage', `There is no database at ${showDatabase(databasePath(project, options.db, io.env))}. Name the right one with --db or STATELOOP_DB.`)
}

const batches = (rows: readonly RunRow[]): readonly (readonly RunRow[])[] => Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, n) => rows.slice(n * BATCH, (n + 1) * BATCH))

/** Writes a run's recording, compressed; never half. */
const archiveRun = async (journal: Journal, folder: string, run: string): Promise<void> => {
  const path = join(folder, `${run}.jsonl.gz`)
  await writeFile(`${path}.new`, gzipSync(formatRecording(await exportRun(journal, run))))
  await rename(`${path}.new`, path)
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const prune = async (io: Io, { olderThan, archive, dryRun = false, json = false, ...common }: PruneOptions): Promise<number> => {
  const before = systemClock.now() - ageOf(olderThan)
  const journal = await openDatabase(io, common)
  try {
    const sizes = await journal.sizes()
    const old = (await journal.list({ status: ENDED, before, limit: MOST_LISTED })).filter((row) => row.updatedAt < before)
    const folder = archive === undefined ? undefined : resolve(io.cwd, archive)
    if (folder !== undefined && !dryRun) await mkdir(folder, { recursive: true })
    let removed = 0
    for (const batch of dryRun ? [] : batches(old)) {
      if (folder !== undefined) for (const { id } of batch) await archiveRun(journal, folder, id)
      removed += (await journal.remove(batch.map(({ id }) => id))).length
    }
    const after = await journal.sizes()
    if (json) io.out(`${JSON.stringify({ found: old.length, removed, before: sizes, after }, null, 2)}\n`)
    else {
      io.out(`${sizes.runs} runs, ${sizes.entries} entries (${megabytes(sizes.entryBytes)}), content ${megabytes(sizes.contentBytes)}\n`)
      io.out(
        dryRun
          ? `would remove ${old.length} runs that ended before ${new Date(before).toISOString()}\n`
          : `removed ${removed} runs${folder === undefined ? '' : `, archived in ${folder}`}: ${megabytes(sizes.entryBytes + sizes.contentBytes - after.entryBytes - after.contentBytes)} less\n`,
      )
    }
    return EXIT.done
  } finally {
    await journal.close()
  }
}

const forget = async (io: Io, { user, tenant, json = false, ...common }: ForgetOptions): Promise<number> => {
  if (user === undefined || user === '') return fail('usage', 'Name the person: stateloop forget --user <id>.')
  const journal = await openDatabase(io, common)
  try {
    const rows = await journal.list({ user, ...(tenant === undefined ? {} : { tenant }), limit: MOST_LISTED })
    let removed = 0
    for (const batch of batches(rows)) removed += (await journal.remove(batch.map(({ id }) => id))).length
    await journal.forgetUser(user, tenant)
    const left = rows.length - removed
    if (json) io.out(`${JSON.stringify({ user, removed, left }, null, 2)}\n`)
    else io.out(`removed ${removed} runs of ${user}; sums of cost stay without the name\n${left === 0 ? '' : `${left} are at work: cancel them, then forget again\n`}`)
    return left === 0 ? EXIT.done : EXIT.infrastructure
  } finally {
    await journal.close()
  }
}

/** `stateloop prune`. */
export const pruneCommand: CommandDefinition<PruneOptions> = {
  name: 'prune',
  about: 'remove ended runs that are older than an age, and show how much the database holds',
  args: [],
  options: [
    ...COMMON,
    { flags: '--older-than <age>', about: 'ended longer ago than this: 12h, 30d, 8w' },
    { flags: '--archive <folder>', about: 'write each run there as a compressed recording first' },
    { flags: '--dry-run', about: 'only say what would be removed' },
  ],
  run: (io, _args, options) => prune(io, options),
}

/** `stateloop forget`. */
export const forgetCommand: CommandDefinition<ForgetOptions> = {
  name: 'forget',
  about: "remove a person's runs and name everywhere; sums of cost stay",
  args: [],
  options: [...COMMON, { flags: '--user <id>', about: 'whom to forget' }, { flags: '--tenant <id>', about: 'only within this customer' }],
  run: (io, _args, options) => forget(io, options),
}
