// The inspector's server: one page, its data as JSON and server-sent events, and a socket for machines that report through
// the official protocol. Invariant: it listens on loopback only, and every answer carries the same strict headers.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fail } from '../../failure/index.ts'
import { Library } from '../feed/library.ts'
import { outgoing } from '../secrets.ts'
import type { InspectorSource } from '../source.ts'
import { refusePlace, refuseStranger, SAFE_HEADERS, type Refusal } from './access.ts'
import { loadAssets, type Asset } from './assets.ts'
import { acceptReports } from './reports.ts'
import { failureAnswer, route, type RouteParts } from './routes.ts'
import type { Clean, StreamTimes } from './stream.ts'

/** How an inspector is served. */
export interface InspectorOptions extends InspectorSource {
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Runs to open at once: one to look at, two to compare; or `agent:<id>` for all runs of an agent. Default: none. */
  readonly open?: readonly string[]
  /** Opens each new run as it starts. Default false. */
  readonly live?: boolean
  /** Origins of web applications whose machines may report here, such as `http://localhost:5173`. Default: none. */
  readonly origins?: readonly string[]
  /** Gets a line when the inspector itself goes wrong. Default: dropped. */
  readonly log?: (message: string) => void
  /** How often the journal is looked at. Default: see {@link StreamTimes}. */
  readonly times?: StreamTimes
}

/** A running inspector. */
export interface Inspector extends AsyncDisposable {
  /** The page's address. Its end, which no request ever carries, holds the token. */
  readonly url: string
  /** Address for `createWebSocketInspector({ url })` of `@statelyai/inspect`. */
  readonly reportTo: string
  /** Stops serving, and closes what is open. */
  readonly close: () => Promise<void>
}

/** Connections at the same time. */
const MOST_CONNECTIONS = 64

const json = (response: ServerResponse, status: number, body: unknown, clean: Clean = (text) => text): void =>
  void response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(clean(JSON.stringify(body)))

const refuse = (response: ServerResponse, { status, code, message }: Refusal): void => json(response, status, { error: { code, message } })

/** Answers one request. */
const answer = async (request: IncomingMessage, response: ServerResponse, port: number, token: string, assets: ReadonlyMap<string, Asset>, parts: RouteParts): Promise<void> => {
  const place = refusePlace(request, port)
  if (place !== undefined) return refuse(response, place)
  if (request.method !== 'GET' && request.method !== 'POST') return refuse(response, { status: 405, code: 'bad_method', message: 'Only GET and POST.' })
  const target = request.url ?? ''
  // The path is compared as it was sent: nothing is decoded or resolved, so `..` cannot become anything.
  const path = target.split('?', 1)[0] ?? ''
  const asset = request.method === 'GET' ? assets.get(path) : undefined
  if (asset !== undefined) return void response.writeHead(200, { 'content-type': asset.type }).end(asset.text)
  const stranger = refuseStranger(request, token)
  if (stranger !== undefined) return refuse(response, stranger)
  const url = URL.parse(target, 'http://inspector')
  const found = url === null || url.pathname !== path ? undefined : await route(request, response, url, parts)
  if (found === undefined) return refuse(response, { status: 404, code: 'not_found', message: 'There is nothing here.' })
  if ('json' in found) json(response, 200, found.json, parts.clean)
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

/**
 * Serves the inspector on 127.0.0.1 until it is closed.
 * @throws FailureError `usage` when the port is taken.
 */
export const startInspector = async ({ port: wanted = 0, open = [], live = false, origins = [], log = () => {}, times = {}, ...source }: InspectorOptions): Promise<Inspector> => {
  const token = randomBytes(32).toString('base64url')
  const reportToken = randomBytes(32).toString('base64url')
  const assets = await loadAssets()
  const library = new Library(source, { open, live })
  const clean = outgoing(source.secrets).text
  let port = wanted
  const server = createServer({ keepAliveTimeout: 5_000, headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 8_192, noDelay: true }, (request, response) => {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value)
    answer(request, response, port, token, assets, { library, times, clean }).catch((thrown: unknown) => {
      const { status, error } = failureAnswer(thrown)
      if (error.code === 'defect') log(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
      if (response.headersSent) response.destroy()
      else json(response, status, { error }, clean)
    })
  })
  server.maxConnections = MOST_CONNECTIONS
  const reports = acceptReports(server, { library, token: reportToken, port: () => port, origins })
  port = await listen(server, wanted).catch((error: NodeJS.ErrnoException) => fail('usage', `Port ${wanted} on 127.0.0.1 cannot be used (${error.code ?? error.message}). Choose another with --port, or leave it out.`))
  library.reportTo = `ws://127.0.0.1:${port}/report?token=${reportToken}`
  const close = async (): Promise<void> => {
    reports.close()
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { url: `http://127.0.0.1:${port}/#${token}`, reportTo: library.reportTo, close, [Symbol.asyncDispose]: close }
}
