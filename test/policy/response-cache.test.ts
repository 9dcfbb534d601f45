import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import type { Json } from '../../src/failure/index.ts'
import { cacheKey, memoryCacheStore, responseCache, type CacheEntry, type CacheStore } from '../../src/policy/index.ts'

const mapStore = (): CacheStore & { readonly entries: Map<string, CacheEntry> } => {
  const entries = new Map<string, CacheEntry>()
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, entry) => void entries.set(key, entry),
    delete: async (key) => void entries.delete(key),
  }
}

const setup = () => {
  const clock = fakeClock()
  return { clock, cache: responseCache({ clock, stores: [memoryCacheStore()] }) }
}

describe('a cached value', () => {
  it('answers until its time to live is over', async () => {
    const { cache, clock } = setup()
    const storedAtMs = clock.now()
    await cache.set('k', { text: 'hi' }, { ttlMs: 1_000 })
    await clock.advance(999)
    expect(await cache.get('k')).toEqual({ value: { text: 'hi' }, storedAtMs, stale: false })
    await clock.advance(1)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.get('k', { stale: true })).toBeUndefined()
  })

  it('stands in for a failed call for a while longer, marked as stale, where that was allowed', async () => {
    const { cache, clock } = setup()
    await cache.set('k', 1, { ttlMs: 1_000, staleMs: 500 })
    expect(await cache.get('k', { stale: true })).toMatchObject({ value: 1, stale: false })
    await clock.advance(1_000)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.get('k', { stale: true })).toMatchObject({ value: 1, stale: true })
    await clock.advance(500)
    expect(await cache.get('k', { stale: true })).toBeUndefined()
  })

  it('is a frozen copy that neither its writer nor a reader can change', async () => {
    const { cache } = setup()
    const written = { list: [{ n: 1 }] }
    await cache.set('k', written, { ttlMs: 1_000 })
    written.list[0] = { n: 2 }
    const hit = await cache.get('k')
    expect(hit?.value).toEqual({ list: [{ n: 1 }] })
    const read = hit?.value as { list: { n: number }[] }
    expect(() => (read.list[0] = { n: 3 })).toThrow(TypeError)
    expect(() => Object.assign(read.list[0] ?? {}, { n: 3 })).toThrow(TypeError)
  })

  it('is replaced by a later one', async () => {
    const { cache } = setup()
    await cache.set('k', 1, { ttlMs: 1_000 })
    await cache.set('k', 2, { ttlMs: 1_000 })
    expect((await cache.get('k'))?.value).toBe(2)
  })
})

describe('several stores', () => {
  it('answer in order, and a hit in a slow one is copied into the fast one', async () => {
    const clock = fakeClock()
    const [fast, slow] = [mapStore(), mapStore()]
    await responseCache({ clock, stores: [slow] }).set('k', 'v', { ttlMs: 1_000 })
    expect(await responseCache({ clock, stores: [fast, slow] }).get('k')).toMatchObject({ value: 'v' })
    expect(fast.entries.get('k')).toEqual(slow.entries.get('k'))
  })

  it('give the fresh value of a slow one before the stale value of a fast one', async () => {
    const clock = fakeClock()
    const [fast, slow] = [mapStore(), mapStore()]
    await responseCache({ clock, stores: [fast] }).set('k', 'old', { ttlMs: 10, staleMs: 10_000 })
    await clock.advance(10)
    await responseCache({ clock, stores: [slow] }).set('k', 'new', { ttlMs: 1_000 })
    expect(await responseCache({ clock, stores: [fast, slow] }).get('k')).toMatchObject({ value: 'new', stale: false })
  })

  it('drop an entry that is damaged or over', async () => {
    const clock = fakeClock()
    const store = mapStore()
    const cache = responseCache({ clock, stores: [store] })
    await cache.set('old', 1, { ttlMs: 1 })
    store.entries.set('damaged', { text: '{"a":', storedAtMs: clock.now(), freshUntilMs: clock.now() + 1_000, staleUntilMs: clock.now() + 1_000 })
    await clock.advance(1)
    expect(await cache.get('damaged')).toBeUndefined()
    expect(await cache.get('old')).toBeUndefined()
    expect(store.entries.size).toBe(0)
  })

  it('that throw count as empty, and their errors are heard', async () => {
    const clock = fakeClock()
    const errors: unknown[] = []
    const broken = (): never => {
      throw new Error('disk full')
    }
    const good = mapStore()
    const cache = responseCache({
      clock,
      stores: [{ get: broken, set: broken, delete: broken }, good],
      onError: (thrown) => errors.push((thrown as Error).message),
    })
    await cache.set('k', 1, { ttlMs: 1_000 })
    expect(await cache.get('k')).toMatchObject({ value: 1 })
    expect(errors).toEqual(['disk full', 'disk full', 'disk full'])
  })
})

