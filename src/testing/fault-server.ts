// A loopback HTTP server that misbehaves as it is told, so that the code in front of a model provider can be tested against
// real sockets. Invariant: it does exactly the listed faults, one per request in order, and remembers what it was sent.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net'
import { sleep, systemClock, type Clock } from '../clock/index.ts'

/** Bytes of a reply; a list is sent piece by piece. */
export type FaultBody = string | Uint8Array | readonly (string | Uint8Array)[]

/** What the server does with one request. Without any field it answers 200 with an empty body. */
export interface Fault {
  /** Default 200. */
  readonly status?: number
  /** Default content type: `text/event-stream` for bodies that begin with `data:` or `event:`, else `application/json`. */
  readonly headers?: { readonly [name: string]: string }
  /** What it answers. Default: nothing. */
  readonly body?: FaultBody
  /** Sent as it is instead of status line, headers and body; then the connection closes. */
  readonly raw?: string | Uint8Array
  /** Before the headers, milliseconds. */
  readonly delayMs?: number
  /** Between two pieces of the body, milliseconds. With a body that is one piece: splits it into single bytes. Default: sent at once. */
  readonly dripMs?: number
  /**
   * Stops after so many bytes of the body: `end` ends the reply as if it were complete, `close` closes the connection in the
   * middle of it, `reset` breaks it, `stall` says nothing more.
   */
  readonly cut?: { readonly atByte: number; readonly how: 'end' | 'close' | 'reset' | 'stall' }
  /** Acts before a request is read: resets the connection, answers with bytes that are no HTTP, or stays silent. */
  readonly connection?: 'reset' | 'garbage' | 'silence'
}

/** A request as it arrived. */
export interface RecordedRequest {
  /** Milliseconds of the clock's monotonic time. */
  readonly atMs: number
  /** Such as `POST`. */
  readonly method: string
  /** Path and query, from the server's root. */
  readonly path: string
  /** Headers, names in lower case. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  /** The whole body, read as UTF-8. */
  readonly body: string
}

/** Options of `faultServer()`. */
export interface FaultServerOptions {
  /** What to do, one per request; a function decides when its turn comes. After the last one, it repeats. */
  readonly faults: readonly (Fault | ((request: RecordedRequest) => Fault | Promise<Fault>))[]
  /** Default: any free one. */
  readonly port?: number
  /** Default: the system's. */
  readonly clock?: Clock
}

/** A running server. */
export interface FaultServer extends AsyncDisposable {
  /** `http://127.0.0.1:port/v1`, to be used as a base URL. */
  readonly url: string
  /** The port that it listens on. */
  readonly port: number
  /** Requests so far, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** How many connections were made. */
  readonly connections: number
  /** Bytes of bodies that left for the clients: less than offered when a client stopped reading. */
  readonly sentBytes: number
  /** Closes it with all its connections. */
  readonly close: () => Promise<void>
}

const GARBAGE = Buffer.from('\u0015\u0003\u0001\u0000\u0002\u0002(no protocol anybody speaks\n')

const piecesOf = ({ body = '', dripMs, cut }: Fault): readonly Buffer[] => {
  const given = (typeof body === 'string' || body instanceof Uint8Array ? [body] : body).map((piece) => Buffer.from(piece as string))
  const pieces = dripMs !== undefined && given.length === 1 ? [...(given[0] ?? [])].map((byte) => Buffer.from([byte])) : given
  if (cut === undefined) return pieces
  let left = cut.atByte
  return pieces.flatMap((piece) => {
    const part = piece.subarray(0, Math.max(0, left))
    left -= piece.length
    return part.length === 0 ? [] : [part]
  })
}

const contentType = (pieces: readonly Buffer[]): string => (/^(data|event|:)/.test(pieces[0]?.toString('latin1') ?? '') ? 'text/event-stream' : 'application/json')

const flushed = (response: ServerResponse, piece: Buffer): Promise<void> => new Promise((resolve) => response.write(piece, () => resolve()))

const readRequest = async (request: IncomingMessage, clock: Clock): Promise<RecordedRequest> => {
  const atMs = clock.monotonic()
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return { atMs, method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(pieces).toString('utf8') }
}

const actOnSocket = (how: NonNullable<Fault['connection']>, socket: Socket): void => {
  if (how === 'reset') socket.resetAndDestroy()
  // Whoever waits for something other than HTTP must have spoken first.
  else if (how === 'garbage') socket.once('data', () => socket.end(GARBAGE))
}

const perform = async (fault: Fault, response: ServerResponse, clock: Clock, closed: AbortSignal, sent: (bytes: number) => void): Promise<void> => {
  const { socket } = response
  if (fault.delayMs !== undefined) await sleep(clock, fault.delayMs, closed)
  if (socket === null || socket.destroyed) return
  if (fault.connection === 'reset') return void socket.resetAndDestroy()
  if (fault.connection === 'silence') return
  const raw = fault.connection === 'garbage' ? GARBAGE : fault.raw
  if (raw !== undefined) return void socket.end(raw)
  const pieces = piecesOf(fault)
  response.writeHead(fault.status ?? 200, { 'content-type': contentType(piecesOf({ body: fault.body ?? '' })), ...fault.headers })
  response.flushHeaders()
  for (const [at, piece] of pieces.entries()) {
    if (at > 0 && fault.dripMs !== undefined) await sleep(clock, fault.dripMs, closed)
    if (socket.destroyed) return
    await flushed(response, piece)
    sent(piece.length)
  }
  const how = fault.cut?.how ?? 'end'
  if (how === 'end') response.end()
  else if (how === 'close') socket.end()
  else if (how === 'reset') socket.resetAndDestroy()
}

const listen = (server: ReturnType<typeof createSocketServer>, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

/**
 * Starts a loopback server that misbehaves as it is told, one fault for each request.
 * @throws Error when the port is taken.
 * @example
 * await using server = await faultServer({ faults: [{ status: 429, headers: { 'retry-after': '2' } }, { body: '{"choices":[]}' }] })
 * const provider = openai({ baseURL: server.url, apiKey: 'test' })
 */
export const faultServer = async ({ faults, port = 0, clock = systemClock }: FaultServerOptions): Promise<FaultServer> => {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  const closing = new AbortController()
  let turn = 0
  let sentBytes = 0
  const next = (): FaultServerOptions['faults'][number] => faults[Math.min(turn++, faults.length - 1)] ?? {}

  const http: Server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const recorded = await readRequest(request, clock)
      requests.push(recorded)
      const fault = next()
      const left = new AbortController()
      response.once('close', () => left.abort(new Error('the client went away')))
      await perform(typeof fault === 'function' ? await fault(recorded) : fault, response, clock, AbortSignal.any([left.signal, closing.signal]), (bytes) => void (sentBytes += bytes))
    }
    // A client that goes away in the middle is what these tests are about.
    answer().catch(() => response.destroy())
  })

  let connections = 0
  const server = createSocketServer({ noDelay: true }, (socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const upcoming = faults[Math.min(turn, faults.length - 1)]
    if (typeof upcoming !== 'object' || upcoming.connection === undefined) return void http.emit('connection', socket)
    turn++
    actOnSocket(upcoming.connection, socket)
  })

  const bound = await listen(server, port)
  const close = async (): Promise<void> => {
    closing.abort(new Error('the server closes'))
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    url: `http://127.0.0.1:${bound}/v1`,
    port: bound,
    requests,
    get connections() {
      return connections
    },
    get sentBytes() {
      return sentBytes
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
