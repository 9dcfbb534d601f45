// Failures as clients of OpenAI meet them: what kind, whether to come back, and when.
import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { codeInfo, fakeClock, replyFailure, replyText } from 'stateloop'
import { openDoor, refusalOf, type Door } from './openai-world.ts'
import { TOKEN, withTime } from './world.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]
const chat = ({ client }: Door): Promise<OpenAI.ChatCompletion> => client.chat.completions.create({ model: 'fast', messages })
const runsOf = async ({ runtime }: Door): Promise<number> => (await runtime.list()).length

/** A client as programs make it: it tries again twice by itself. */
const eager = ({ url }: Door, token = TOKEN): OpenAI => new OpenAI({ apiKey: token, baseURL: `${url}/v1` })

describe('retries of the client do not multiply those made here', () => {
  test.for(['overloaded', 'rate_limited', 'provider_error', 'auth_failed', 'quota_exhausted'] as const)('after %s it does not ask again', async (code) => {
    const clock = fakeClock()
    await using door = await openDoor({ clock, rules: () => replyFailure(code) })
    await withTime(clock, refusalOf(eager(door).chat.completions.create({ model: 'fast', messages })), 5_000)
    expect(await runsOf(door)).toBe(1)
  })

  test('it comes back when it was turned away before anything was tried, and is then answered', async () => {
    const clock = fakeClock()
    await using door = await openDoor({ clock, rules: () => replyText('Hi.'), limits: { requestsPerMinute: 600 } })
    for (let sent = 0; sent < 600; sent++) await door.call('GET', '/v1/models')
    const statuses: number[] = []
    const client = new OpenAI({
      apiKey: TOKEN,
      baseURL: `${door.url}/v1`,
      fetch: async (url, init) => {
        const response = await fetch(url as string, init as RequestInit)
        statuses.push(response.status)
        // The time that the client waits by its own clock.
        await clock.advance(1_000)
        return response
      },
    })
    expect((await client.chat.completions.create({ model: 'fast', messages })).choices[0]?.message.content).toBe('Hi.')
    expect([statuses, door.asked.length]).toEqual([[429, 200], 1])
  })
})

test('a wrong token is a mistake of the client, a wrong key of the provider is not', async () => {
  await using door = await openDoor({ rules: () => replyFailure('auth_failed') })
  const wrong = await refusalOf(eager(door, 'not-the-token-at-all').models.list())
  expect(wrong).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(wrong).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' })
  const upstream = await refusalOf(chat(door))
  expect(upstream).toBeInstanceOf(OpenAI.InternalServerError)
  expect(upstream.error).toMatchObject({ stateloop_code: 'auth_failed' })
})

test('a model that only the provider does not know is no missing model of the client', async () => {
  await using door = await openDoor({ rules: () => replyFailure('model_not_found') })
  expect(await refusalOf(chat(door))).toMatchObject({ status: 500, error: { stateloop_code: 'model_not_found' } })
  expect(await refusalOf(door.client.chat.completions.create({ model: 'gpt-99', messages }))).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
})

describe('who may not spend is told so, and until when', () => {
  test('by a limit on calls a minute: come back by yourself', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.'), runtime: { budgets: [{ scope: 'user:*', calls: '1/m' }] } }, { 'x-stateloop-user': 'ada' })
    await chat(door)
    const error = await refusalOf(chat(door))
    expect([error.status, error.code, error.type, error.headers?.get('x-should-retry')]).toEqual([429, 'rate_limit_exceeded', 'requests', 'true'])
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(error.headers?.get('retry-after'))).toBeLessThanOrEqual(60)
  })

  test('by a budget of a day: not before it ends, and not by yourself', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.'), runtime: { budgets: [{ scope: 'user:*', calls: '1/day' }] } }, { 'x-stateloop-user': 'ada' })
    await chat(door)
    const error = await refusalOf(chat(door))
    expect([error.status, error.code, error.headers?.get('x-should-retry')]).toEqual([429, 'insufficient_quota', 'false'])
    expect(error.message).toContain('user:*')
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(60)
    expect(door.asked).toHaveLength(1)
  })
})

