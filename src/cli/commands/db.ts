// `stateloop db`: what state the database is in, and bringing its tables to this version. Invariant: `status` changes nothing.
import { existsSync } from 'node:fs'
import { fail } from '../../failure/index.ts'
import { migratePostgres, postgresStatus, sqliteJournal } from '../../journal/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../open-runtime.ts'
import { databasePath, isUrl, openProject, showDatabase } from '../project.ts'

const ACTIONS = ['status', 'migrate'] as const

const sayPostgres = async (io: Io, action: string, url: string, json: boolean): Promise<number> => {
  const before = action === 'migrate' ? await migratePostgres({ url }) : await postgresStatus({ url })
  const found = action === 'migrate' ? before.known : before.found
  const at = { database: showDatabase(url), kind: 'postgres', schema: found, known: before.known }
  if (json) io.out(`${JSON.stringify(at, null, 2)}\n`)
  else if (action === 'migrate') io.out(before.found === before.known ? `${at.database} has schema ${found} already\n` : `${at.database}: schema ${before.found} → ${found}\n`)
  else io.out(`${at.database} has schema ${found}, this version needs ${before.known}${found === before.known ? '' : found > before.known ? ': upgrade stateloop' : ': run stateloop db migrate'}\n`)
  return found === before.known ? EXIT.done : EXIT.infrastructure
}

/** A file is migrated whenever it is opened. */
const saySqlite = async (io: Io, path: string, json: boolean): Promise<number> => {
  const there = existsSync(path)
  if (there) {
    const journal = sqliteJournal({ path })
    await journal.list({ limit: 1 })
    await journal.close()
  }
  if (json) io.out(`${JSON.stringify({ database: path, kind: 'sqlite', exists: there }, null, 2)}\n`)
  else io.out(there ? `${path} is up to date: a file is migrated whenever it is opened\n` : `${path} does not exist yet: the first run makes it\n`)
  return EXIT.done
}

/** `stateloop db <action>`. */
export const dbCommand: CommandDefinition<CommonOptions> = {
  name: 'db',
  about: 'show whether the database has the tables of this version, or make them',
  args: [{ name: 'action', about: `one of: ${ACTIONS.join(', ')}` }],
  options: COMMON,
  run: async (io, [action = ''], { db, json = false }) => {
    if (!ACTIONS.some((known) => known === action)) fail('usage', `There is no db ${action}. Write: stateloop db ${ACTIONS.join('|')}.`)
    const place = databasePath(await openProject(io), db, io.env)
    return isUrl(place) ? sayPostgres(io, action, place, json) : saySqlite(io, place, json)
  },
}
