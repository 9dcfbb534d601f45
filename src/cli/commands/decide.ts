// `stateloop approve` and `stateloop reject`: a person decides calls that a run holds back. Invariant: a decision names the
// hash of exactly the call that was shown; nothing is approved by default.
import type { Command } from 'commander'
import { fail } from '../../failure/index.ts'
import type { RunRow } from '../../journal/index.ts'
import { continueRun, type ContinueOptions } from '../continue-run.ts'
import type { Io } from '../io.ts'
import { addContinueOptions, type SetExit } from './options.ts'

interface DecideOptions extends ContinueOptions {
  readonly all?: boolean
  readonly hash?: readonly string[]
  readonly by?: string
  readonly reason?: string
}

/** Shortest beginning of a hash that is taken for it, characters. */
const SHORTEST = 8

const hashesIn = (row: RunRow, { all, hash = [] }: DecideOptions, verb: string): readonly string[] => {
  const open = (row.waiting ?? []).flatMap((waiting) => waiting.calls ?? [])
  if (open.length === 0) return fail('event_not_accepted', `Run ${row.id} holds no call back, so there is nothing to ${verb}. It stands at ${JSON.stringify(row.state)} as ${row.status}.`)
  if (all === true) return open.map((call) => call.hash)
  const shown = open.map((call) => `${call.hash} (${call.name})`).join(', ')
  if (hash.length === 0) return fail('usage', `Say which calls to ${verb}: --hash with one of ${shown}, or --all.`)
  return hash.map((wanted) => {
    const found = open.filter((call) => call.hash === wanted || (wanted.length >= SHORTEST && call.hash.startsWith(wanted)))
    const [only] = found
    return found.length === 1 && only !== undefined ? only.hash : fail('event_not_accepted', `Run ${row.id} holds no call with the hash ${wanted} back. Open: ${shown}.`)
  })
}

const decide = (io: Io, run: string, type: 'APPROVE' | 'REJECT', options: DecideOptions): Promise<number> =>
  continueRun(io, run, options, (sender, row) => {
    const hashes = hashesIn(row, options, type.toLowerCase())
    return sender.send({ type, hashes, ...(options.reason === undefined ? {} : { reason: options.reason }) }, options.by)
  })

const collect = (hash: string, before: readonly string[] = []): readonly string[] => [...before, hash]

const addDecision = (program: Command, name: string, description: string): Command =>
  addContinueOptions(program.command(name).description(description).argument('<run>', 'id of the run'))
    .option('--hash <hash>', `hash of a call, or its first ${SHORTEST} characters or more; may be repeated`, collect)
    .option('--all', 'every call that the run holds back')
    .option('--by <who>', 'who decides, kept in the journal')

/** Adds `approve`. */
export const addApprove = (program: Command, io: Io, setExit: SetExit): void => {
  addDecision(program, 'approve', 'approve calls that a run holds back, and follow it').action(async (run: string, options: DecideOptions) => setExit(await decide(io, run, 'APPROVE', options)))
}

/** Adds `reject`. */
export const addReject = (program: Command, io: Io, setExit: SetExit): void => {
  addDecision(program, 'reject', 'reject calls that a run holds back, and follow it')
    .option('--reason <text>', 'why; the model sees it')
    .action(async (run: string, options: DecideOptions) => setExit(await decide(io, run, 'REJECT', options)))
}
