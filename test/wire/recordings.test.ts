// Every recording goes through the provider over a loopback socket, and gives what an independent reader finds in it.
import { afterAll, expect, test } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { checkReply, ModelCallError, openai, type ModelDelta, type ModelProvider, type ModelReply } from '../../src/model/index.ts'
import type { Schema } from '../../src/schema/index.ts'
import { faultServer } from '../../src/testing/index.ts'
import { ask, io } from '../model/call.ts'
import { allRecordings, expectedOf, hasShared, isStream, sharedFolder, type Expected, type Recording } from './recordings.ts'

if (!hasShared) process.stdout.write(`No recordings at ${sharedFolder}: only the sample in test/fixtures/wire is read.\n`)

const seed = Number(process.env['WIRE_SEED'] ?? 1)
const random = seededRandom(seed)
const counts = { files: 0, exchanges: 0, replies: 0, calls: 0, failures: 0 }

/** Random pieces, so that events, lines and characters are torn. */
const torn = (body: string): readonly Uint8Array[] => {
  const bytes = Buffer.from(body)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() ** 2 * 700)
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}

const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as unknown as Schema

/** What the provider made of it, in the shape of the independent reading. */
const outcomeOf = async (provider: ModelProvider, recording: Recording): Promise<{ readonly got: object; readonly heard: readonly ModelDelta[]; readonly reply?: ModelReply }> => {
  const heard: ModelDelta[] = []
  const request = ask({ model: String(recording.request.body?.['model'] ?? 'unknown') })
  try {
    const reply = await provider.call(request, io(isStream(recording) ? { onDelta: (delta) => void heard.push(delta) } : {}))
    const { message, finish, refusal = '', usage, model } = reply
    const calls = (message.calls ?? []).map(({ id, name, args }) => ({ id, name, args }))
    return { got: { kind: 'reply', text: message.content, refusal, calls, finish, usage, model }, heard, reply }
  } catch (error) {
    if (!(error instanceof ModelCallError)) throw error
    return { got: { kind: 'failure', code: error.failure.code }, heard }
  }
}

const compare = (expected: Expected, { got, heard, reply }: Awaited<ReturnType<typeof outcomeOf>>, where: string, streaming: boolean): void => {
  if (expected.kind === 'failure') {
    expect(got, where).toMatchObject({ kind: 'failure' })
    expect(expected.codes, where).toContain((got as { readonly code?: string }).code)
    counts.failures++
    return
  }
  expect(got, where).toEqual(expected)
  counts.replies++
  counts.calls += expected.calls.length
  if (streaming) expect(heard.map((delta) => (delta.type === 'text' ? delta.text : '')).join(''), where).toBe(expected.text)
  if (reply === undefined) return
  const checked = checkReply(reply, { tools: Object.fromEntries(expected.calls.map(({ name }) => [name, { input: anything }])), refusalDetector: false })
  const kind = expected.refusal !== '' || expected.finish === 'length' || expected.finish === 'content_filter' ? 'failed' : expected.calls.length > 0 ? 'calls' : expected.text.trim() === '' ? 'failed' : 'text'
  expect(checked.kind, where).toBe(kind)
}

test.each(allRecordings())(
  '%s',
  async (_file, recordings) => {
    // Twice: as one piece, and torn.
    const exchanges = recordings.flatMap((recording) => [
      { recording, body: recording.response.body as string | readonly Uint8Array[] },
      { recording, body: torn(recording.response.body) },
    ])
    await using server = await faultServer({
      faults: exchanges.map(({ recording: { response }, body }) => ({ status: response.status, headers: response.headers, body })),
    })
    const providers = {
      chat: openai({ baseURL: server.url, apiKey: 'test-key-1234' }),
      responses: openai({ baseURL: server.url, apiKey: 'test-key-1234', wire: 'responses' }),
    }
    for (const { recording } of exchanges) {
      const provider = providers[recording.api === 'openai.responses' ? 'responses' : 'chat']
      compare(expectedOf(recording), await outcomeOf(provider, recording), `${recording.file}:${recording.line}`, isStream(recording))
      counts.exchanges++
    }
    expect(server.requests).toHaveLength(exchanges.length)
    counts.files++
  },
  60_000,
)

afterAll(() => process.stdout.write(`Recordings (seed ${seed}): ${JSON.stringify(counts)}\n`))
