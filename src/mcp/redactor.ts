// Takes the credentials of a connection out of what its server said, which may repeat them. Invariant: what comes from a server
// reaches neither a model nor the journal before it went through here.
import { environmentSecrets, REDACTED, scrubber, type Scrubber } from '../trace/index.ts'
import type { McpServerAddress } from './address.ts'

/** Headers that say what a request is, not who sends it. */
const PLAIN: ReadonlySet<string> = new Set(['accept', 'accept-language', 'content-type', 'user-agent'])

/** A header's value, and what stands behind the scheme in `Bearer …`. */
const valuesOf = (headers: { readonly [name: string]: string }): readonly string[] => Object.entries(headers).flatMap(([name, value]) => (PLAIN.has(name.toLowerCase()) ? [] : [value, ...value.split(' ').slice(1)]))

const credentialsOf = async (server: McpServerAddress): Promise<readonly string[]> => {
  if ('command' in server) return environmentSecrets(server.env ?? {})
  if (!('url' in server)) return []
  const { headers = {}, authProvider } = server
  const [given, tokens, client] = await Promise.all([typeof headers === 'function' ? headers() : headers, authProvider?.tokens(), authProvider?.clientInformation()])
  const own = [tokens?.access_token, tokens?.refresh_token, client !== undefined && 'client_secret' in client ? client.client_secret : undefined]
  return [...valuesOf(given), ...own.filter((value) => value !== undefined)]
}

/** Credentials that are remembered: a server may repeat one that was renewed meanwhile. */
const MOST_KNOWN = 50

/** Makes a scrubber when it is asked for: tokens change. */
export const redactor = (server: McpServerAddress): (() => Promise<Scrubber>) => {
  let known: readonly string[] = []
  let scrub = scrubber([])
  return async () => {
    const added = (await credentialsOf(server)).filter((value) => !known.includes(value))
    if (added.length > 0) {
      known = [...known, ...added].slice(-MOST_KNOWN)
      scrub = scrubber(known.map((value) => ({ value, replacement: REDACTED })))
    }
    return scrub
  }
}
