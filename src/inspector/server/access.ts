// Who may talk to the inspector: a page of its own on this machine that knows the token, and nobody else. Invariant: a
// request is refused unless Host, Origin and token are all right; a website that resolves to 127.0.0.1 has the wrong Host.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Why a request is refused. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 421
  readonly code: string
  readonly message: string
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares in constant time. */
export const sameSecret = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

/** Headers of which a second copy could be read differently by somebody else. */
const SINGLE = new Set(['host', 'origin', 'authorization'])

const isRepeated = ({ rawHeaders }: IncomingMessage): boolean => {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  return [...SINGLE].some((name) => names.indexOf(name) !== names.lastIndexOf(name))
}

/** Names under which this machine is reached. */
const hostsOf = (port: number): readonly string[] => [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]

/**
 * Refuses a request by where it comes from.
 * @param origins foreign origins that may connect, for watching machines in a browser.
 */
export const refusePlace = (request: IncomingMessage, port: number, origins: readonly string[] = []): Refusal | undefined => {
  const { host, origin } = request.headers
  if (isRepeated(request)) return { status: 400, code: 'bad_request', message: 'A header that must be there once is there twice.' }
  if (host === undefined || !hostsOf(port).includes(host.toLowerCase())) return { status: 421, code: 'wrong_host', message: 'This inspector answers to 127.0.0.1 and localhost only.' }
  const own = hostsOf(port).map((name) => `http://${name}`)
  if (origin !== undefined && ![...own, ...origins].includes(origin)) return { status: 403, code: 'wrong_origin', message: 'Another website may not read this inspector.' }
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !(origin !== undefined && origins.includes(origin)))
    return { status: 403, code: 'wrong_origin', message: 'Another website may not read this inspector.' }
  return undefined
}

/** Refuses a request without the token. */
export const refuseStranger = ({ headers }: IncomingMessage, token: string): Refusal | undefined => {
  const [, given = ''] = /^Bearer ([\w-]{1,128})$/.exec(headers.authorization ?? '') ?? []
  return sameSecret(given, token) ? undefined : { status: 401, code: 'wrong_token', message: 'Open the address that `stateloop inspect` printed: its end holds the token.' }
}

/** Headers of every answer. Scripts and styles come from this server as files; nothing else may run, load or frame. */
export const SAFE_HEADERS: { readonly [name: string]: string } = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
