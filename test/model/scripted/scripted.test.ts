// The scripted provider: rules, scripts, counting, streaming, and time on a fake clock.
import { expect, test } from 'vitest'
import { fakeClock } from '../../../src/clock/index.ts'
import { FailureError } from '../../../src/failure/index.ts'
import { lastToolResults, lastUserText, offersTool, replyCalls, replyFailure, replyOutput, replyRefusal, replyText, script, scripted } from '../../../src/model/index.ts'
import { stateOfKey } from '../../../src/model/scripted/script.ts'
import { ask, io, listening, patience, rejection } from '../call.ts'

test('the first rule that answers wins', async () => {
  const provider = scripted({
    rules: [(request) => (lastUserText(request) === 'Hello' ? undefined : replyText('other')), () => replyText('second'), () => replyText('third')],
  })
  expect(await provider.call(ask(), io())).toEqual({
    message: { role: 'assistant', content: 'second' },
    finish: 'stop',
    usage: { inputTokens: 2, outputTokens: 2 },
    model: 'test-model',
  })
})

test('a request no rule answers fails with the words of the request', async () => {
  await expect(scripted({ rules: () => undefined }).call(ask(), io())).rejects.toThrow(/"Hello"/)
  await expect(scripted({ rules: [] }).call(ask(), io())).rejects.toBeInstanceOf(FailureError)
})

test('it charges nothing unless told, and says so itself', () => {
  expect(scripted({ rules: [] }).price).toEqual({ inputUsd: 0, outputUsd: 0 })
  expect(scripted({ rules: [], price: { inputUsd: 1, outputUsd: 2 }, id: 'fake' })).toMatchObject({ id: 'fake', price: { inputUsd: 1, outputUsd: 2 } })
})

test('tokens are counted the same for the same request, four characters each', async () => {
  const provider = scripted({ rules: () => replyText('12345678') })
  const request = ask({
    messages: [
      { role: 'system', content: '1234' },
      { role: 'user', content: [{ type: 'text', text: '12345' }] },
    ],
  })
  expect((await provider.call(request, io())).usage).toEqual({ inputTokens: 3, outputTokens: 2 })
  expect((await provider.call(request, io())).usage).toEqual({ inputTokens: 3, outputTokens: 2 })
  const offered = await provider.call({ ...request, tools: [{ name: 'f', description: '', parameters: {} }] }, io())
  expect(offered.usage?.inputTokens).toBeGreaterThan(3)
  const given = scripted({ rules: () => replyText('x', { usage: { inputTokens: 7, outputTokens: 8 } }) })
  expect((await given.call(request, io())).usage).toEqual({ inputTokens: 7, outputTokens: 8 })
})

test('calls get ids that no earlier call of the thread has', async () => {
  const provider = scripted({ rules: () => replyCalls({ name: 'f', args: { a: 1 } }, { name: 'g', args: {}, id: 'mine' }) })
  const first = await provider.call(ask(), io())
  expect(first).toMatchObject({ finish: 'tool_calls', message: { content: '', calls: [{ id: 'call_1', name: 'f', args: { a: 1 } }, { id: 'mine' }] } })
  const second = await provider.call(ask({ messages: [...ask().messages, first.message] }), io())
  expect(second.message.calls?.[0]?.id).toBe('call_3')
})

test('refusals, outputs, other finishes and unreadable arguments can be played', async () => {
  const replies = [replyRefusal(), replyOutput({ a: 1 }), replyText('cut', { finish: 'length', model: 'other' }), replyCalls({ name: 'f', args: null, raw: '{"a":' })]
  const provider = script(replies)
  expect(await provider.call(ask(), io())).toMatchObject({ refusal: "I'm sorry, but I can't help with that." })
  expect(await provider.call(ask(), io())).toMatchObject({ message: { content: '{"a":1}' } })
  expect(await provider.call(ask(), io())).toMatchObject({ finish: 'length', model: 'other' })
  expect(await provider.call(ask(), io())).toMatchObject({ message: { calls: [{ args: null, raw: '{"a":' }] } })
})

test('a failure is thrown with its details and what it was billed', async () => {
  const provider = script([replyFailure('rate_limited', { provider: { status: 429, retryAfterMs: 2000 }, usage: { inputTokens: 1, outputTokens: 0 } })])
  const error = await rejection(provider.call(ask(), io()))
  expect(error.failure).toMatchObject({ code: 'rate_limited', retryable: true, provider: { status: 429, retryAfterMs: 2000 } })
  expect(error.attempt).toEqual({ model: 'test-model', usage: { inputTokens: 1, outputTokens: 0 } })
})

