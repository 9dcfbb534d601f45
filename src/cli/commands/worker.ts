// `stateloop worker`: goes on with what the journal holds, until it is told to end. Invariant: what it had when it ends is
// free for the next worker.
import { fail, type Failure } from '../../failure/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { agentNames, loadAgent, type LoadedAgent } from '../load-agent.ts'
import { openRuntime, type AgentRuntime, type CommonOptions } from '../open-runtime.ts'
import { loadRestate } from '../load-restate.ts'
import { databasePath, openProject, showDatabase } from '../project.ts'

interface WorkerOptions extends CommonOptions {
  readonly engine: string
  readonly listen: string
  readonly ingress?: string
  readonly concurrency: string
  readonly grace: string
  readonly untilIdle?: boolean
  readonly acceptChanged?: boolean
}

const numberOf = (text: string, flag: string, most: number): number =>
  /^[1-9]\d{0,6}$/.test(text) && Number(text) <= most ? Number(text) : fail('usage', `${flag} must be a number from 1 to ${most}, not ${JSON.stringify(text)}.`)

/** Ends the worker on the first signal, the process on the second. @returns stops listening. */
const endOnSignal = (io: Io, end: AbortController): (() => void) => {
  const stop = (signal: NodeJS.Signals): void => {
    if (end.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    io.err(`\n${signal}: handing over what is under way; again to stop at once.\n`)
    end.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return () => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Tells a person what could not be done. */
const troubleTeller =
  (io: Io) =>
  (run: string, { code, message }: Failure): void =>
    io.err(`${run === '' ? 'journal' : run} ${code}: ${oneLine(message)}\n`)

const workOnJournal = async (io: Io, { runtime }: AgentRuntime, options: WorkerOptions, signal: AbortSignal): Promise<number> => {
  const { untilIdle = false, acceptChanged = false, json = false } = options
  const concurrency = numberOf(options.concurrency, '--concurrency', 10_000)
  const graceMs = numberOf(options.grace, '--grace', 3_600) * 1_000
  const done = await runtime.drive({ concurrency, graceMs, acceptChanged, whenIdle: untilIdle ? 'return' : 'wait', signal, onTrouble: troubleTeller(io) })
  if (json) io.out(`${JSON.stringify(done, null, 2)}\n`)
  else io.out(`took up ${done.taken}: ${done.ended} ended, ${done.waiting} wait, ${done.handedOver} handed over\n`)
  return EXIT.done
}

/** Serves Restate until told to end; Restate itself brings back what was under way. */
const serveRestate = async (io: Io, { runtime }: AgentRuntime, { listen, ingress, acceptChanged = false }: WorkerOptions, signal: AbortSignal): Promise<number> => {
  const { restate, restateClient, serveServices } = await loadRestate()
  const { services, sweep } = restate(runtime, { acceptChanged })
  const { port, close } = await serveServices(services, numberOf(listen, '--listen', 65_535))
  const stopSweeping = sweep(restateClient(runtime, ingress === undefined ? {} : { ingress }).wake)
  io.out(`serving Restate on port ${port}; register it once: curl -X POST http://localhost:9070/deployments -H 'content-type: application/json' -d '{"uri":"http://localhost:${port}"}'\n`)
  if (!signal.aborted) await new Promise((ended) => signal.addEventListener('abort', ended))
  stopSweeping()
  await close()
  return EXIT.done
}

const worker = async (io: Io, named: readonly string[], options: WorkerOptions): Promise<number> => {
  const project = await openProject(io)
  const names = named.length > 0 ? named : agentNames(project)
  if (names.length === 0) fail('usage', 'There is no agent in the settings or under agents/. Name the agents to work for: stateloop worker <agent> …')
  if (options.engine !== 'embedded' && options.engine !== 'restate') fail('usage', `There is no engine ${JSON.stringify(options.engine)}. There are: embedded, restate.`)
  const [first, ...more] = await Promise.all(names.map((name) => loadAgent(project, name)))
  const opened = await openRuntime(io, project, first as LoadedAgent, options, more)
  const end = new AbortController()
  const stopListening = endOnSignal(io, end)
  try {
    for (const note of opened.notes) io.err(`${note}\n`)
    if (options.json !== true) io.out(`working for ${names.join(', ')} on ${showDatabase(databasePath(project, options.db, io.env))}\n`)
    return await (options.engine === 'restate' ? serveRestate(io, opened, options, end.signal) : workOnJournal(io, opened, options, end.signal))
  } finally {
    stopListening()
    await opened.runtime.close(0)
  }
}

/** `stateloop worker [agents…]`. */
export const workerCommand: CommandDefinition<WorkerOptions> = {
  name: 'worker',
  about: 'go on with runs that nobody drives, fire timers and begin queued runs, until stopped',
  args: [{ name: 'agents', about: 'whom to work for; default: all in the settings and under agents/', optional: true, many: true }],
  options: [
    ...COMMON,
    { flags: '--concurrency <n>', about: 'runs at work at once', default: '16' },
    { flags: '--grace <seconds>', about: 'how long a call that must not be repeated may take to finish when stopped', default: '5' },
    { flags: '--engine <name>', about: 'embedded, or restate to serve a Restate server', default: 'embedded' },
    { flags: '--listen <port>', about: 'where Restate calls this worker', default: '9080' },
    { flags: '--ingress <url>', about: 'the ingress of Restate; default http://127.0.0.1:8080' },
    { flags: '--until-idle', about: 'end when there is nothing to do, as in a cron job' },
    { flags: '--accept-changed', about: 'also go on with runs of changed agents, if every recorded step still leads to the same place' },
  ],
  run: worker,
}
