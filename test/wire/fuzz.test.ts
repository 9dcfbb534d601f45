// Malformed replies by the thousand: each one ends as a well-formed reply or as a typed failure, and no call comes out of
// a stream that was not complete. FUZZ_COUNT and FUZZ_SEED choose how many and which; FUZZ_ONE runs a single one.
import { expect, test } from 'vitest'
import { codesOf, isFailure } from '../../src/failure/index.ts'
import { checkReply, ModelCallError, openai, type ModelProvider, type ModelReply } from '../../src/model/index.ts'
import { canonical, type Schema } from '../../src/schema/index.ts'
import { faultServer } from '../../src/testing/index.ts'
import { ask, io, listening } from '../model/call.ts'
import { malformed, type Payload } from './malformed.ts'

const count = Number(process.env['FUZZ_COUNT'] ?? 10_000)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_107)
const one = process.env['FUZZ_ONE']
/** Every so many payloads one goes over a real socket; the others come from memory. */
const SOCKET_EVERY = 20

const MODEL_CODES: ReadonlySet<string> = new Set(codesOf('model'))
const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as unknown as Schema
const tools = { get_weather: { input: anything } }

const fromMemory = (payload: Payload): ModelProvider => {
  const { wire, status, contentType, body } = payload
  const fetch = async (): Promise<Response> => new Response(body.slice(), { status, headers: contentType === '' ? {} : { 'content-type': contentType } })
  return openai({ baseURL: 'http://memory.invalid/v1', apiKey: 'test-key-1234', fetch, wire })
}

/** Calls may only come from bodies in which the end of the turn can be seen with the naked eye. */
const showsItsEnd = ({ wire, body }: Payload): boolean => {
  const text = Buffer.from(body)
    .toString('utf8')
    .replaceAll(/\\u00([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return wire === 'chat' ? /data: ?\[DONE\]/.test(text) && /finish_reason"/.test(text) : /response\.(completed|incomplete)/.test(text)
}

const judgeReply = (reply: ModelReply, payload: Payload, streaming: boolean): string => {
  // What enters a journal must be hashable and whole.
  canonical(reply)
  expect(JSON.stringify(reply).isWellFormed()).toBe(true)
  if (streaming && (reply.message.calls?.length ?? 0) > 0) expect(showsItsEnd(payload)).toBe(true)
  const checked = checkReply(reply, { tools })
  if (checked.kind === 'failed') expect(isFailure(checked.failure)).toBe(true)
  if (checked.kind !== 'calls') return checked.kind === 'failed' ? checked.failure.code : 'reply'
  expect(new Set(checked.calls.map(({ call }) => call.id)).size).toBe(checked.calls.length)
  for (const { call, problem } of checked.calls) if (problem === undefined) canonical(call.args)
  return 'calls'
}

const run = async (provider: ModelProvider, payload: Payload): Promise<string> => {
  try {
    return judgeReply(await provider.call(ask(), payload.streaming ? listening() : io()), payload, payload.streaming)
  } catch (error) {
    if (!(error instanceof ModelCallError)) throw error
    expect(MODEL_CODES.has(error.failure.code)).toBe(true)
    expect(isFailure(error.failure)).toBe(true)
    expect(error.failure.message).toContain('test-model')
    canonical(error.failure)
    return error.failure.code
  }
}

test(`${count} malformed replies of seed ${seed} end typed`, async () => {
  const outcomes: Record<string, number> = {}
  let current: Payload = malformed(seed, 0)
  await using server = await faultServer({
    faults: [() => ({ status: current.status, headers: { 'content-type': current.contentType || 'text/plain' }, body: current.body })],
  })
  const onSocket = {
    chat: openai({ baseURL: server.url, apiKey: 'test-key-1234' }),
    responses: openai({ baseURL: server.url, apiKey: 'test-key-1234', wire: 'responses' }),
  }
  const [from, to] = one === undefined ? [0, count] : [Number(one), Number(one) + 1]
  for (let number = from; number < to; number++) {
    current = malformed(seed, number)
    try {
      const outcome = await run(number % SOCKET_EVERY === 0 ? onSocket[current.wire] : fromMemory(current), current)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    } catch (error) {
      throw new Error(`payload ${number} of seed ${seed} (${current.how.join(', ')}) was not handled: ${String(error)}. Run it alone: FUZZ_SEED=${seed} FUZZ_ONE=${number}`, { cause: error })
    }
  }
  process.stdout.write(`Fuzz (seed ${seed}): ${to - from} payloads, ${JSON.stringify(outcomes)}\n`)
  expect(Object.values(outcomes).reduce((sum, each) => sum + each, 0)).toBe(to - from)
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined()
  // The generator must reach successes and failures alike, or it proves nothing.
  if (one === undefined && count >= 1_000) expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['reply', 'calls', 'malformed_response', 'stream_truncated', 'provider_error', 'rate_limited']))
}, 1_800_000)
