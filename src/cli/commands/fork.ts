// `stateloop fork`: starts a new run that begins like an old one, and goes on live when asked to.
import { fail, type Json } from '../../failure/index.ts'
import { forkRun } from '../../replay/index.ts'
import { COMMON, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { drainOnSignal, follow } from '../follow.ts'
import type { Io } from '../io.ts'
import { agentOfRun, findRun, openRuntime, repeatOptions, type CommonOptions } from '../open-runtime.ts'
import { commandLine } from '../shell.ts'

interface ForkCommandOptions extends CommonOptions {
  readonly at?: string
  readonly set?: readonly string[]
  readonly agent?: string
  readonly live?: boolean
}

/** `path=value`, where the value is JSON, or text when it is not. */
const changeOf = (text: string): readonly [path: string, value: Json] => {
  const [, path, value = ''] = /^([^=]+)=([^]*)$/.exec(text) ?? fail('usage', `--set must be path=value, such as --set output.intent=order, not ${JSON.stringify(text)}.`)
  try {
    return [path ?? '', JSON.parse(value) as Json]
  } catch {
    return [path ?? '', value]
  }
}

const fork = async (io: Io, run: string, options: ForkCommandOptions): Promise<number> => {
  if (options.at === undefined || !/^\d+$/.test(options.at)) return fail('usage', 'Say where to fork with --at <step>, counted from 0. `stateloop diff <run> <run>` numbers the steps.')
  const { project, row, journal } = await findRun(io, run, options)
  const loaded = await agentOfRun(project, row, options.agent)
  const id = await forkRun(journal, run, loaded.agent, { at: Number(options.at), set: Object.fromEntries((options.set ?? []).map(changeOf)) })
  await journal.close()
  const repeat = repeatOptions(options)
  if (options.live !== true) {
    if (options.json === true) io.out(`${JSON.stringify({ run: id, forkedFrom: { run, seq: Number(options.at) } }, null, 2)}\n`)
    else io.out(`run ${id} begins like ${run} up to step ${options.at}; go on live with\n    ${commandLine(['resume', id, ...repeat], io)}\n`)
    return EXIT.done
  }
  const { runtime, notes } = await openRuntime(io, project, loaded, options)
  const stopListening = drainOnSignal(io, runtime, () => id, repeat)
  try {
    const handle = await runtime.resume(id, { agent: loaded.agent, stream: io.terminal })
    return await follow(io, handle, { json: options.json ?? false, events: false, notes, repeat })
  } finally {
    stopListening()
    await runtime.close()
  }
}

/** `stateloop fork <run>`. */
export const forkCommand: CommandDefinition<ForkCommandOptions> = {
  name: 'fork',
  about: 'start a new run from a step of another, with values changed if you like',
  args: [RUN_ARGUMENT],
  options: [
    ...COMMON,
    { flags: '--at <step>', about: 'the last step that both runs have, from 0' },
    { flags: '--set <path=value>', about: 'change what came in at that step (input.…, output.…, event.…) or context.…; may be repeated', many: true },
    { flags: '--agent <agent>', about: 'the agent to go on with; default: where the run was started from' },
    { flags: '--live', about: 'go on at once and follow the new run' },
  ],
  run: (io, [run = ''], options) => fork(io, run, options),
}
