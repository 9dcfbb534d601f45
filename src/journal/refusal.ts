// What a journal says when it refuses: one place for the words, so that every store refuses alike.
// Invariant: a refusal is thrown before anything is written.
import { fail } from '../failure/index.ts'
import { isEnded, type Lease, type RunRow, type RunStatus } from './journal.ts'
import type { StoredEntry } from './entry.ts'

/** @throws FailureError `run_not_found`. */
export const refuseUnknown = (run: string): never => fail('run_not_found', `The journal has no run ${run}. List the runs it has with \`stateloop runs\`.`, { details: { run } })

/** @throws FailureError `run_ended` when the status is a final one. */
export const refuseEnded = (run: string, status: RunStatus): void => {
  if (isEnded(status)) fail('run_ended', `Run ${run} takes no more events: it ended as ${status}. Start a new run.`, { details: { run, status } })
}

/** @throws FailureError `session_busy`. */
export const refuseSession = (session: string, holder: string): never =>
  fail('session_busy', `Session ${session} already has a run that has not ended, ${holder}. Wait until it ends, cancel it, or start with onBusy: 'queue'.`, {
    details: { session, run: holder },
  })

/** @throws FailureError `lease_held`. */
export const refuseHeld = (held: Lease): never =>
  fail('lease_held', `Run ${held.run} is being run by ${held.owner} until ${new Date(held.expiresAt).toISOString()} or longer. Wait until it ends or its lease expires.`, {
    details: { run: held.run, owner: held.owner, expiresAt: held.expiresAt },
  })

/** @throws FailureError `lease_lost`. */
export const refuseLost = ({ run, owner, epoch }: Lease, current: number): never => {
  const seen = epoch === current ? 'it was given back' : `the run is at epoch ${current}`
  return fail('lease_lost', `${owner} no longer holds the lease of run ${run}: it had epoch ${epoch}, ${seen}. Stop; whoever takes the run goes on with it.`, {
    details: { run, owner, epoch, current },
  })
}

/** @throws FailureError `journal_unavailable`. */
export const refuseClosed = (journal: string): never => fail('journal_unavailable', `The journal ${journal} was closed, so nothing can be read from it or written to it. Open it again.`)

/** The head an append is measured against. */
export interface Head {
  readonly seq: number
  readonly hash: string
}

/**
 * Tells whether an entry is the one after `head`. The head itself, appended again, is a repeat and not an error, so
 * that an append whose outcome is unknown (`journal_unavailable`) can be tried again.
 * @throws Error for any other entry: only a bug appends out of order.
 */
export const isNext = (run: string, head: Head, entry: StoredEntry): boolean => {
  if (entry.seq === head.seq + 1) return true
  if (entry.seq === head.seq && entry.hash === head.hash) return false
  throw new Error(`Entry ${entry.seq} (${entry.hash}) cannot follow entry ${head.seq} (${head.hash}) of run ${run}`)
}

/** @throws TypeError for an entry that no store could give back exactly: its text is not what JSON.stringify writes. */
export const checkText = (text: string): void => {
  if (!text.isWellFormed() || text.includes('\0')) throw new TypeError('The journal keeps JSON text: write lone surrogates and NUL as \\u escapes, as JSON.stringify does')
}

const NAMES = ['id', 'agent', 'agentVersion', 'agentHash', 'source', 'engine', 'user', 'route', 'tenant', 'session', 'key'] as const

/**
 * Checks a run before it is created.
 * @throws FailureError `invalid_input` when a name holds NUL or a lone surrogate, which databases cannot keep.
 */
export const checkRow = (row: RunRow, first: StoredEntry): void => {
  for (const field of NAMES) {
    const name = row[field]
    if (name === undefined || (name.isWellFormed() && !name.includes('\0'))) continue
    fail('invalid_input', `The ${field} of a run is kept as a name, but ${JSON.stringify(name)} holds NUL or half a surrogate pair. Remove it.`, {
      details: { field },
    })
  }
  if (first.seq !== 0) throw new Error(`The first entry of run ${row.id} has seq ${first.seq}, not 0`)
  checkText(first.text)
}
