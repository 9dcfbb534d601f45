// Takes in frames of XState machines that use the official inspector's WebSocket. Invariant: whoever has this address can
// only add what they report; it opens nothing else.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Library } from '../feed/library.ts'
import { refusePlace, sameSecret } from './access.ts'

/** What the socket needs. */
export interface ReportParts {
  readonly library: Library
  readonly token: string
  readonly port: () => number
  readonly origins: readonly string[]
}

/** Bytes of one frame. */
const LARGEST_FRAME = 1024 * 1024
/** Machines' processes connected at the same time. */
const MOST_REPORTERS = 16

const refusal = (request: IncomingMessage, { token, port, origins }: ReportParts): string | undefined => {
  const place = refusePlace(request, port(), origins)
  if (place !== undefined) return String(place.status)
  // The path is compared as it was sent, so that nothing is resolved on the way.
  const [path, query = ''] = (request.url ?? '').split('?', 2)
  if (path !== '/report' || request.method !== 'GET') return '404'
  return sameSecret(new URLSearchParams(query).get('token') ?? '', token) ? undefined : '401'
}

/** Listens for reporters on the server. */
export const acceptReports = (server: Server, parts: ReportParts): { readonly close: () => void } => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_FRAME, perMessageDeflate: false })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const refused = refusal(request, parts) ?? (sockets.clients.size >= MOST_REPORTERS ? '503' : undefined)
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    sockets.handleUpgrade(request, socket, head, (reporter) => {
      const take = parts.library.reporter()
      reporter.on('error', () => reporter.terminate())
      reporter.on('message', (data, binary) => {
        if (!binary && Buffer.isBuffer(data)) take(data.toString('utf8'))
      })
    })
  })
  return {
    close: () => {
      for (const reporter of sockets.clients) reporter.terminate()
      sockets.close()
    },
  }
}
