// `stateloop run`: starts an agent and follows it until it rests.
import { fail, type Json } from '../../failure/index.ts'
import type { Runtime, StartOptions } from '../../run/index.ts'
import { defined, validate } from '../../schema/index.ts'
import { AGENT_ARGUMENT, COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { drainOnSignal, follow } from '../follow.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'
import { loadAgent, type LoadedAgent } from '../load-agent.ts'
import { loadRestate } from '../load-restate.ts'
import { openRuntime, repeatOptions, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'
import { offlineOf } from '../providers.ts'

interface RunOptions extends CommonOptions, Pick<StartOptions, 'user' | 'route' | 'tenant' | 'key' | 'session'> {
  readonly input?: string
  readonly question?: string
  readonly events?: boolean
  readonly queue?: boolean
  readonly engine?: string
  readonly ingress?: string
  readonly priority?: string
  readonly faults?: boolean
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

const startOptions = ({ user, route, tenant, key, session }: RunOptions): StartOptions => defined({ user, route, tenant, key, session })

/** Leaves the run to a worker. */
const enqueue = async (io: Io, runtime: Runtime, { agent, source }: LoadedAgent, input: Json, options: RunOptions): Promise<number> => {
  const { priority = '0', json = false } = options
  if (!/^-?\d{1,6}$/.test(priority)) fail('usage', `--priority must be a whole number, not ${JSON.stringify(priority)}.`)
  try {
    const { id, created } = await runtime.enqueue(agent, input, { ...startOptions(options), source, priority: Number(priority) })
    if (json) io.out(`${JSON.stringify({ run: id, created }, null, 2)}\n`)
    else io.out(`${created ? 'queued' : 'known by its key'}: run ${id}\n`)
    return EXIT.done
  } finally {
    await runtime.close()
  }
}

/** How the engine that was asked for starts a run. */
const startOn = ({ engine = 'embedded', ingress }: RunOptions, runtime: Runtime): Runtime['start'] => {
  if (engine === 'embedded') return (...start) => runtime.start(...start)
  if (engine !== 'restate') return fail('usage', `There is no engine ${JSON.stringify(engine)}. There are: embedded, restate.`)
  return async (...start) => {
    const { restateClient } = await loadRestate()
    return restateClient(runtime, ingress === undefined ? {} : { ingress }).start(...start)
  }
}

const run = async (io: Io, name: string, options: RunOptions): Promise<number> => {
  const project = await openProject(io)
  const loaded = await loadAgent(project, name)
  const input = await inputOf(io, loaded, options)
  const { runtime, notes } = await openRuntime(io, project, loaded, options)
  if (options.queue === true) return enqueue(io, runtime, loaded, input, options)
  let started: string | undefined
  const repeat = repeatOptions(options)
  const stopListening = drainOnSignal(io, runtime, () => started, repeat)
  const { json = false, events = false } = options
  try {
    const handle = await startOn(options, runtime)(loaded.agent, input, { ...startOptions(options), source: loaded.source, stream: io.terminal || events })
    started = handle.id
    const known = handle.created ? [] : [`run ${handle.id} was already started with this key`]
    return await follow(io, handle, { json, events, notes: [...notes, ...known], repeat })
  } finally {
    stopListening()
    await runtime.close()
  }
}

/** Runs the agent once under each scenario, in one runtime, so that circuits stay as they were left. */
const runFaults = async (io: Io, name: string, options: RunOptions): Promise<number> => {
  if (options.json === true || options.events === true || options.key !== undefined) return fail('usage', '--faults shows several runs to people: leave out --json, --events and --key.')
  const { faultyServer, FAULT_SCENARIOS } = await import('../faults.ts')
  const project = await openProject(io)
  const loaded = await loadAgent(project, name)
  const input = await inputOf(io, loaded, options)
  await using server = await faultyServer(offlineOf(loaded.exports))
  const behind = { ...loaded, exports: { ...loaded.exports, providers: [server.provider] } }
  const { runtime, notes } = await openRuntime(io, { ...project, config: { ...project.config, providers: [] } }, behind, options)
  const repeat = repeatOptions(options)
  const told = [...notes, 'offline: scripted rules, not a language model, answer behind a server on this machine that misbehaves']
  const exits: number[] = []
  try {
    for (const [index, scenario] of FAULT_SCENARIOS.entries()) {
      server.begin(scenario)
      io.out(`${index === 0 ? '' : '\n'}${io.style('cyan', `${index + 1}. ${scenario.name}`)}\n`)
      const handle = await runtime.start(loaded.agent, input, { source: loaded.source, stream: io.terminal })
      exits.push(await follow(io, handle, { json: false, events: false, notes: index === 0 ? told : [], repeat }))
    }
  } finally {
    await runtime.close()
  }
  return Math.max(...exits)
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
    { flags: '--engine <name>', about: 'embedded (default), or restate to let a Restate server drive the run' },
    { flags: '--ingress <url>', about: 'the ingress of Restate; default http://127.0.0.1:8080' },
    { flags: '--queue', about: 'only put it into the queue; `stateloop worker` begins it' },
    { flags: '--priority <n>', about: 'higher ones leave the queue first; default 0' },
    { flags: '--events', about: 'every event as a line of JSON' },
    { flags: '--faults', about: 'run it against a provider that misbehaves, to see how it survives' },
  ],
  run: (io, [name = ''], options) => (options.faults === true ? runFaults(io, name, options) : run(io, name, options)),
}
