// Embeddings through the door, with OpenAI's own SDK, which asks for base64 unless it is told otherwise.
import { expect, test } from 'vitest'
import { failure, fakeClock, openai, replyText, type ModelProvider } from 'stateloop'
import { openDoor, refusalOf, type Door } from './openai-world.ts'
import { withTime } from './world.ts'

type Embed = NonNullable<ModelProvider['embed']>

/** A vector that says how long its text is. */
const vectorOf = (text: string): readonly number[] => [text.length, 0.1, -1e-7]
const embedder = (embed: Embed): ModelProvider => ({ id: 'openai', call: () => Promise.reject(new Error('Nobody asked for text.')), embed })

/** A door whose alias `small` embeds. @param fails how often it fails first. */
const openEmbedding = async ({ fails = 0, alias = {}, ...more }: { fails?: number; alias?: object; clock?: ReturnType<typeof fakeClock> } = {}): Promise<Door & { readonly requests: Parameters<Embed>[0][] }> => {
  const requests: Parameters<Embed>[0][] = []
  const provider = embedder(async (request) => {
    requests.push(request)
    if (requests.length <= fails) throw Object.assign(new Error('busy'), failure('overloaded', 'busy', { retryable: true }))
    return { vectors: request.texts.map(vectorOf), usage: { inputTokens: 3 * request.texts.length, outputTokens: 0 } }
  })
  const models = { small: { model: 'openai/text-embedding-3-small', ...alias }, chat: 'openai/gpt-5-mini' } as never
  const door = await openDoor(
    { models, rules: () => replyText(''), runtime: { ...(more.clock === undefined ? {} : { clock: more.clock }), providers: [provider] }, ...more },
    { 'x-stateloop-user': 'ada', 'x-stateloop-route': '/search' },
  )
  return { ...door, requests }
}

test('a vector comes for each text, in order, in both encodings, priced and billed to user and route', async () => {
  await using door = await openEmbedding()
  const { data, response } = await door.client.embeddings.create({ model: 'small', input: ['a', 'bbbb'], dimensions: 3 }).withResponse()
  expect(data).toMatchObject({ object: 'list', model: 'small', usage: { prompt_tokens: 6, total_tokens: 6 } })
  expect(data.data.map(({ index, embedding }) => [index, [...embedding].map((value) => Math.fround(value))])).toEqual([0, 1].map((at) => [at, [[1, 4][at], 0.1, -1e-7].map((value) => Math.fround(value ?? 0))]))
  expect(door.requests).toEqual([{ model: 'text-embedding-3-small', texts: ['a', 'bbbb'], providerOptions: { dimensions: 3 } }])
  const floats = await door.client.embeddings.create({ model: 'small', input: 'a', encoding_format: 'float' })
  expect(floats.data[0]?.embedding).toEqual([1, 0.1, -1e-7].map(Math.fround))
  const row = await door.runtime.get(response.headers.get('x-stateloop-run') ?? '')
  // 6 tokens at 0.02 USD a million.
  expect(row).toMatchObject({ agent: 'small', user: 'ada', route: '/search', status: 'done', inputTokens: 6, outputTokens: 0, costNano: 120 })
})

test('a call that fails is made again, and the client is told not to do so itself', async () => {
  const clock = fakeClock()
  await using door = await openEmbedding({ clock, fails: 1 })
  expect((await withTime(clock, door.client.embeddings.create({ model: 'small', input: 'a' }))).data).toHaveLength(1)
  expect(door.requests).toHaveLength(2)
  const late = fakeClock()
  await using failing = await openEmbedding({ clock: late, fails: 9, alias: { fallback: ['openai/gpt-5-mini'] } })
  const error = await withTime(late, refusalOf(failing.client.embeddings.create({ model: 'small', input: 'a' })))
  expect([error.status, error.headers?.get('x-should-retry')]).toEqual([503, 'false'])
  // Vectors of another model mean something else, so none of its fallbacks is asked.
  expect(new Set(failing.requests.map(({ model }) => model))).toEqual(new Set(['text-embedding-3-small']))
})

test('equal requests come from the cache and cost nothing, and a budget holds', async () => {
  await using cached = await openEmbedding({ alias: { cache: { ttlMs: 60_000 } } })
  const [first, second] = [await cached.client.embeddings.create({ model: 'small', input: 'a' }), await cached.client.embeddings.create({ model: 'small', input: 'a' })]
  expect([second?.data, second?.usage.prompt_tokens, cached.requests.length]).toEqual([first?.data, 0, 1])
  await using poor = await openEmbedding({ alias: { limits: { costUsd: 0.000_02 } } })
  const error = await refusalOf(poor.client.embeddings.create({ model: 'small', input: 'long '.repeat(2_000) }))
  expect([error.status, error.code, poor.requests.length]).toEqual([429, 'insufficient_quota', 0])
})

test('what cannot be embedded is refused with a reason', async () => {
  await using door = await openEmbedding()
  const refused = async (body: object): Promise<readonly unknown[]> => {
    const { status, param } = await refusalOf(door.client.embeddings.create({ model: 'small', input: 'a', ...body }))
    return [status, param]
  }
  expect(await refused({ input: [1, 2, 3] })).toEqual([400, 'input'])
  expect(await refused({ input: [[1], [2]] })).toEqual([400, 'input'])
  expect(await refused({ input: [] })).toEqual([400, 'input'])
  expect(await refused({ input: Array.from({ length: 2_049 }, () => 'a') })).toEqual([400, 'input'])
  expect(await refused({ model: 'weather' })).toEqual([400, 'model'])
  expect(await refused({ model: 'nothing' })).toEqual([404, 'model'])
  await using mute = await openDoor({ rules: () => replyText('x') })
  expect((await refusalOf(mute.client.embeddings.create({ model: 'fast', input: 'a' }))).message).toContain('it cannot')
  expect(door.requests).toHaveLength(0)
})

test('a door stands before another: our own provider reads its vectors', async () => {
  await using door = await openEmbedding()
  const provider = openai({ baseURL: `${door.url}/v1`, apiKey: 'a-token-for-the-tests' })
  const io = { signal: new AbortController().signal, timeouts: { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000 }, key: 'k' }
  for (const encoding of ['float', 'base64']) {
    const embedded = await provider.embed?.({ model: 'small', texts: ['a', 'bb'], providerOptions: { encoding_format: encoding } }, { ...io, key: encoding })
    expect(embedded).toEqual({ vectors: [1, 2].map((length) => [length, 0.1, -1e-7].map(Math.fround)), usage: { inputTokens: 6, outputTokens: 0 } })
  }
})
