// Who may call, and who is calling. Invariant: a caller with a user or a tenant sees the runs of that user or tenant and no
// others, and a run that may not be seen is answered like one that does not exist.
import { timingSafeEqual } from 'node:crypto'
import { fail } from '../failure/index.ts'
import type { RunRow } from '../journal/index.ts'
import { sha256 } from '../schema/index.ts'
import { refuse } from './problem.ts'

/** Whom a request is for: who is billed, and which part of the product asked. */
export interface Identity {
  /** Whom the run is for; sees only runs of this user. */
  readonly user?: string
  /** The part of the product that asks. */
  readonly route?: string
  /** The customer; sees only runs of this tenant. */
  readonly tenant?: string
}

/** How callers are told apart. */
export interface AccessOptions {
  /** Requests need it as bearer token; at least 16 characters. Required unless `authenticate` is given. */
  readonly token?: string
  /** Decides instead of the token. May throw, which refuses the request with a defect. Default: the token decides. */
  readonly authenticate?: (request: Request) => boolean | Promise<boolean>
  /**
   * Says whom the request is for, from a session cookie for example. A user or tenant that is named without a value is
   * refused: leave it out for a caller who may see everything. Default: the headers `x-stateloop-user`,
   * `x-stateloop-route` and `x-stateloop-tenant`, which suits a back end that calls for its users.
   */
  readonly identify?: (request: Request) => Identity | Promise<Identity>
}

const NAMES = ['user', 'route', 'tenant'] as const
const SHORTEST_TOKEN = 16
const LONGEST_NAME = 256

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const sameText = (given: string, wanted: string): boolean => timingSafeEqual(bytes(sha256(given)), bytes(sha256(wanted)))

/** Checks bearer tokens. @throws FailureError `usage` for a token that could be guessed. */
const byToken = (token: string | undefined): ((request: Request) => boolean) => {
  if (token === undefined || token.length < SHORTEST_TOKEN)
    return fail('usage', `A server needs a token of at least ${SHORTEST_TOKEN} characters, or a function authenticate. ${token === undefined ? 'Neither was given' : `The token has ${token.length}`}.`)
  return (request) => {
    const [, given = ''] = /^bearer +(.*)$/i.exec(request.headers.get('authorization') ?? '') ?? []
    return sameText(given, token)
  }
}

const byHeaders = ({ headers }: Request): Identity => {
  const named = NAMES.flatMap((name) => {
    const value = headers.get(`x-stateloop-${name}`)
    if (value === '') refuse('usage', `The header x-stateloop-${name} is empty. Leave it out, or name the ${name}.`)
    return value === null ? [] : [[name, value] as const]
  })
  return Object.fromEntries(named)
}

/** What a hook said, held to its type: a user without a value must not become a caller who may see everything. */
const checked = (said: Identity): Identity => {
  const named = NAMES.flatMap((name) => {
    if (!Object.hasOwn(said, name)) return []
    const value: unknown = said[name]
    if (value === undefined || value === null || value === '') return name === 'route' ? [] : refuse('unauthorized', `This request was let in, but it has no ${name}.`)
    if (typeof value !== 'string' || value.length > LONGEST_NAME || /\p{Cc}/u.test(value))
      return refuse('usage', `The ${name} of this request is not a text of at most ${LONGEST_NAME} characters without control characters.`)
    return [[name, value] as const]
  })
  return Object.fromEntries(named)
}

/** Lets a request in. */
export type Admit = (request: Request) => Promise<Identity>

/** @throws FailureError `usage` when nothing would keep callers out. */
export const access = ({ token, authenticate, identify = byHeaders }: AccessOptions): Admit => {
  const allowed = authenticate ?? byToken(token)
  return async (request) => {
    if (!(await allowed(request))) refuse('unauthorized', 'This request was not let in. Send the header `Authorization: Bearer <token>` with the token of this server.')
    return checked(await identify(request))
  }
}

/** Tells whether a caller may see a run. */
export const maySee = ({ user, tenant }: Identity, row: RunRow): boolean => (user === undefined || row.user === user) && (tenant === undefined || row.tenant === tenant)

/** A caller's idempotency key as a run's key: two users who happen to choose the same one do not meet. */
export const scopedKey = ({ user }: Pick<Identity, 'user'>, key: string): string => (user === undefined ? key : `${encodeURIComponent(user)}/${key}`)

/** What stands before the name of a caller's session: two users who happen to choose the same one do not meet. */
const ownerPrefix = ({ user, tenant }: Identity): string => (user === undefined && tenant === undefined ? '' : `${encodeURIComponent(tenant ?? '')}/${encodeURIComponent(user ?? '')}/`)

/** A caller's name for a session as the journal's. */
export const scopedSession = (identity: Identity, session: string): string => `${ownerPrefix(identity)}${session}`

/** A run's session or key as its owner named it. */
export const ownName = (row: Pick<RunRow, 'user' | 'tenant'>, name: string): string =>
  [ownerPrefix(row), scopedKey(row, '')].reduce((text, prefix) => (prefix !== '' && text.startsWith(prefix) ? text.slice(prefix.length) : text), name)
