// What an error of PostgreSQL or of the network means. Invariant: a server that is away or full is never a defect, and
// an error is called lost only when the same statement may be sent again.
import { failure, FailureError, type FailureCode } from '../../failure/index.ts'

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '')

const NETWORK: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT'])
/** Shutting down, starting up, promoted or demoted, too many connections. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const AWAY: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '57P05', '25006', '25P03', '53300'])
/** The driver's own errors about a connection have no code. */
const DRIVER = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after|Client was closed)/

/** Tells whether the connection or the server went away: nothing or everything of the statement may have happened. */
export const isLost = (thrown: unknown): boolean => {
  const code = codeOf(thrown)
  return NETWORK.has(code) || AWAY.has(code) || code.startsWith('08') || (thrown instanceof Error && DRIVER.test(thrown.message))
}

/** Tells whether another transaction stood in the way, so that nothing happened and trying again may work. */
export const isConflict = (thrown: unknown): boolean => ['40001', '40P01', '23505'].includes(codeOf(thrown))

const made = (code: FailureCode, doing: string, place: string, thrown: unknown, advice: string): FailureError =>
  new FailureError(failure(code, `${doing} the journal ${place} failed: ${(thrown as Error).message}. ${advice}`, { details: { place }, cause: thrown }))

const ADVICE: readonly (readonly [RegExp, FailureCode, string])[] = [
  [/^XX00[12]$/, 'journal_corrupt', 'The database is damaged: restore it from a backup.'],
  [/^53/, 'journal_unavailable', 'Free disk space, memory or connections of the server.'],
  [/^(28|3D)/, 'journal_unavailable', 'Check the user, the password and the name of the database.'],
  [/^42501$/, 'journal_unavailable', 'Give the user the right to create and use the schema, or let another user run `stateloop db migrate`.'],
  [/^(42P01|42703|3F000)$/, 'journal_unavailable', 'The tables are not those of this version: run `stateloop db migrate`.'],
  [/^(55P03|57014)$/, 'journal_unavailable', 'Another connection keeps it locked: find out which.'],
]

/** The failure that an error means, or the error itself when it is a bug of ours. */
export const faultOf = (thrown: unknown, doing: string, place: string): unknown => {
  if (thrown instanceof FailureError || !(thrown instanceof Error)) return thrown
  if (isLost(thrown)) return made('journal_unavailable', doing, place, thrown, 'Check that the server runs and can be reached; an append may be tried again.')
  const known = ADVICE.find(([pattern]) => pattern.test(codeOf(thrown)))
  return known === undefined ? thrown : made(known[1], doing, place, thrown, known[2])
}
