// The client that the conformance suite starts: it takes the tools of the server at the address it is given, with what the
// scenario needs to be let in, and calls the first.
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { mcpTools } from 'stateloop/mcp'

/** Keeps what it gets in memory; the suite's authorization page redirects at once, so no person is needed. */
const provider = (known?: { readonly client_id: string; readonly client_secret: string }): OAuthClientProvider & { readonly code: () => string } => {
  const kept: { client?: any; tokens?: any; verifier?: string; code?: string } = { client: known }
  return {
    redirectUrl: 'http://localhost:3000/callback',
    clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
    clientMetadata: {
      client_name: 'stateloop',
      redirect_uris: ['http://localhost:3000/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    redirectToAuthorization: async (url) => {
      const answer = await fetch(url, { redirect: 'manual' })
      kept.code = new URL(answer.headers.get('location') ?? 'http://none').searchParams.get('code') ?? ''
    },
    code: () => kept.code ?? '',
  }
}

const url = process.argv.at(-1) ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as { readonly [name: string]: string }
const { client_id: clientId = '', client_secret: clientSecret = '', private_key_pem: privateKey = '', signing_algorithm: algorithm = '' } = context

const person = provider(scenario === 'auth/pre-registration' ? { client_id: clientId, client_secret: clientSecret } : undefined)
const machines: { readonly [scenario: string]: () => OAuthClientProvider } = {
  'auth/client-credentials-jwt': () => new PrivateKeyJwtProvider({ clientId, privateKey, algorithm }),
  'auth/client-credentials-basic': () => new ClientCredentialsProvider({ clientId, clientSecret }),
}
const machine = machines[scenario]?.()
const authorization = machine === undefined ? { authProvider: person, authorizationCode: person.code } : { authProvider: machine }

await using server = await mcpTools({ name: 'conformance', server: { url, ...(scenario.startsWith('auth/') ? authorization : {}) }, tools: { effect: 'none' }, connectTimeoutMs: 30_000 })
const [tool] = Object.values(server.tools)
await tool?.run({ a: 5, b: 3 }, { signal: new AbortController().signal, services: {}, key: 'k', log: () => {}, addCost: () => {} } as never)
