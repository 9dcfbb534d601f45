// Two hundred requests that an attacker could make from a web page, another program on the machine, or the local network.
// Each is sent as raw bytes, must be refused, and must give nothing of the run away.
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startInspector, type Inspector } from '../../src/inspector/index.ts'
import { playedRun } from './world.ts'

let inspector: Inspector
let port = 0
let token = ''
let run = ''
let posted = 0

beforeAll(async () => {
  const played = await playedRun(1, { turns: [{ text: 'THE-SECRET-ANSWER' }] })
  run = played.run
  const count = (): Promise<void> => Promise.resolve(void posted++)
  inspector = await startInspector({ journal: played.journal, agents: [played.agent], control: { send: count, cancel: count }, times: { pollMs: 5 } })
  const url = new URL(inspector.url)
  port = Number(url.port)
  token = url.hash.slice(1)
})
afterAll(() => inspector.close())

/** Sends bytes and reads until the server is done. */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString('latin1')))
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
    socket.setTimeout(2_000, () => socket.destroy())
    socket.end(bytes, 'latin1')
  })

interface Parts {
  readonly method?: string
  readonly path?: string
  readonly host?: string | null
  readonly auth?: string | null
  readonly headers?: readonly string[]
  readonly body?: string
}

const http = ({ method = 'GET', path = '/api/overview', host = '127.0.0.1:PORT', auth = 'Bearer TOKEN', headers = [], body = '' }: Parts): string =>
  [
    `${method} ${path} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(auth === null ? [] : [`Authorization: ${auth}`]),
    ...headers,
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
    'Connection: close',
    '',
    body,
  ].join('\r\n')

const upgrade = (path: string, headers: readonly string[] = [], host = '127.0.0.1:PORT'): string =>
  http({ path, host, auth: null, headers: ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers] }).replace('Connection: close\r\n', '')

const HOSTS = [
  'evil.example',
  'evil.example:PORT',
  '127.0.0.1',
  '127.0.0.1:1',
  'localhost',
  'localhost:80',
  '127.0.0.1.evil.example:PORT',
  'localhost.evil.example:PORT',
  '0.0.0.0:PORT',
  '127.1:PORT',
  '2130706433:PORT',
  '0x7f000001:PORT',
  '[::ffff:127.0.0.1]:PORT',
  'a@127.0.0.1:PORT',
  '127.0.0.1:PORT@evil.example',
  '127.0.0.1:PORT.',
  '127.0.0.1:PORT/',
  '127.0.0.1:PORT,evil.example',
  '192.168.0.10:PORT',
  'rebind.network:PORT',
  '',
  ' ',
  '127.0.0.2:PORT',
  'LOCALHOST.:PORT',
  '127.0.0.1:0PORT',
]
const ORIGINS = [
  'http://evil.example',
  'https://evil.example',
  'null',
  'http://127.0.0.1',
  'http://localhost',
  'http://127.0.0.1:1',
  'https://127.0.0.1:PORT',
  'http://127.0.0.1:PORT.evil.example',
  'http://127.0.0.1:PORT@evil.example',
  'http://evil.example#http://127.0.0.1:PORT',
  'http://evil.example/http://127.0.0.1:PORT',
  'file://',
  'chrome-extension://abc',
  'http://localhost:3000',
  'ws://127.0.0.1:PORT',
  'HTTP://127.0.0.1:PORT',
  ' ',
  'http://[::1]',
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT, http://evil.example',
  'data:',
  'about:blank',
  'moz-extension://x',
  'http://0.0.0.0:PORT',
  'http://127.0.0.1:PORT%00',
]
const TOKENS = [
  null,
  '',
  'Bearer',
  'Bearer ',
  'Bearer x',
  'Bearer TOKENx',
  'Bearer xTOKEN',
  'bearer TOKEN',
  'Basic TOKEN',
  'TOKEN',
  'Bearer  TOKEN',
  'Bearer TOKEN TOKEN',
  'Bearer null',
  'Bearer undefined',
  'Bearer *',
  'Bearer ../TOKEN',
  'Bearer b' + 'a'.repeat(42),
  'Bearer ' + 'a'.repeat(4_000),
  'Bearer TOKEN,Bearer x',
  'Bearer %54OKEN',
  'Bearer REPORT',
  'Token TOKEN',
  'Bearer\tTOKEN',
  'Bearer "TOKEN"',
  'Bearer true',
]
const PATHS = [
  '/../etc/passwd',
  '/..%2f..%2fetc%2fpasswd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/....//....//etc/passwd',
  '/..\\..\\windows\\win.ini',
  '/page/main.ts',
  '/main.ts/../../server/server.ts',
  '//etc/passwd',
  '/./main.js',
  '/main.js/',
  '/main.js%00',
  '/style.css;x',
  '/src/inspector/server/server.ts',
  '/tsconfig.json',
  '/package.json',
  '/.stateloop/stateloop.db',
  '/api',
  '/api/',
  '/api/runs',
  '/api/runs/',
  '/api/runs/RUN',
  '/api/runs/RUN/stream/../../..',
  '/api/runs/..%2f..%2fetc/stream',
  '/api/runs/%2e%2e/stream',
  '/api/../api/overview',
  '/api/overview/',
  '/api//overview',
  '/API/overview',
  '/api/overview%00',
  '/api/aggregate',
  '/api/aggregate?agent=..%2f',
  '/api/compare',
  '/api/compare?left=RUN',
  '/api/compare?left=RUN&right=/etc/passwd',
  '/api/__proto__',
  '/api/constructor',
  '/api/runs/__proto__/stream',
  '/api/runs/constructor/stream',
  "/api/runs/' OR 1=1 --/stream",
  '/api/runs/%27%20OR%201%3D1/stream',
  'http://evil.example/api/overview',
  'evil.example:80',
  '*',
  '/api/overview#',
  '/api/overview;jsessionid=1',
  '/api/overview.json',
  '/report?token=TOKEN',
  '/report',
  '/index.html',
  '/page/',
  '/node_modules/xstate/package.json',
  '/main.ts%3f',
  '/wire.js',
  '/server/server.ts',
  '/%5c%5cevil/share',
  '/api%2foverview',
  '/api/runs/RUN%00/stream',
  '/api/runs/RUN/send',
  '/api/runs/RUN/cancel',
  '/api/runs/RUN/../RUN/stream',
  '/api/runs/RUN/stream/extra',
  '/favicon.ico',
  '/robots.txt',
  '/.well-known/security.txt',
  '/.git/config',
  '/.env',
  '/proc/self/environ',
  '/api/entries',
  '/api/journal',
  '/api/runs.csv',
  '/%c0%ae%c0%ae/etc/passwd',
  '/\u202e/etc',
]
const METHODS = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'HEAD']

const cases: (readonly [string, string])[] = [
  ...HOSTS.map((host) => [`host ${JSON.stringify(host)}`, http({ host })] as const),
  ['no host', http({ host: null })],
  ['two hosts', http({ headers: ['Host: evil.example'] })],
  ...['/', '/main.js', '/style.css'].map((path) => [`rebound ${path}`, http({ path, host: 'evil.example:PORT', auth: null })] as const),
  ...ORIGINS.map((origin) => [`origin ${JSON.stringify(origin)}`, http({ headers: [`Origin: ${origin}`] })] as const),
  ['two origins', http({ headers: ['Origin: http://127.0.0.1:PORT', 'Origin: http://evil.example'] })],
  ...['cross-site', 'same-site'].map((site) => [`fetched from ${site}`, http({ headers: [`Sec-Fetch-Site: ${site}`] })] as const),
  ...TOKENS.map((auth) => [`authorization ${JSON.stringify(auth)?.slice(0, 60)}`, http({ auth })] as const),
  ['token in the address', http({ auth: null, path: '/api/overview?token=TOKEN' })],
  ['token in a cookie', http({ auth: null, headers: ['Cookie: token=TOKEN'] })],
  ['two tokens', http({ auth: 'Bearer x', headers: ['Authorization: Bearer TOKEN'] })],
  ...PATHS.map((path) => [`path ${path}`, http({ path })] as const),
  ...METHODS.map((method) => [`method ${method}`, http({ method })] as const),
  ['form post', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/x-www-form-urlencoded'], body: 'reason=x' })],
  ['text post', http({ method: 'POST', path: '/api/runs/RUN/send', headers: ['Content-Type: text/plain'], body: '{"event":{"type":"GO"}}' })],
  ['post without token', http({ method: 'POST', path: '/api/runs/RUN/cancel', auth: null, headers: ['Content-Type: application/json'], body: '{}' })],
  ['post from elsewhere', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/json', 'Origin: http://evil.example'], body: '{}' })],
  ['large post', http({ method: 'POST', path: '/api/runs/RUN/send', headers: ['Content-Type: application/json'], body: `{"event":{"type":"${'A'.repeat(70_000)}"}}` })],
  ['broken post', http({ method: 'POST', path: '/api/runs/RUN/send', headers: ['Content-Type: application/json'], body: '{"event":' })],
  ['post of a list', http({ method: 'POST', path: '/api/runs/RUN/send', headers: ['Content-Type: application/json'], body: '[]' })],
  ['smuggled post', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/json', 'Transfer-Encoding: chunked'], body: '0\r\n\r\nGET /api/overview HTTP/1.1\r\n\r\n' })],
  ['large headers', http({ headers: [`X-Large: ${'a'.repeat(20_000)}`] })],
  ['long path', http({ path: `/${'a'.repeat(20_000)}` })],
  ['header injection', http({ path: '/api/runs/x%0d%0aSet-Cookie:%20a=b/stream' })],
  ['not HTTP', '\x16\x03\x01\x02\x00\x01\x00'],
  ['bad version', 'GET / HTTP/9.9\r\n\r\n'],
  ['two lengths', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/json', 'Content-Length: 5'], body: '{}' })],
  ['space before the colon', http({ headers: ['Origin : http://evil.example'] })],
  ['folded header', http({ headers: ['X-A: b', ' Origin: http://evil.example'] })],
  ['zero byte in a header', http({ headers: ['Origin: http://127.0.0.1:PORT\x00'] })],
  ['bare line feeds', http({ headers: ['Origin: http://evil.example'] }).replaceAll('\r\n', '\n')],
  ['negative length', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/json', 'Content-Length: -1'] })],
  ['bad chunk', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/json', 'Transfer-Encoding: chunked'] }) + 'zz\r\n'],
  ['unknown encoding', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: application/json', 'Transfer-Encoding: gzip, chunked'] }) + '0\r\n\r\n'],
  ['http2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['old version without host', 'GET /api/overview HTTP/1.0\r\nAuthorization: Bearer TOKEN\r\n\r\n'],
  ['form post with a JSON body', http({ method: 'POST', path: '/api/runs/RUN/cancel', headers: ['Content-Type: multipart/form-data; boundary=x'], body: '{}' })],
  ['post that names no type', http({ method: 'POST', path: '/api/runs/RUN/cancel', body: '{}' })],
  ['post to the overview', http({ method: 'POST', headers: ['Content-Type: application/json'], body: '{}' })],
  ['post to the page', http({ method: 'POST', path: '/', headers: ['Content-Type: application/json'], body: '{}' })],
  ['method override', http({ method: 'POST', path: '/api/overview', headers: ['X-HTTP-Method-Override: GET', 'Content-Type: application/json'], body: '{}' })],
  ['forwarded host', http({ host: 'evil.example', headers: ['X-Forwarded-Host: 127.0.0.1:PORT'] })],
  ['socket without token', upgrade('/report')],
  ['socket with a wrong token', upgrade('/report?token=x')],
  ['socket with the token of the page', upgrade('/report?token=TOKEN')],
  ['socket elsewhere', upgrade('/api/overview?token=REPORT')],
  ['socket from a website', upgrade('/report?token=REPORT', ['Origin: http://evil.example'])],
  ['socket from nowhere', upgrade('/report?token=REPORT', ['Origin: null'])],
  ['rebound socket', upgrade('/report?token=REPORT', [], 'evil.example:PORT')],
  ['socket with another version', upgrade('/report?token=REPORT').replace('Version: 13', 'Version: 1')],
  ['socket without key', upgrade('/report?token=REPORT').replace(/Sec-WebSocket-Key: .*\r\n/, '')],
  ...['/etc/passwd', '/', '//evil.example/report', '/report/../report', '/REPORT', '/reportx', '/report%3ftoken=REPORT'].map(
    (path) => [`socket at ${path}`, upgrade(`${path}${path.includes('?') ? '&' : '?'}token=REPORT`)] as const,
  ),
]

const fillIn = (text: string): string =>
  text
    .replaceAll('PORT:', 'PORT:')
    .replaceAll('REPORT', new URL(inspector.reportTo).searchParams.get('token') ?? '')
    .replaceAll('TOKEN', token)
    .replaceAll('PORT', String(port))
    .replaceAll('RUN', run)

describe('the inspector', () => {
  it('is asked more than two hundred hostile questions', () => {
    expect(cases.length).toBeGreaterThanOrEqual(200)
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length)
  })

  it('answers the same questions when they are asked properly', async () => {
    expect(await raw(fillIn(http({})))).toMatch(/^HTTP\/1\.1 200 [^]*"runs":\[\{/)
    expect(await raw(fillIn(http({ headers: ['Origin: http://127.0.0.1:PORT', 'Sec-Fetch-Site: same-origin'] })))).toMatch(/^HTTP\/1\.1 200 /)
    expect(await raw(fillIn(upgrade('/report?token=REPORT')))).toMatch(/^HTTP\/1\.1 101 /)
  })

  it.each(cases)('refuses %s', async (_name, bytes) => {
    const answer = await raw(fillIn(bytes))
    expect(answer).toMatch(/^(HTTP\/1\.1 [45]\d\d |$)/)
    expect(answer).not.toMatch(/"runs":\[|SECRET|root:|set-cookie/i)
    expect(answer).not.toContain(token)
  })

  it('has sent nothing to the run by then', () => {
    expect(posted).toBe(0)
  })
})
