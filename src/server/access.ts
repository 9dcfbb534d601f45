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
   * Says whom the request is for, from a session cookie for example. Default: the headers `x-stateloop-user`,
   * `x-stateloop-route` and `x-stateloop-tenant`, which suits a back end that calls for its users.
   */
  readonly identify?: (request: Request) => Identity | Promise<Identity>
}

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
  const named = (['user', 'route', 'tenant'] as const).flatMap((name) => {
    const value = headers.get(`x-stateloop-${name}`)
    return value === null || value === '' ? [] : [[name, value] as const]
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
    const identity = await identify(request)
    for (const [name, value] of Object.entries(identity)) {
      if (value !== undefined && (typeof value !== 'string' || value.length > LONGEST_NAME)) refuse('usage', `The ${name} of this request is not a text of at most ${LONGEST_NAME} characters.`)
    }
    return identity
  }
}

/** Tells whether a caller may see a run. */
export const maySee = ({ user, tenant }: Identity, row: RunRow): boolean => (user === undefined || row.user === user) && (tenant === undefined || row.tenant === tenant)

/** A caller's idempotency key as a run's key: two users who happen to choose the same one do not meet. */
export const scopedKey = ({ user }: Identity, key: string): string => (user === undefined ? key : `${encodeURIComponent(user)}/${key}`)