describe('the memory store', () => {
  it('keeps within its size, the least recently used entries going first', async () => {
    const clock = fakeClock()
    const store = memoryCacheStore({ maxBytes: 4_000 })
    const cache = responseCache({ clock, stores: [store] })
    for (const key of ['a', 'b', 'c']) await cache.set(key, 'x'.repeat(1_000), { ttlMs: 1_000 })
    await cache.get('a')
    await cache.set('d', 'x'.repeat(1_000), { ttlMs: 1_000 })
    expect(store.sizeBytes()).toBeLessThanOrEqual(4_000)
    const kept = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => ((await cache.get(key)) === undefined ? '' : key)))
    expect(kept.join('')).toBe('acd')
  })

  it('counts bytes, not characters, and does not keep what is larger than all of it', async () => {
    const store = memoryCacheStore({ maxBytes: 2_000 })
    const cache = responseCache({ clock: fakeClock(), stores: [store] })
    await cache.set('k', '😀'.repeat(500), { ttlMs: 1_000 })
    expect(await cache.get('k')).toBeUndefined()
    expect(store.sizeBytes()).toBe(0)
  })
})

describe('the key', () => {
  const parts = { model: 'openai/gpt', messages: [{ role: 'user', content: 'hi' }], params: { temperature: 0 } }

  it('is the same for the same call, whatever the order of fields', () => {
    expect(cacheKey({ tenant: 't' }, 'tenant', { params: parts.params, messages: parts.messages, model: parts.model })).toBe(cacheKey({ tenant: 't' }, 'tenant', parts))
    expect(cacheKey({}, 'tenant', parts)).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each<readonly [string, Json]>([
    ['another model', { ...parts, model: 'openai/other' }],
    ['another message', { ...parts, messages: [{ role: 'user', content: 'hi ' }] }],
    ['another parameter', { ...parts, params: { temperature: 1 } }],
  ])('differs for %s', (_what, other) => {
    expect(cacheKey({}, 'tenant', other)).not.toBe(cacheKey({}, 'tenant', parts))
  })

  it('keeps tenants apart unless the author shares with everyone', () => {
    expect(cacheKey({ tenant: 'a' }, 'tenant', parts)).not.toBe(cacheKey({ tenant: 'b' }, 'tenant', parts))
    expect(cacheKey({ tenant: 'a' }, 'everyone', parts)).toBe(cacheKey({ tenant: 'b' }, 'everyone', parts))
    expect(cacheKey({ tenant: 'a' }, 'tenant', parts)).not.toBe(cacheKey({}, 'everyone', parts))
  })

  it('keeps users apart where asked, also users of the same name in two tenants', () => {
    expect(cacheKey({ tenant: 'a', user: 'u' }, 'tenant', parts)).toBe(cacheKey({ tenant: 'a', user: 'v' }, 'tenant', parts))
    const keys = [
      { tenant: 'a', user: 'u' },
      { tenant: 'a', user: 'v' },
      { tenant: 'b', user: 'u' },
    ].map((scope) => cacheKey(scope, 'user', parts))
    expect(new Set(keys).size).toBe(3)
  })
})
