// `stateloop run`: starts an agent and follows it until it rests.
import { fail, type Json } from '../../failure/index.ts'
import type { StartOptions } from '../../run/index.ts'
import { validate } from '../../schema/index.ts'
import { AGENT_ARGUMENT, COMMON, type CommandDefinition } from '../command.ts'
import { drainOnSignal, follow } from '../follow.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'
import { loadAgent, type LoadedAgent } from '../load-agent.ts'
import { openRuntime, repeatOptions, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'

interface RunOptions extends CommonOptions, Pick<StartOptions, 'user' | 'route' | 'tenant' | 'key' | 'session'> {
  readonly input?: string
  readonly question?: string
  readonly events?: boolean
}

/**
 * The agent's input. A question is the input itself where the agent takes text. Without an input an agent's own `example`
 * is run, where its module exports one.
 */
const inputOf = (io: Io, { agent, exports }: LoadedAgent, { input, question }: RunOptions): Json | Promise<Json> => {
  if (question !== undefined && input !== undefined) return fail('usage', 'Give either --question or --input, not both.')
  if (question !== undefined) return validate(agent.input, question).ok ? question : { question }
  return input === undefined ? ((exports['example'] ?? {}) as Json) : jsonArgument(io, input, '--input')
}

const run = async (io: Io, name: string, options: RunOptions): Promise<number> => {
  const project = await openProject(io)
  const loaded = await loadAgent(project, name)
  const input = await inputOf(io, loaded, options)
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

/** `stateloop run <agent>`. */
export const runCommand: CommandDefinition<RunOptions> = {
  name: 'run',
  about: 'start an agent and follow it until it is done or waits',
  args: [AGENT_ARGUMENT],
  options: [
    ...COMMON,
    { flags: '--input <json>', about: "the input as JSON, @file, or - for standard input; default the agent's example, then {}" },
    { flags: '--question <text>', about: 'the input of an agent that takes text, or {"question": text}' },
    { flags: '--user <id>', about: 'whom the run is for' },
    { flags: '--route <name>', about: 'which part of the product asked' },
    { flags: '--tenant <id>', about: 'which customer is billed' },
    { flags: '--key <key>', about: 'starting again with the same key gives the same run' },
    { flags: '--session <id>', about: 'runs of a session follow each other and share threads' },
    { flags: '--events', about: 'every event as a line of JSON' },
  ],
  run: (io, [name = ''], options) => run(io, name, options),
}
