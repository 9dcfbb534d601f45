// Where a stream is split must not matter: short ones are split at every byte.
import { expect, test } from 'vitest'
import { openai } from '../../src/model/index.ts'
import { sseDecoder } from '../../src/model/openai/sse.ts'
import { faultServer } from '../../src/testing/index.ts'
import { ask, listening } from '../model/call.ts'
import { memoryProvider, shortStreams } from './short-streams.ts'

test('short streams, split in two at every byte, give one and the same reply', async () => {
  let splits = 0
  for (const recording of shortStreams(1_300)) {
    const bytes = Buffer.from(recording.response.body)
    let at = 0
    const provider = memoryProvider(recording, () => ({ body: [bytes.subarray(0, at), bytes.subarray(at)].filter((piece) => piece.length > 0), ending: 'end' }))
    const whole = await provider.call(ask(), listening())
    for (at = 1; at < bytes.length; at++, splits++) expect(await provider.call(ask(), listening()), `split at ${at}`).toEqual(whole)
  }
  process.stdout.write(`Splits tried: ${splits}\n`)
  expect(splits).toBeGreaterThan(500)
}, 60_000)

test('streams that arrive byte by byte over a socket give the same reply as in one piece', async () => {
  for (const recording of shortStreams(5_000).slice(0, 20)) {
    const { status, headers, body } = recording.response
    const bytes = Buffer.from(body)
    await using server = await faultServer({
      faults: [
        { status, headers, body },
        { status, headers, body: Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)) },
      ],
    })
    const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234', wire: recording.api === 'openai.responses' ? 'responses' : 'chat' })
    const whole = listening()
    const torn = listening()
    expect(await provider.call(ask(), whole)).toEqual(await provider.call(ask(), torn))
    expect(torn.heard).toEqual(whole.heard)
  }
}, 60_000)

const ODD: readonly (readonly [string, readonly { readonly type: string; readonly data: string }[]])[] = [
  [
    'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
    [
      { type: '', data: 'a' },
      { type: '', data: 'b' },
      { type: '', data: 'c' },
    ],
  ],
  ['data: a\ndata: b\n\n', [{ type: '', data: 'a\nb' }]],
  [': comment\n\nevent: x\ndata:no space\nid: 7\nretry: 10\n\n', [{ type: 'x', data: 'no space' }]],
  ['data\n\n', [{ type: '', data: '' }]],
  ['event: lonely\n\ndata: after\n\n', [{ type: '', data: 'after' }]],
  ['data:  two spaces\n\n', [{ type: '', data: ' two spaces' }]],
  ['data: unfinished\n', []],
  ['data: unfinished', []],
  ['unknown: field\ndata: a\n\n', [{ type: '', data: 'a' }]],
]

test.each(ODD)('the event stream %j decodes to the same events at every split', (text, expected) => {
  for (let at = 0; at <= text.length; at++) {
    const decoder = sseDecoder()
    expect([...decoder.push(text.slice(0, at)), ...decoder.push(text.slice(at))]).toEqual(expected)
  }
  const slow = sseDecoder()
  expect([...text].flatMap((character) => [...slow.push(character)])).toEqual(expected)
})
