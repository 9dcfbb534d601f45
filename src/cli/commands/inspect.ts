// `stateloop inspect`: serves the inspector's page on this machine until it is stopped. Invariant: it reads the journal
// that other processes write, and changes a run only with `--allow-control`.
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Agent } from '../../agent/index.ts'
import { fail, failure, FailureError, failureOf } from '../../failure/index.ts'
import type { Control } from '../../inspector/index.ts'
import { sqliteJournal, type Journal, type RunRow } from '../../journal/index.ts'
import type { RunEvent, Runtime } from '../../run/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { loadAgent } from '../load-agent.ts'
import { agentOfRun, openRuntime, type CommonOptions } from '../open-runtime.ts'
import { databasePath, openProject, type Project } from '../project.ts'

interface InspectOptions extends CommonOptions {
  readonly port?: string
  readonly live?: boolean
  readonly open?: boolean
  readonly allowControl?: boolean
  readonly agent?: string
  readonly origin?: readonly string[]
  readonly to?: string
}

/** What is looked at: where the runs are, what the page opens first, and the agents it was asked for. */
interface Subject {
  readonly journal: Journal
  readonly open: readonly string[]
  readonly agents: readonly Agent[]
}

const isRecording = (name: string): boolean => name.endsWith('.jsonl')

/** True for a folder of recordings; an agent's folder is none. */
const holdsRecordings = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(path).some(isRecording)

/** Recordings, from files or from a folder of them. */
const recorded = async (project: Project, names: readonly string[]): Promise<Subject> => {
  const { readRecording, recordingsIn } = await import('../../replay/index.ts')
  const { journalOfRecordings } = await import('../../inspector/index.ts')
  const paths = (await Promise.all(names.map(async (name) => (isRecording(name) ? [resolve(project.cwd, name)] : recordingsIn(resolve(project.cwd, name)))))).flat()
  const recordings = await Promise.all(paths.map(readRecording))
  const open = names.every(isRecording) ? recordings.map(({ row }) => row.id) : []
  return { journal: await journalOfRecordings(recordings), open, agents: [] }
}

/** Runs of the project's database, or an agent. The database is made when there is none yet, so that runs started later are seen. */
const stored = async (io: Io, project: Project, names: readonly string[], options: InspectOptions): Promise<Subject> => {
  const journal = sqliteJournal({ path: databasePath(project, options.db, io.env) })
  try {
    const rows = await Promise.all(names.map((name) => journal.get(name)))
    if (rows.every((row) => row !== undefined)) return { journal, open: names, agents: [] }
    const [name = '', ...more] = names
    if (more.length > 0) return fail('run_not_found', `There is no run ${names[rows.indexOf(undefined)] ?? name}. Two names must be two runs, to be compared.`)
    const found = await loadAgent(project, name).catch((thrown: unknown) => {
      if (failureOf(thrown)?.code !== 'agent_not_found') throw thrown
      return undefined
    })
    // Calls of a client and recorded loops have runs, and no file.
    if (found === undefined && (await journal.list({ agent: name, limit: 1 })).length === 0) {
      return fail('run_not_found', `${name} is neither a run in this database, nor an agent, nor a recording (a file that ends with .jsonl). \`stateloop runs\` lists the runs.`)
    }
    return { journal, open: [`agent:${found?.agent.id ?? name}`], agents: found === undefined ? [] : [found.agent] }
  } catch (thrown) {
    await journal.close()
    throw thrown
  }
}

const subjectOf = (io: Io, project: Project, names: readonly string[], options: InspectOptions): Promise<Subject> => {
  const files = names.length > 0 && names.every((name) => isRecording(name) || holdsRecordings(resolve(project.cwd, name)))
  return files ? recorded(project, names) : stored(io, project, names, options)
}

/** What may be done to runs from here, and what is heard of those that go on here. */
interface Hands {
  readonly control: Control
  readonly tokens: Pick<Runtime, 'watch'>
  readonly close: () => Promise<void>
}

/** Sends to runs, each through a runtime that knows its agent; a run that it moves goes on in this process. */
const controlOf = (io: Io, project: Project, options: InspectOptions, journal: Journal): Hands => {
  const runtimes = new Map<string, Promise<Runtime>>()
  const listeners = new Set<(opened: Promise<Runtime>) => void>()
  const runtimeFor = async (run: string): Promise<Runtime> => {
    const row = (await journal.get(run)) ?? fail('run_not_found', `There is no run ${run}.`)
    const key = row.source ?? row.agent
    const opened = runtimes.get(key) ?? agentOfRun(project, row, options.agent).then(async (loaded) => (await openRuntime(io, project, loaded, options)).runtime)
    if (!runtimes.has(key)) listeners.forEach((listen) => listen(opened))
    runtimes.set(key, opened)
    return opened
  }
  return {
    control: {
      send: async (run, event, by) => (await runtimeFor(run)).send(run, event, by),
      cancel: async (run, reason) => (await runtimeFor(run)).cancel(run, reason),
    },
    tokens: {
      watch: (run, take) => {
        let over = false
        const hear = (event: RunEvent): void => void (over || take(event))
        const listen = (opened: Promise<Runtime>): void =>
          void opened.then(
            (runtime) => stops.push(runtime.watch(run, hear)),
            () => {},
          )
        const stops: (() => void)[] = []
        for (const opened of runtimes.values()) listen(opened)
        listeners.add(listen)
        return () => {
          over = true
          listeners.delete(listen)
          for (const stop of stops) stop()
        }
      },
    },
    close: async () => {
      for (const runtime of await Promise.allSettled(runtimes.values())) if (runtime.status === 'fulfilled') await runtime.value.close()
    },
  }
}

