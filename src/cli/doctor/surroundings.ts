// What a run needs around it: the version of Node and the database. Invariant: looking changes nothing and makes no database.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { postgresStatus, sqliteStatus } from '../../journal/index.ts'
import { nodeProblem } from '../oldest-node.ts'
import { isUrl, showDatabase } from '../project.ts'
import { broken, ok, warning, type Check } from './check.ts'

/** Looks at the version of Node, such as `22.19.0`. */
export const checkNode = (version: string): Check => {
  const problem = nodeProblem(version)
  return problem === undefined ? ok('node', `Node ${version}`) : broken('node', problem)
}

const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const compareSchema = (place: string, { found, known }: { readonly found: number; readonly known: number }, older: string): Check | undefined => {
  if (found === known) return undefined
  if (found > known) return broken('database', `${place} has schema ${found}, this version knows ${known}. Upgrade Stateloop.`)
  return warning('database', `${place} has schema ${found}, this version needs ${known}. ${older}`)
}

const checkFile = (path: string): readonly Check[] => {
  // The witness tells a database that was lost from one that was never made.
  if (!existsSync(path) && existsSync(`${path}-head`))
    return [broken('database', `${path} is gone, but ${path}-head says that runs were written to it. Restore it from a backup, or delete that file to start an empty one.`)]
  if (!existsSync(path)) return [ok('database', `${path} does not exist yet: the first run makes it`)]
  const status = sqliteStatus({ path })
  const locked = [path, dirname(path)].filter((place) => !isWritable(place))
  if (locked.length > 0) return [broken('database', `${locked.join(' and ')} cannot be written. Fix the permissions.`)]
  const size = `${megabytes(sizeOf(path))}, and ${megabytes(sizeOf(`${path}-wal`))} in its log`
  return [compareSchema(path, status, 'The next run migrates it.') ?? ok('database', `${path} opens, is writable and agrees with its head witness: schema ${status.found}, ${size}`)]
}

/** Looks at the database. @throws FailureError when it cannot be opened, is damaged or is behind its head witness. */
export const checkDatabase = async (place: string): Promise<readonly Check[]> => {
  if (!isUrl(place)) return checkFile(place)
  const status = await postgresStatus({ url: place })
  const shown = showDatabase(place)
  return [compareSchema(shown, status, 'Run `stateloop db migrate`.') ?? ok('database', `${shown} answers: schema ${status.found}`)]
}