test('an open circuit answers at once, with the time when it is worth asking again', async () => {
  const clock = fakeClock()
  const alias = { model: 'openai/gpt-5-mini', retry: { attempts: 1 }, breaker: { minFailures: 2 } } as const
  await using door = await openDoor({ clock, models: { fast: alias }, rules: () => replyFailure('overloaded') })
  for (let calls = 0; calls < 4; calls++) await refusalOf(chat(door))
  const asked = door.asked.length
  const error = await refusalOf(chat(door))
  expect([error.status, error.code, door.asked.length]).toEqual([503, 'server_is_overloaded', asked])
  expect(error.error).toMatchObject({ stateloop_code: 'circuit_open' })
  expect(Number(error.headers?.get('retry-after-ms'))).toBeGreaterThan(0)
})

test('what is not served is not found, and the message says so', async () => {
  await using door = await openDoor({ rules: () => replyText('Hi.') })
  const missing = await refusalOf(door.client.responses.retrieve('resp_1'))
  expect(missing).toBeInstanceOf(OpenAI.NotFoundError)
  expect(missing.message).toContain('There is no GET /v1/responses/resp_1 here')
})

test('a browser may call when its origin is declared, with the headers that the SDK sends', async () => {
  const asks = {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,x-stainless-os,x-stainless-retry-count,x-stateloop-user' },
  }
  await using open = await openDoor({ rules: () => replyText('Hi.'), origins: ['https://app.example'] })
  const allowed = await fetch(`${open.url}/v1/chat/completions`, asks)
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example')
  expect(allowed.headers.get('access-control-allow-headers')).toContain('x-stainless-retry-count')
  await using closed = await openDoor({ rules: () => replyText('Hi.') })
  expect((await fetch(`${closed.url}/v1/chat/completions`, asks)).headers.get('access-control-allow-origin')).toBeNull()
})

test('whatever is sent, the answer is what was asked for or an error with a known code, and never a bug', async () => {
  const names = [
    'model',
    'messages',
    'input',
    'tools',
    'tool_choice',
    'response_format',
    'text',
    'reasoning',
    'n',
    'stop',
    'stream',
    'stream_options',
    'user',
    'include',
    'truncation',
    'previous_response_id',
    'instructions',
    'encoding_format',
    'dimensions',
    'max_tokens',
    'metadata',
    'anything',
  ]
  const bodies: { readonly [path: string]: object } = { '/v1/chat/completions': { model: 'fast', messages }, '/v1/responses': { model: 'fast', input: 'Hello' }, '/v1/embeddings': { model: 'fast', input: 'Hello' } }
  await using door = await openDoor({ rules: () => replyText('{}') })
  const field = fc.tuple(
    fc.constantFrom(...names),
    fc.oneof(fc.jsonValue(), fc.array(fc.record({ role: fc.constantFrom('user', 'assistant', 'tool', 'x'), type: fc.constantFrom('message', 'function', 'reasoning'), content: fc.jsonValue() }))),
  )
  const sent = fc.oneof({ weight: 1, arbitrary: fc.jsonValue() }, { weight: 4, arbitrary: fc.array(field, { minLength: 1, maxLength: 3 }).map((fields) => Object.fromEntries(fields)) })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(bodies)), sent, async (path, more) => {
      const body = typeof more === 'object' && more !== null && !Array.isArray(more) ? { ...bodies[path], ...more } : more
      const response = await door.open(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
      const text = await response.text()
      if (response.status === 200) return
      const { error } = JSON.parse(text) as { readonly error: { readonly message: string; readonly stateloop_code: string } }
      expect([response.status < 500, codeInfo(error.stateloop_code as never) !== undefined, error.stateloop_code === 'defect', error.message.length > 0], text).toEqual([true, true, false, true])
    }),
    { numRuns: 400, seed: 5 },
  )
})
