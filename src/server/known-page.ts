// Keeps pages of other sites from doing something with a visitor's cookies or reach. Invariant: what changes anything and comes
// from a browser comes from the server's own page or from one that was named.
// @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers/Sec-Fetch-Site
import { refuse } from './problem.ts'

/** Methods that change nothing; browsers keep other sites from reading the answers. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined)

/** Makes the check. Programs, which name no origin, pass. @returns throws Refusal `unauthorized` for a page of another site, or a name that is not the server's. */
export const knownPage =
  (origins: readonly string[], hosts: readonly string[] | undefined) =>
  ({ method, headers, url }: Request): void => {
    const { hostname } = new URL(url)
    if (hosts !== undefined && !hosts.includes(hostname)) refuse('unauthorized', `This server is not called ${JSON.stringify(hostname.slice(0, 200))}. Name it in \`hosts\`.`, { status: 403 })
    const origin = headers.get('origin')
    const site = headers.get('sec-fetch-site')
    if (SAFE.has(method) || (origin !== null && origins.includes(origin)) || site === 'same-origin' || site === 'none') return
    if (site === null && (origin === null || hostOf(origin) === new URL(url).host)) return
    refuse('unauthorized', `Pages of ${(origin ?? site ?? '').slice(0, 200)} may not call this server. Name that origin in \`origins\`.`, { status: 403 })
  }