/** The agent of a run. @throws FailureError `agent_not_found` in words for the page. */
const knownAgent = async (project: Project, row: RunRow, named: string | undefined): Promise<Agent> => {
  if (named === undefined && row.source === undefined) return fail('agent_not_found', 'An application made this run, and --agent names no agent for it')
  return (await agentOfRun(project, row, named)).agent
}

const OPENERS: { readonly [platform: string]: readonly string[] } = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }

/** Opens an address in the user's browser. Whether that works is not our business: the address is printed too. */
const openBrowser = (url: string, platform: NodeJS.Platform): void => {
  const [program = 'xdg-open', ...args] = OPENERS[platform] ?? ['xdg-open']
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

const stopped = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })

const portOf = (text: string | undefined): number => {
  const port = text === undefined ? 0 : Number(text)
  return Number.isInteger(port) && port >= 0 && port < 65_536 ? port : fail('usage', `--port must be a number from 0 to 65535, not ${JSON.stringify(text)}.`)
}

/** Sends a run to an inspector that speaks the official protocol, until it ends. */
const sendTo = async (io: Io, project: Project, journal: Journal, run: string, options: InspectOptions): Promise<number> => {
  const row = (await journal.get(run)) ?? fail('run_not_found', `There is no run ${run} in this database. \`stateloop runs\` lists what is there.`)
  const { agent } = await agentOfRun(project, row, options.agent)
  const { inspector } = await import('../../inspector/index.ts')
  const socket = new WebSocket(options.to ?? '')
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () =>
      reject(new FailureError(failure('usage', `Nothing answers at ${options.to}. Start an inspector there, such as createInspectorServer() of @statelyai/inspect/server, and name its ws:// address.`))),
    )
  })
  let frames = 0
  const watching = inspector({ journal, send: (frame) => void (socket.send(JSON.stringify(frame)), (frames += 1)) })
  void stopped().then(watching.close)
  await watching.follow(run, agent)
  socket.close()
  await new Promise((resolve) => socket.addEventListener('close', resolve))
  io.out(options.json === true ? `${JSON.stringify({ run, frames, to: options.to }, null, 2)}\n` : `sent ${frames} frames of run ${run} to ${options.to}\n`)
  return EXIT.done
}

const inspect = async (io: Io, names: readonly string[], options: InspectOptions): Promise<number> => {
  const port = portOf(options.port)
  const project = await openProject(io)
  const { journal, open, agents } = await subjectOf(io, project, names, options)
  // What a recording shows is over; nothing can be sent to it.
  const controls = options.allowControl === true && journal.name !== 'memory' ? controlOf(io, project, options, journal) : undefined
  try {
    if (options.to !== undefined) return await sendTo(io, project, journal, open[0] ?? fail('usage', 'Name the run to send: stateloop inspect <run> --to ws://…'), options)
    const { startInspector } = await import('../../inspector/index.ts')
    await using inspector = await startInspector({
      journal,
      port,
      agents,
      open,
      live: options.live ?? false,
      origins: options.origin ?? [],
      agentOf: async (row: RunRow) => agents.find(({ id }) => id === row.agent) ?? (await knownAgent(project, row, options.agent)),
      log: (message) => io.err(`${message}\n`),
      ...(controls === undefined ? {} : { control: controls.control, tokens: controls.tokens }),
    })
    if (options.json === true) io.out(`${JSON.stringify({ url: inspector.url, reportTo: inspector.reportTo }, null, 2)}\n`)
    else io.out(`Inspector: ${inspector.url}\nMachines that use @statelyai/inspect can report to: ${inspector.reportTo}\nCtrl+C stops it.\n`)
    if (io.terminal && options.open !== false) openBrowser(inspector.url, io.platform)
    await stopped()
    return EXIT.done
  } finally {
    await controls?.close()
    await journal.close()
  }
}

/** `stateloop inspect [what] [other]`. */
export const inspectCommand: CommandDefinition<InspectOptions> = {
  name: 'inspect',
  about: 'look at runs in the browser: one run, all runs of an agent, or two runs side by side',
  args: [
    { name: 'what', about: 'a run, an agent, a recording, or a folder of recordings; default: every run of the project', optional: true },
    { name: 'other', about: 'a second run or recording, to compare with the first', optional: true },
  ],
  options: [
    ...COMMON,
    { flags: '--live', about: 'open each new run as it starts' },
    { flags: '--allow-control', about: 'let the page send events, approve, reject and cancel' },
    { flags: '--agent <agent>', about: 'the agent of the runs; default: where each was started from' },
    { flags: '--port <port>', about: 'port on 127.0.0.1; default: a free one' },
    { flags: '--origin <origin>', about: 'a web page whose XState machines may report here; may be repeated', many: true },
    { flags: '--to <address>', about: 'send the run to another inspector instead, in the protocol of @statelyai/inspect: ws://…' },
    { flags: '--no-open', about: 'only print the address' },
  ],
  run: (io, names, options) => inspect(io, names, options),
}
