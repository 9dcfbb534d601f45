// Any model provider as a loopback server that speaks OpenAI's chat completions, so that whatever talks to OpenAI can be
// tried offline. Invariant: requests are checked as strictly as the real server checks them, and answered by the provider.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { failureOf, type Failure } from '../failure/index.ts'
import { timeoutsOf } from '../policy/index.ts'
import { readWireRequest, writeChunk, writeEnding, writeError, writeReply, writeTotal, type ModelDelta, type ModelProvider, type ModelReply, type WireRequest } from '../model/index.ts'
import { parseJson } from '../schema/index.ts'
import { textOf } from '../prompt/index.ts'

/** Options of `scriptedServer()`. */
export interface ScriptedServerOptions {
  /** Who answers, such as `scripted({ … })`. */
  readonly provider: ModelProvider
  /** Default: any free one. */
  readonly port?: number
  /** Requests need it as bearer token. Default: they need none. */
  readonly apiKey?: string
}

/** A running server. */
export interface ScriptedServer extends AsyncDisposable {
  /** `http://127.0.0.1:port/v1`, to be used as a base URL. */
  readonly url: string
  /** Stops the server, and breaks open connections. */
  readonly close: () => Promise<void>
}

const MAX_REQUEST_BYTES = 64_000_000

const readBody = async (request: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > MAX_REQUEST_BYTES) throw new Error('the request is too large')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

const sendJson = (response: ServerResponse, status: number, body: object, headers: { readonly [name: string]: string } = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

const sendInvalid = (response: ServerResponse, status: number, message: string, code: string): void => sendJson(response, status, { error: { message, type: 'invalid_request_error', param: null, code } })

/** Failures of the connection and of the protocol are performed, the others are reported. */
const sendFailure = (response: ServerResponse, failed: Failure): void => {
  switch (failed.code) {
    case 'connection_failed':
      response.socket?.resetAndDestroy()
      return
    case 'stream_truncated':
      response.socket?.end()
      return
    case 'timeout':
      return
    case 'malformed_response':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('{"choices":[{"message":')
      return
    case 'empty_response':
      return sendJson(response, 200, { object: 'chat.completion', choices: [] })
    default: {
      const { status, headers, body } = writeError(failed)
      sendJson(response, status, body, headers)
    }
  }
}

const writeEvent = (response: ServerResponse, data: object | string): void => void response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)

/** Streams text as it comes; calls follow once the reply is complete, since only then their ids are known. */
const streamReply = async (response: ServerResponse, { request, includeUsage }: WireRequest, id: string, call: (onDelta: (delta: ModelDelta) => void) => Promise<ModelReply>): Promise<void> => {
  const begin = (): void => {
    if (response.headersSent) return
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
    writeEvent(response, writeChunk(request.model, id, { role: 'assistant', content: '' }))
  }
  let streamed = false
  try {
    const reply = await call((delta) => {
      if (delta.type === 'call') return
      begin()
      streamed ||= delta.type === 'text'
      writeEvent(response, writeChunk(request.model, id, delta.type === 'text' ? { content: delta.text } : { reasoning_content: delta.text }))
    })
    begin()
    const said = textOf(reply.message.content)
    if (!streamed && said !== '') writeEvent(response, writeChunk(reply.model, id, { content: said }))
    for (const chunk of writeEnding(reply, id)) writeEvent(response, chunk)
    if (includeUsage) writeEvent(response, writeTotal(reply.model, id, reply.usage))
    writeEvent(response, '[DONE]')
    response.end()
  } catch (error) {
    const failed = failureOf(error)
    if (failed === undefined) throw error
    if (!response.headersSent) return sendFailure(response, failed)
    if (failed.code !== 'stream_truncated') writeEvent(response, writeError(failed).body)
    response.end()
  }
}

const answer = async ({ provider, apiKey }: ScriptedServerOptions, request: IncomingMessage, response: ServerResponse, serial: number): Promise<void> => {
  const body = await readBody(request)
  if (request.method !== 'POST' || !(request.url ?? '').endsWith('/chat/completions')) return sendInvalid(response, 404, `There is no ${request.method} ${request.url} here; POST /v1/chat/completions.`, 'unknown_url')
  if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) return sendInvalid(response, 401, 'Incorrect API key provided.', 'invalid_api_key')
  const parsed = parseJson(body)
  const wire = readWireRequest(parsed.ok ? parsed.value : undefined)
  if ('problem' in wire) return sendInvalid(response, 400, wire.problem, 'invalid_value')
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const id = `chatcmpl-${serial}`
  const key = request.headers['idempotency-key']
  const io = { signal: gone.signal, timeouts: timeoutsOf({ firstTokenMs: 2_147_483_647, idleMs: 2_147_483_647 }), key: typeof key === 'string' ? key : id }
  response.setHeader('x-request-id', `req_${serial}`)
  if (wire.stream) return streamReply(response, wire, id, (onDelta) => provider.call(wire.request, { ...io, onDelta }))
  try {
    const reply = await provider.call(wire.request, io)
    sendJson(response, 200, writeReply([reply], reply.usage, id))
  } catch (error) {
    const failed = failureOf(error)
    if (failed === undefined) throw error
    sendFailure(response, failed)
  }
}

/**
 * Starts a loopback server that speaks OpenAI's chat completions and answers with a provider.
 * @throws Error when the port is taken.
 * @example
 * await using server = await scriptedServer({ provider: script([replyText('Hello')]) })
 * const provider = openai({ baseURL: server.url, apiKey: 'test' })
 */
export const scriptedServer = async (options: ScriptedServerOptions): Promise<ScriptedServer> => {
  let serial = 0
  const server = createServer((request, response) => {
    answer(options, request, response, ++serial).catch((error: unknown) => {
      // A rule that throws is a bug of the test: show it to whoever called.
      if (!response.headersSent) sendInvalid(response, 500, error instanceof Error ? error.message : String(error), 'defect')
      else response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, close, [Symbol.asyncDispose]: close }
}
