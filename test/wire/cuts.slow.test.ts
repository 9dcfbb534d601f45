// A stream that is cut, wherever and however, never becomes a reply, and nothing it asked for runs.
import { expect, test } from 'vitest'
import { openai } from '../../src/model/index.ts'
import { faultServer } from '../../src/testing/index.ts'
import { ask, completion, io, listening, rejection } from '../model/call.ts'
import type { Recording } from './recordings.ts'
import { completeAt, memoryProvider, shortStreams, type Ending } from './short-streams.ts'

const cutEverywhere = async (recording: Recording, ending: Ending): Promise<number> => {
  const bytes = Buffer.from(recording.response.body)
  let at = 0
  const provider = memoryProvider(recording, () => ({ body: at === 0 ? [] : [bytes.subarray(0, at)], ending }))
  const end = completeAt(recording)
  for (; at < end; at++) {
    const { failure, attempt } = await rejection(provider.call(ask(), listening()))
    expect(failure, `${recording.file}:${recording.line} cut at ${at}`).toMatchObject({ code: 'stream_truncated', retryable: true })
    expect(attempt.message).toBeUndefined()
  }
  return end
}

test.each(['end', 'reset'] as const)(
  'recorded streams cut at every byte (%s) are truncated, never a reply',
  async (ending) => {
    let cuts = 0
    for (const recording of shortStreams(1_300)) cuts += await cutEverywhere(recording, ending)
    process.stdout.write(`Cuts tried (${ending}): ${cuts}\n`)
    expect(cuts).toBeGreaterThan(500)
  },
  60_000,
)

test.each(['end', 'close', 'reset'] as const)(
  'over a socket as well (%s)',
  async (how) => {
    const [recording] = shortStreams(5_000)
    const { status, headers, body } = recording?.response ?? { status: 0, headers: {}, body: '' }
    const length = Buffer.byteLength(body)
    await using server = await faultServer({ faults: Array.from({ length }, (_, atByte) => ({ status, headers, body, cut: { atByte, how } })) })
    const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
    for (let at = 0; at < length; at++) {
      const { failure } = await rejection(provider.call(ask(), listening()))
      // A reset may overtake the headers.
      expect(['stream_truncated', ...(how === 'reset' ? ['connection_failed'] : [])], `cut at ${at}`).toContain(failure.code)
    }
    expect(server.requests).toHaveLength(length)
  },
  60_000,
)

test.each(['end', 'close', 'reset'] as const)(
  'a document cut at every byte (%s) is a typed failure',
  async (how) => {
    const body = completion({ role: 'assistant', content: 'Hi ☔.', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] }, 'tool_calls')
    const length = Buffer.byteLength(body)
    await using server = await faultServer({ faults: Array.from({ length }, (_, atByte) => ({ body, cut: { atByte, how } })) })
    const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
    const allowed = { end: ['malformed_response'], close: ['stream_truncated'], reset: ['stream_truncated', 'connection_failed'] }[how]
    for (let at = 0; at < length; at++) expect(allowed, `cut at ${at}`).toContain((await rejection(provider.call(ask(), io()))).failure.code)
  },
  60_000,
)
