// `stateloop run`: starts an agent and follows it until it rests.
import type { Command } from 'commander'
import type { StartOptions } from '../../run/index.ts'
import { drainOnSignal, follow } from '../follow.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'
import { loadAgent } from '../load-agent.ts'
import { openRuntime, repeatOptions, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'
import { fail, type Json } from '../../failure/index.ts'
import { addCommonOptions, type SetExit } from './options.ts'

interface RunOptions extends CommonOptions, Pick<StartOptions, 'user' | 'route' | 'tenant' | 'key' | 'session'> {
  readonly input?: string
  readonly question?: string
  readonly events?: boolean
}

/** Without an input an agent's own `example` is run, where its module exports one. */
const inputOf = (io: Io, { input, question }: RunOptions, example: unknown): Json | Promise<Json> => {
  if (question !== undefined && input !== undefined) return fail('usage', 'Give either --question or --input, not both.')
  if (question !== undefined) return { question }
  return input === undefined ? ((example ?? {}) as Json) : jsonArgument(io, input, '--input')
}

const run = async (io: Io, name: string, options: RunOptions): Promise<number> => {
  const project = await openProject(io)
  const loaded = await loadAgent(project, name)
  const input = await inputOf(io, options, loaded.exports['example'])
  const { runtime, notes } = await openRuntime(io, project, loaded, options)
  let started: string | undefined
  const repeat = repeatOptions(options)
  const stopListening = drainOnSignal(io, runtime, () => started, repeat)
  const { user, route, tenant, key, session, json = false, events = false } = options
  const given = Object.entries({ user, route, tenant, key, session }).filter(([, value]) => value !== undefined)
  try {
    const handle = await runtime.start(loaded.agent, input, { ...Object.fromEntries(given), source: loaded.source, stream: io.terminal || events })
    started = handle.id
    const known = handle.created ? [] : [`run ${handle.id} was already started with this key`]
    return await follow(io, handle, { json, events, notes: [...notes, ...known], repeat })
  } finally {
    stopListening()
    await runtime.close()
  }
}

/** Adds the command. */
export const addRun = (program: Command, io: Io, setExit: SetExit): void => {
  addCommonOptions(program.command('run').description('start an agent and follow it until it is done or waits').argument('<agent>', 'a path, a name in stateloop.config, or the name of a folder under agents/'))
    .option('--input <json>', 'the input as JSON, @file, or - for standard input; default: the example that the agent exports, or {}')
    .option('--question <text>', 'short for --input \'{"question":"<text>"}\'')
    .option('--user <id>', 'whom the run is for')
    .option('--route <name>', 'which part of the product asked')
    .option('--tenant <id>', 'which customer is billed')
    .option('--key <key>', 'starting again with the same key gives the same run')
    .option('--session <id>', 'runs of a session follow each other and share threads')
    .option('--events', 'every event as a line of JSON')
    .action(async (name: string, options: RunOptions) => setExit(await run(io, name, options)))
}
