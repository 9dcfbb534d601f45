// `stateloop approve` and `stateloop reject`: a person decides calls that a run holds back. Invariant: a decision names the
// hash of exactly the call that was shown; nothing is approved by default.
import { fail, type Json } from '../../failure/index.ts'
import type { RunRow } from '../../journal/index.ts'
import type { OutsideEvent } from '../../run/index.ts'
import { CONTINUE, RUN_ARGUMENT, type CommandDefinition, type Option } from '../command.ts'
import { continueRun, type ContinueOptions } from '../continue-run.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'

interface DecideOptions extends ContinueOptions {
  readonly all?: boolean
  readonly hash?: readonly string[]
  readonly by?: string
  readonly reason?: string
  readonly edit?: string
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

/** The decision for one call with other arguments. */
const editOf = (row: RunRow, args: Json, options: DecideOptions): OutsideEvent => {
  const [hash, ...others] = hashesIn(row, options, 'edit')
  if (hash === undefined || others.length > 0) return fail('usage', '--edit gives the arguments of one call. Name it with --hash.')
  return { type: 'EDIT', hash, args }
}

const approve = async (io: Io, run: string, options: DecideOptions): Promise<number> => {
  if (options.edit === undefined) return decide(io, run, 'APPROVE', options)
  const args = await jsonArgument(io, options.edit, '--edit')
  return continueRun(io, run, options, (sender, row) => sender.send(editOf(row, args, options), options.by))
}

const OPTIONS: readonly Option[] = [
  ...CONTINUE,
  { flags: '--hash <hash>', about: `hash of a call, or its first ${SHORTEST} characters or more; may be repeated`, many: true },
  { flags: '--all', about: 'every call that the run holds back' },
  { flags: '--by <who>', about: 'who decides, kept in the journal' },
]

/** `stateloop approve <run>`. */
export const approveCommand: CommandDefinition<DecideOptions> = {
  name: 'approve',
  about: 'approve calls that a run holds back, and follow it',
  args: [RUN_ARGUMENT],
  options: [...OPTIONS, { flags: '--edit <json>', about: 'run one call with these arguments instead: JSON, @file, or - for standard input' }],
  run: (io, [run = ''], options) => approve(io, run, options),
}

/** `stateloop reject <run>`. */
export const rejectCommand: CommandDefinition<DecideOptions> = {
  name: 'reject',
  about: 'reject calls that a run holds back, and follow it',
  args: [RUN_ARGUMENT],
  options: [...OPTIONS, { flags: '--reason <text>', about: 'why; the model sees it' }],
  run: (io, [run = ''], options) => decide(io, run, 'REJECT', options),
}
