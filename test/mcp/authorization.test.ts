// A server that lets in by OAuth, with its authorization server on another origin. Tokens come, expire and are renewed, and none
// of them is ever written down.
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { expect, test } from 'vitest'
import { agent, createRuntime, replyCalls, replyText, script, type RunEvent, type Tool } from 'stateloop'
import { mcpTools } from 'stateloop/mcp'
import { recordTelemetry } from '../run/observe/telemetry.ts'
import { answerTo, call, textResult, toolsNamed, type RpcMessage } from './raw-server.ts'

const SERVER = 'https://tools.example'
const ISSUER = 'https://login.example'
const json = (value: unknown, init?: ResponseInit): Response => Response.json(value, init)

/** Both servers behind one fetch function. */
const world = () => {
  let issued = 0
  let valid = ''
  const grants: string[] = []
  const asked: string[] = []
  const seen: { readonly origin: string; readonly custom: string | null }[] = []
  const token = (body: URLSearchParams): Response => {
    grants.push(body.get('grant_type') ?? '')
    valid = `access-token-number-${++issued}`
    return json({ access_token: valid, refresh_token: `refresh-token-number-${issued}`, token_type: 'Bearer', expires_in: 3_600 })
  }
  const tools = async (request: Request): Promise<Response> => {
    const sent = request.headers.get('authorization')
    if (sent !== `Bearer ${valid}`) return json({ error: 'unauthorized' }, { status: 401, headers: { 'www-authenticate': `Bearer resource_metadata="${SERVER}/.well-known/oauth-protected-resource/mcp"` } })
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const message = (await request.json()) as RpcMessage
    asked.push(message.method ?? '')
    const answer = await answerTo(message, {
      'tools/list': () => toolsNamed('look', 'fail'),
      'tools/call': ({ name }) => (name === 'fail' ? Promise.reject(new Error(`You sent ${sent}`)) : textResult(`You sent ${sent}`)),
    })
    return answer === undefined ? new Response(null, { status: 202 }) : json({ jsonrpc: '2.0', ...answer }, { headers: { 'mcp-session-id': 'one' } })
  }
  const routes: { readonly [address: string]: (request: Request) => Response | Promise<Response> } = {
    [`${SERVER}/.well-known/oauth-protected-resource/mcp`]: () => json({ resource: `${SERVER}/mcp`, authorization_servers: [ISSUER] }),
    [`${ISSUER}/.well-known/oauth-authorization-server`]: () =>
      json({
        issuer: ISSUER,
        authorization_endpoint: `${ISSUER}/authorize`,
        token_endpoint: `${ISSUER}/token`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      }),
    [`${ISSUER}/token`]: async (request) => token(new URLSearchParams(await request.text())),
    [`${SERVER}/mcp`]: tools,
  }
  const fetchIt = (async (url: unknown, init?: RequestInit) => {
    const request = new Request(url as string, init)
    seen.push({ origin: new URL(request.url).origin, custom: request.headers.get('x-tools-key') })
    return (routes[request.url] ?? (() => new Response(null, { status: 404 })))(request)
  }) as typeof fetch
  return { fetch: fetchIt, grants, asked, seen, expire: () => void (valid = 'expired') }
}

const person = (): OAuthClientProvider & { readonly sentTo: URL[] } => {
  let tokens: OAuthTokens | undefined
  let verifier = ''
  const sentTo: URL[] = []
  return {
    sentTo,
    redirectUrl: 'http://localhost/callback',
    clientMetadata: { redirect_uris: ['http://localhost/callback'] },
    clientInformation: () => ({ client_id: 'desk', client_secret: 'the-secret-of-the-desk', issuer: ISSUER }) as never,
    tokens: () => tokens,
    saveTokens: (given) => void (tokens = given),
    saveCodeVerifier: (given) => void (verifier = given),
    codeVerifier: () => verifier,
    redirectToAuthorization: (url) => void sentTo.push(url),
  }
}

test('a person authorizes once, tokens are renewed when they expire, and the call that met it is made once', async () => {
  const { fetch, grants, asked, expire } = world()
  const authProvider = person()
  await using server = await mcpTools({ name: 'tools', server: { url: `${SERVER}/mcp`, fetch, authProvider, authorizationCode: () => 'code' }, tools: { effect: 'none' } })
  expect([authProvider.sentTo.length, grants]).toEqual([1, ['authorization_code']])
  expire()
  expect(await call(server, 'look')).toMatchObject({ text: 'You sent Bearer [secret]' })
  expect(grants).toEqual(['authorization_code', 'refresh_token'])
  expect(asked.filter((method) => method === 'tools/call')).toHaveLength(1)
})

test('without somebody to authorize it a client is refused, and says what to pass', async () => {
  const { fetch } = world()
  await expect(mcpTools({ name: 'tools', server: { url: `${SERVER}/mcp`, fetch, authProvider: person() } })).rejects.toMatchObject({ code: 'auth_failed', message: expect.stringContaining('authorizationCode') })
})

test('headers of the server do not go to its authorization server', async () => {
  const { fetch, seen } = world()
  await using _server = await mcpTools({ name: 'tools', server: { url: `${SERVER}/mcp`, fetch, headers: { 'x-tools-key': 'key-of-the-tools' }, authProvider: person(), authorizationCode: () => 'code' } })
  expect(new Set(seen.filter(({ origin }) => origin === ISSUER).map(({ custom }) => custom))).toEqual(new Set([null]))
  expect(seen.some(({ origin, custom }) => origin === SERVER && custom === 'key-of-the-tools')).toBe(true)
})

test('tokens that a server repeats reach no model, journal, event, log or span', async () => {
  const { fetch } = world()
  const recorded = recordTelemetry()
  await using server = await mcpTools({ name: 'tools', server: { url: `${SERVER}/mcp`, fetch, authProvider: person(), authorizationCode: () => 'code' }, tools: { effect: 'none' } })
  const provider = script([replyCalls({ name: 'look', args: {} }, { name: 'fail', args: {} }), replyText('Done.')], { id: 'openai' })
  const runtime = createRuntime({ providers: [provider], trace: 'content' })
  const run = await runtime.start(agent({ id: 'looker', model: 'openai/gpt-5-mini', prompt: 'Look.', tools: server.tools as Record<string, Tool> }), 'Look.')
  const events: RunEvent[] = []
  runtime.watch(run.id, (event) => events.push(event))
  expect(await run.outcome()).toMatchObject({ outcome: 'done' })
  const written = JSON.stringify([await runtime.entries(run.id), events, provider.requests, recorded.spans().map(({ attributes, events: told }) => [attributes, told]), recorded.logs()])
  expect(written).toContain('You sent Bearer [secret]')
  expect(written).not.toMatch(/access-token-number|refresh-token-number|the-secret-of-the-desk/)
  await runtime.close()
})
