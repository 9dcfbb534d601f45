// `stateloop eval add`: makes a case of a recorded run. Invariant: cases are only added, one line each, so a file under
// version control shows exactly what came in.
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { caseFile, readCases, type EvalCase } from '../../eval/index.ts'
import { fail } from '../../failure/index.ts'
import { COMMON, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { shownPath } from '../eval/write-reports.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'
import { findRun, type CommonOptions } from '../open-runtime.ts'
import { entriesOf } from '../run-tree.ts'

interface AddOptions extends CommonOptions {
  readonly expect?: string
  readonly id?: string
  readonly tag?: readonly string[]
  readonly to?: string
}

/** Characters of a run's id that name a case. */
const SHORT = 12

const add = async (io: Io, id: string, { expect, id: name, tag, to, ...common }: AddOptions): Promise<number> => {
  const { row, journal, project } = await findRun(io, id, common)
  const entries = await entriesOf(journal, id)
  await journal.close()
  const start = entries[0]?.body.cause
  if (start?.type !== 'start') return fail('journal_corrupt', `Run ${id} does not begin with a start, so it has no input to make a case of.`)
  const path = to === undefined ? join(project.root, 'agents', row.agent, 'evals', 'cases.jsonl') : resolve(io.cwd, to)
  if (!path.endsWith('.jsonl')) fail('usage', `Cases are added to .jsonl files, and ${path} is none.`)
  const before = await readFile(path, 'utf8').catch(() => '')
  const added: EvalCase = {
    id: name ?? `run-${id.slice(-SHORT)}`,
    input: start.input,
    ...(expect === undefined ? {} : { expected: await jsonArgument(io, expect, '--expect') }),
    ...(tag === undefined ? {} : { tags: tag }),
    sourceRun: id,
  }
  if (before !== '' && (await readCases(caseFile(path))).some((one) => one.id === added.id)) fail('usage', `${path} already has a case ${added.id}. Give this one another id with --id.`)
  await mkdir(dirname(path), { recursive: true })
  await appendFile(path, `${before === '' || before.endsWith('\n') ? '' : '\n'}${JSON.stringify(added)}\n`)
  if (common.json === true) io.out(`${JSON.stringify({ case: added, path }, null, 2)}\n`)
  else io.out(`added case ${added.id} to ${shownPath(io, path)}${expect === undefined ? '; it expects nothing yet' : ''}\n`)
  return 0
}

/** `stateloop eval add <run>`. */
export const evalAddCommand: CommandDefinition<AddOptions> = {
  name: 'eval add',
  about: 'add a case made from a recorded run to a file of cases',
  args: [RUN_ARGUMENT],
  options: [
    ...COMMON,
    { flags: '--expect <json>', about: 'what a good answer is, as JSON, @file, or - for standard input' },
    { flags: '--id <id>', about: 'id of the case; default made from that of the run' },
    { flags: '--tag <tag>', about: 'a tag of the case; may be repeated', many: true },
    { flags: '--to <file>', about: 'the .jsonl file; default agents/<agent>/evals/cases.jsonl' },
  ],
  run: (io, [run = ''], options) => add(io, run, options),
}
