// `stateloop worker`: goes on with what the journal holds, until it is told to end. Invariant: what it had when it ends is
// free for the next worker, and one agent that cannot be driven does not stop the others.
import { fail, type Failure } from '../../failure/index.ts'
import type { DriveResult } from '../../run/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { agentNames, loadAgent } from '../load-agent.ts'
import { openRuntime, type AgentRuntime, type CommonOptions } from '../open-runtime.ts'
import { databasePath, openProject, showDatabase } from '../project.ts'

interface WorkerOptions extends CommonOptions {
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

const sum = (results: readonly DriveResult[]): DriveResult => {
  const due = results.flatMap(({ nextDueAt }) => nextDueAt ?? [])
  const total = (field: 'taken' | 'ended' | 'waiting' | 'handedOver'): number => results.reduce((all, result) => all + result[field], 0)
  return { taken: total('taken'), ended: total('ended'), waiting: total('waiting'), handedOver: total('handedOver'), ...(due.length === 0 ? {} : { nextDueAt: Math.min(...due) }) }
}

const worker = async (io: Io, named: readonly string[], options: WorkerOptions): Promise<number> => {
  const project = await openProject(io)
  const names = named.length > 0 ? named : agentNames(project)
  if (names.length === 0) fail('usage', 'There is no agent in the settings or under agents/. Name the agents to work for: stateloop worker <agent> …')
  const concurrency = numberOf(options.concurrency, '--concurrency', 10_000)
  const graceMs = numberOf(options.grace, '--grace', 3_600) * 1_000
  const end = new AbortController()
  const opened: AgentRuntime[] = []
  const stopListening = endOnSignal(io, end)
  const onTrouble = (run: string, { code, message }: Failure): void => io.err(`${run === '' ? 'journal' : run} ${code}: ${oneLine(message)}\n`)
  try {
    for (const name of names) opened.push(await openRuntime(io, project, await loadAgent(project, name), options))
    for (const note of new Set(opened.flatMap(({ notes }) => notes))) io.err(`${note}\n`)
    if (options.json !== true) io.out(`working for ${names.join(', ')} on ${showDatabase(databasePath(project, options.db, io.env))}\n`)
    const { untilIdle = false, acceptChanged = false } = options
    const drives = opened.map(({ runtime }) => runtime.drive({ concurrency, graceMs, acceptChanged, whenIdle: untilIdle ? 'return' : 'wait', signal: end.signal, onTrouble }))
    // One that fails ends the others in order, too.
    for (const driving of drives) driving.catch(() => end.abort())
    const settled = await Promise.allSettled(drives)
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const done = sum(settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])))
    if (options.json === true) io.out(`${JSON.stringify(done, null, 2)}\n`)
    else io.out(`took up ${done.taken}: ${done.ended} ended, ${done.waiting} wait, ${done.handedOver} handed over\n`)
    return EXIT.done
  } finally {
    stopListening()
    for (const { runtime } of opened) await runtime.close(0)
  }
}

/** `stateloop worker [agents…]`. */
export const workerCommand: CommandDefinition<WorkerOptions> = {
  name: 'worker',
  about: 'go on with runs that nobody drives, fire timers and begin queued runs, until stopped',
  args: [{ name: 'agents', about: 'whom to work for; default: all in the settings and under agents/', optional: true, many: true }],
  options: [
    ...COMMON,
    { flags: '--concurrency <n>', about: 'runs at work at once, for each agent', default: '16' },
    { flags: '--grace <seconds>', about: 'how long a call that must not be repeated may take to finish when stopped', default: '5' },
    { flags: '--until-idle', about: 'end when there is nothing to do, as in a cron job' },
    { flags: '--accept-changed', about: 'also go on with runs of changed agents, if every recorded step still leads to the same place' },
  ],
  run: worker,
}
