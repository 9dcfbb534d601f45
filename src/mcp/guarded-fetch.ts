// How requests reach a server behind HTTP. Invariant: no answer grows past its cap or outlives its time, and headers that the
// author gave go to the server's own origin only, though authorization may lead to others.
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import { systemClock } from '../clock/index.ts'
import type { McpHttpAddress } from './address.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** A body that breaks off when one message in it is longer than allowed. Events of a stream are counted one by one. */
const capped = (response: Response, most: number, onTooLong: () => void, onEnd: () => void): Response => {
  if (response.body === null) {
    onEnd()
    return response
  }
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  let bytes = 0
  let last = 0
  const count = (piece: Uint8Array): void => {
    for (const byte of piece) {
      bytes = isStream && byte === LINE_FEED && last === LINE_FEED ? 0 : bytes + 1
      if (byte !== CARRIAGE_RETURN) last = byte
      if (bytes > most) {
        onTooLong()
        throw new Error(`The MCP server sent a message of more than ${most} bytes.`)
      }
    }
  }
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        count(piece)
        controller.enqueue(piece)
      },
      flush: onEnd,
    }),
  )
  return new Response(body, response)
}

/** Bounds of what a server may do. */
export interface FetchGuard {
  readonly mostBytes: number
  /** After which a request is broken off, milliseconds; streams that only listen may stay. */
  readonly longestMs: number
  /** Called before the error when a message was too long. */
  readonly onTooLong: () => void
}

/** Makes a `fetch` for a server. */
export const guardedFetch = ({ url, headers = {}, fetch: own = fetch }: McpHttpAddress, { mostBytes, longestMs, onTooLong }: FetchGuard): FetchLike => {
  const { origin } = new URL(url)
  return async (to, init = {}) => {
    const all = new Headers(init.headers)
    if (new URL(to).origin === origin) {
      for (const [name, value] of Object.entries(typeof headers === 'function' ? await headers() : headers)) all.set(name, value)
    }
    const listens = (init.method ?? 'GET') === 'GET' && all.get('accept') === 'text/event-stream'
    const late = new AbortController()
    const onEnd = listens ? () => {} : systemClock.timer(longestMs, () => late.abort(new Error(`The MCP server took longer than ${longestMs} ms.`)), true)
    const signal = init.signal instanceof AbortSignal ? AbortSignal.any([init.signal, late.signal]) : late.signal
    return capped(await own(to, { ...init, headers: all, signal }), mostBytes, onTooLong, onEnd)
  }
}
