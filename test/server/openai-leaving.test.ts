// Clients that go away: nobody pays longer than they listen, and what was begun counts.
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { memoryJournal, replyText, systemClock, type ModelProvider } from 'stateloop'
import { openDoor, type Door } from './openai-world.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]

/** A model that says some words, or none, and then takes until it is told to stop. */
const slowModel = (words: readonly string[]) => {
  const began = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<unknown>()
  const provider: ModelProvider = {
    id: 'openai',
    price: { inputUsd: 1, outputUsd: 2 },
    call: async (_request, { signal, onDelta }) => {
      for (const text of words) onDelta?.({ type: 'text', text })
      began.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      stopped.resolve(signal.reason)
      throw signal.reason
    },
  }
  return { provider, began: began.promise, stopped: stopped.promise }
}

const asks: { readonly [what: string]: (door: Door, signal: AbortSignal) => Promise<unknown> } = {
  'a completion': ({ client }, signal) => client.chat.completions.create({ model: 'fast', messages }, { signal }),
  'a completion of two answers': ({ client }, signal) => client.chat.completions.create({ model: 'fast', messages, n: 2 }, { signal }),
  'a stream of a completion': async ({ client }, signal) => {
    for await (const _chunk of await client.chat.completions.create({ model: 'fast', messages, stream: true }, { signal }));
  },
  'a response': ({ client }, signal) => client.responses.create({ model: 'fast', input: 'Hello' }, { signal }),
  'a stream of a response': ({ client }, signal) => client.responses.stream({ model: 'fast', input: 'Hello' }, { signal }).finalResponse(),
}

describe.each(Object.keys(asks))('a client that leaves %s', (what) => {
  test.for([
    ['before the first word', []],
    ['in the middle of it', ['Half ', 'of it']],
  ] as const)('%s stops the call of the provider and ends the run', { timeout: 10_000 }, async ([_when, words]) => {
    const { provider, began, stopped } = slowModel(words)
    await using door = await openDoor({ clock: systemClock, runtime: { clock: systemClock, providers: [provider] }, rules: () => replyText('') })
    const gone = new AbortController()
    const asked = asks[what]?.(door, gone.signal).catch((error: unknown) => error)
    await began
    gone.abort()
    expect(await asked).toBeInstanceOf(OpenAI.APIUserAbortError)
    expect(await stopped).toMatchObject({ code: 'cancelled' })
    const rows = await door.runtime.list()
    expect(await Promise.all(rows.map(async ({ id }) => (await door.runtime.outcome(id)).outcome))).toEqual(rows.map(() => 'cancelled'))
  })
})

test('what a call may have cost before its client left counts against the budget', async () => {
  const journal = memoryJournal({ clock: systemClock })
  const { provider, began, stopped } = slowModel(['Half'])
  const runtime = { clock: systemClock, journal, providers: [provider], budgets: [{ scope: 'user:*', usd: '0.01/day' }] } as const
  await using door = await openDoor({ clock: systemClock, runtime, rules: () => replyText('') }, { 'x-stateloop-user': 'ada' })
  const gone = new AbortController()
  const asked = door.client.chat.completions.create({ model: 'fast', messages, max_tokens: 4_000 }, { signal: gone.signal }).catch((error: unknown) => error)
  await began
  gone.abort()
  await Promise.all([asked, stopped])
  const [row] = await door.runtime.list()
  await door.runtime.outcome(row?.id ?? '')
  // Most of the budget is held for the call that was broken off, so an equal one no longer fits.
  await expect(door.client.chat.completions.create({ model: 'fast', messages, max_tokens: 4_000 })).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' })
})

test('a client that reads no more before it leaves does no harm', async () => {
  const { provider, stopped } = slowModel(['Half ', 'of it'])
  await using door = await openDoor({ clock: systemClock, runtime: { clock: systemClock, providers: [provider] }, rules: () => replyText('') })
  const response = await door.open('/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'fast', messages, stream: true }), headers: { 'content-type': 'application/json' } })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  // The role, and the first words.
  await reader.read()
  await reader.read()
  await reader.cancel()
  expect(await stopped).toMatchObject({ code: 'cancelled' })
  const [row] = await door.runtime.list()
  expect(await door.runtime.outcome(row?.id ?? '')).toMatchObject({ outcome: 'cancelled', costUsd: null })
})