test('a listener hears the reply in pieces that make it up again, and no character is split', async () => {
  const provider = scripted({
    rules: () => ({ text: 'Grüezi 👋🏽 zäme, es regnet.', calls: [{ name: 'f', args: { long: 'value'.repeat(20) } }] }),
    pieceLength: 3,
  })
  const ears = listening()
  const reply = await provider.call(ask(), ears)
  const texts = ears.heard.flatMap((delta) => (delta.type === 'text' ? [delta.text] : []))
  expect(texts.join('')).toBe(reply.message.content)
  expect(texts.every((text) => text.isWellFormed())).toBe(true)
  expect(texts.length).toBeGreaterThan(5)
  const calls = ears.heard.flatMap((delta) => (delta.type === 'call' ? [delta] : []))
  expect(JSON.parse(calls.map(({ args }) => args).join(''))).toEqual({ long: 'value'.repeat(20) })
  expect(calls[0]).toMatchObject({ name: 'f', index: 0 })
})

test('delays run on the clock it is given', async () => {
  const clock = fakeClock()
  const provider = scripted({ rules: () => replyText('abcdef', { delayMs: 1000, pieceMs: 500 }), pieceLength: 2, clock })
  const ears = listening()
  const call = provider.call(ask(), ears)
  await clock.advance(999)
  expect(ears.heard).toHaveLength(0)
  await clock.advance(501)
  expect(ears.heard).toHaveLength(2)
  await clock.advance(500)
  expect((await call).message.content).toBe('abcdef')
})

test('a delay beyond a limit of the attempt is a timeout that names its phase', async () => {
  const clock = fakeClock()
  const slow = scripted({ rules: () => replyText('abc', { delayMs: 90_000 }), clock })
  const first = rejection(slow.call(ask(), io({ timeouts: { ...patience, firstTokenMs: 60_000 } })))
  await clock.advance(60_000)
  expect((await first).failure).toMatchObject({ code: 'timeout', details: { phase: 'first_token', limitMs: 60_000 } })
  const stalling = scripted({ rules: () => replyText('abc', { pieceMs: 90_000 }), pieceLength: 1, clock })
  const idle = rejection(stalling.call(ask(), listening({ timeouts: { ...patience, idleMs: 30_000 } })))
  await clock.advance(30_000)
  expect((await idle).failure).toMatchObject({ code: 'timeout', details: { phase: 'idle' } })
})

test('an abort ends a delay with its own reason', async () => {
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  const provider = scripted({ rules: () => replyText('x', { delayMs: 1000 }), clock: fakeClock() })
  const call = provider.call(ask(), io({ signal: controller.signal }))
  await Promise.resolve()
  controller.abort(reason)
  await expect(call).rejects.toBe(reason)
  await expect(provider.call(ask(), io({ signal: controller.signal }))).rejects.toBe(reason)
})

test('a script says its turns in order, remembers requests, and tells what was not said', async () => {
  const provider = script([replyText('one'), (request) => replyText(`heard ${lastUserText(request)}`), replyText('three')])
  await provider.call(ask(), io())
  expect((await provider.call(ask(), io())).message.content).toBe('heard Hello')
  expect(provider.requests).toHaveLength(2)
  expect(provider.unused).toBe(1)
  expect(() => provider.assertComplete()).toThrow(/1 turns .*three/)
  await provider.call(ask(), io())
  provider.assertComplete()
  await expect(provider.call(ask(), io())).rejects.toThrow(/no turn left/)
})

test('a script per state takes turns by the state that asks', async () => {
  const provider = script({ triaging: [replyText('t1')], answering: [replyText('a1'), replyText('a2')] })
  expect((await provider.call(ask(), io({ key: 'run-1/answering#1' }))).message.content).toBe('a1')
  expect((await provider.call(ask(), io({ key: 'run-1/triaging#1:0' }))).message.content).toBe('t1')
  expect(() => provider.assertComplete()).toThrow(/answering/)
  await expect(provider.call(ask(), io({ key: 'run-1/closing#1' }))).rejects.toThrow(/for the state closing/)
})

test.each([
  ['/answering#2', 'answering'],
  ['0199-a/each#1/answering#2.1', 'answering'],
  ['/group.asking#1:0', 'asking'],
  ['plain', 'plain'],
])('the state in the key %s is %s', (key, state) => {
  expect(stateOfKey(key)).toBe(state)
})

test('rules see the last user text, the latest tool results and the tools on offer', () => {
  const request = ask({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'A' },
          { type: 'text', text: 'B' },
        ],
      },
      { role: 'assistant', content: '', calls: [{ id: 'c', name: 'f', args: {} }] },
      { role: 'tool', callId: 'c', name: 'f', content: 'result' },
    ],
    tools: [{ name: 'f', description: '', parameters: {} }],
  })
  expect(lastUserText(request)).toBe('AB')
  expect(lastToolResults(request)).toHaveLength(1)
  expect(lastToolResults(ask())).toEqual([])
  expect([offersTool(request, 'f'), offersTool(request, 'g'), offersTool(ask(), 'f')]).toEqual([true, false, false])
  expect(lastUserText({ messages: [] })).toBe('')
})
