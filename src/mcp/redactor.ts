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

/** Makes a scrubber when it is asked for: tokens change. */
export const redactor = (server: McpServerAddress): (() => Promise<Scrubber>) => {
  let made: { readonly values: string; readonly scrub: Scrubber } | undefined
  return async () => {
    const credentials = await credentialsOf(server)
    const values = credentials.join('\n')
    if (made?.values !== values) made = { values, scrub: scrubber(credentials.map((value) => ({ value, replacement: REDACTED }))) }
    return made.scrub
  }
}
