// `stateloop serve`: agents over HTTP until a signal comes. Invariant: nobody gets in without a token, and a signal lets runs
// come to rest before the process ends.
import { randomBytes } from 'node:crypto'
import { fail } from '../../failure/index.ts'
import type { Listening, Server, ServerOptions } from '../../server/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import type { Io } from '../io.ts'
import { loadAgents, type LoadedAgent } from '../load-agent.ts'
import { openRuntime, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'

interface ServeOptions extends CommonOptions {
  readonly port: string
  readonly host: string
  readonly graceMs: string
}

/** Bytes of a token that is made up here. */
const TOKEN_BYTES = 24

const wholeNumber = (text: string, flag: string, most: number): number => {
  const value = Number(text)
  return /^\d+$/.test(text) && value <= most ? value : fail('usage', `${flag} must be a whole number up to ${most}, not ${JSON.stringify(text)}.`)
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process. */
const signalled = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let drained = false
    const stop = (signal: NodeJS.Signals): void => {
      if (drained) process.exit(signal === 'SIGINT' ? 130 : 143)
      drained = true
      resolve(signal)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })

/** How callers are let in: what the settings say, else the token of the environment, else one that is made up. */
const accessOf = (io: Io, { token, authenticate }: Partial<ServerOptions>): { readonly access: Partial<ServerOptions>; readonly madeUp?: string } => {
  if (token !== undefined || authenticate !== undefined) return { access: {} }
  const given = io.env['STATELOOP_TOKEN']
  if (given !== undefined && given !== '') return { access: { token: given } }
  const madeUp = randomBytes(TOKEN_BYTES).toString('base64url')
  return { access: { token: madeUp }, madeUp }
}

const announce = (io: Io, { url }: Listening, agents: readonly LoadedAgent[], notes: readonly string[], madeUp: string | undefined, { json = false }: ServeOptions): void => {
  const ids = agents.map(({ agent }) => agent.id)
  if (json) return io.out(`${JSON.stringify({ url, agents: ids, ...(madeUp === undefined ? {} : { token: madeUp }), ...(notes.length === 0 ? {} : { notes }) })}\n`)
  for (const note of notes) io.out(`${io.style('yellow', note)}\n`)
  io.out(`serving ${ids.join(', ')}\n  page     ${url}/${madeUp === undefined ? '' : `#token=${madeUp}`}\n  OpenAPI  ${url}/openapi.json\n  OpenAI   ${url}/v1 as base URL\n`)
  if (madeUp !== undefined) io.out(`  token    ${madeUp} (STATELOOP_TOKEN sets a lasting one)\n`)
}

const serve = async (io: Io, names: readonly string[], options: ServeOptions): Promise<number> => {
  const port = wholeNumber(options.port, '--port', 65_535)
  const graceMs = wholeNumber(options.graceMs, '--grace-ms', 600_000)
  const project = await openProject(io)
  const [first, ...others] = await loadAgents(project, names)
  const { createServer, listen } = await import('../../server/index.ts')
  const { runtime, notes } = await openRuntime(io, project, first, options, others)
  const settings = project.config.server ?? {}
  const { access, madeUp } = accessOf(io, settings)
  try {
    const server: Server = createServer({ ...settings, ...access, runtime, agents: [first, ...others].map(({ agent }) => agent) })
    const signal = signalled()
    const listening = await listen(server, { port, host: options.host })
    announce(io, listening, [first, ...others], notes, madeUp, options)
    io.err(`\n${await signal}: finishing what is under way, up to ${graceMs} ms; again to stop at once.\n`)
    await listening.close(graceMs)
    return 0
  } finally {
    await runtime.close(0)
  }
}

/** `stateloop serve [agents…]`. */
export const serveCommand: CommandDefinition<ServeOptions> = {
  name: 'serve',
  about: 'serve agents over HTTP: an API, events, a chat page, and a door for OpenAI clients',
  args: [{ name: 'agents', about: 'paths or names; default: all in the settings and under agents/', optional: true, many: true }],
  options: [
    ...COMMON,
    { flags: '--port <number>', about: 'the port; 0 takes any that is free', default: '8080' },
    { flags: '--host <address>', about: 'the address to listen on; 0.0.0.0 for all', default: '127.0.0.1' },
    { flags: '--grace-ms <number>', about: 'how long runs may take to come to rest after a signal, milliseconds', default: '10000' },
  ],
  run: serve,
}
