// A fake provider that nobody here wrote, in all its moods, in front of the whole support agent: whatever it does, the run
// ends in a typed outcome.
import { LLMock, type ChaosConfig } from '@copilotkit/aimock'
import { describe, expect, it } from 'vitest'
import support from '../../agents/support/agent.ts'
import { createRuntime, openai, type RunEvent, type RunOutcome } from '../../src/index.ts'
import { fastClock } from '../run/fast-clock.ts'

type Request = { readonly messages: readonly { readonly role: string; readonly content?: unknown }[]; readonly tools?: readonly unknown[]; readonly response_format?: unknown }
type Mood = { readonly chaos?: ChaosConfig; readonly truncateAfterChunks?: number; readonly disconnectAfterMs?: number; readonly latency?: number; readonly answer?: (request: Request) => object }

const asksFor = (request: Request, property: string): boolean => JSON.stringify(request.response_format ?? {}).includes(`"${property}"`)

/** What a model that works would say. */
const sensible = (request: Request): object => {
  if (asksFor(request, 'intent')) return { content: '{"intent":"howto"}' }
  const hasResult = request.messages.some((message) => message.role === 'tool')
  if (request.tools !== undefined && !hasResult) return { toolCalls: [{ name: 'readPage', arguments: '{"source":"how-to/limits.md"}' }] }
  return { content: JSON.stringify({ answer: 'Limits are checked before an effect starts.', sources: ['how-to/limits.md'] }) }
}

const runUnder = async ({ answer = sensible, chaos, ...options }: Mood, stream: boolean): Promise<{ readonly outcome: RunOutcome; readonly failures: readonly string[]; readonly asked: number }> => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' })
  mock.on({}, (request) => answer(request as never) as never, { ...options, ...(chaos === undefined ? {} : { chaos }) })
  await mock.start()
  try {
    const clock = fastClock(50)
    await using runtime = createRuntime({ clock, providers: [openai({ baseURL: `${mock.url}/v1`, apiKey: 'offline', clock })] })
    const run = await runtime.start(support, { question: 'How do I limit the cost of a run?' }, { stream })
    const outcome = await run.outcome()
    const failures: string[] = []
    for await (const event of run as AsyncIterable<RunEvent>) if (event.type === 'attempt.ended' && event.failure !== undefined) failures.push(event.failure.code)
    return { outcome, failures, asked: mock.getRequests().length }
  } finally {
    await mock.stop()
  }
}

const moods: readonly (readonly [string, Mood, readonly string[]])[] = [
  ['works', {}, []],
  ['is slow', { latency: 5 }, []],
  ['answers 500 to everything', { chaos: { dropRate: 1 } }, ['provider_error', 'circuit_open']],
  ['answers with broken JSON', { chaos: { malformedRate: 1 } }, ['malformed_response', 'circuit_open']],
  ['hangs up on every call', { chaos: { disconnectRate: 1 } }, ['connection_failed', 'stream_truncated', 'circuit_open']],
  // Its headers say that nothing is left, so later calls do not even begin a wait that would pass their time.
  ['limits every call', { chaos: { rateLimitRate: 1 } }, ['rate_limited', 'saturated']],
  ['says nothing for ever', { latency: 100_000 }, ['timeout', 'circuit_open']],
  ['cuts every stream after two chunks', { truncateAfterChunks: 2 }, ['stream_truncated', 'connection_failed', 'circuit_open']],
  ['disconnects in the middle', { disconnectAfterMs: 1, latency: 5 }, ['stream_truncated', 'connection_failed', 'circuit_open']],
  ['answers an error object', { answer: () => ({ error: { message: 'no', type: 'server_error' }, status: 503 }) }, ['overloaded', 'provider_error', 'circuit_open']],
  ['says nothing', { answer: () => ({ content: '' }) }, ['empty_response', 'circuit_open']],
  ['writes prose where JSON was asked for', { answer: () => ({ content: 'Well, it depends.' }) }, ['invalid_output']],
  [
    'asks for tools that do not exist, for ever',
    { answer: (request) => (asksFor(request, 'intent') ? sensible(request) : { toolCalls: [{ name: 'format_disk', arguments: '{}' }] }) },
    // Its last answer is asked for without offering any tools.
    ['no_progress', 'loop_limit', 'malformed_response'],
  ],
  [
    'writes arguments that are not JSON',
    { answer: (request) => (asksFor(request, 'intent') ? sensible(request) : { toolCalls: [{ name: 'readPage', arguments: '{"source":' }] }) },
    ['no_progress', 'loop_limit', 'malformed_response'],
  ],
]

describe.each([
  ['whole replies', false],
  ['streams', true],
] as const)('the support agent with %s, in front of a provider that', (_how, stream) => {
  it.each(moods)('%s', async (name, mood, expected) => {
    const { outcome, failures, asked } = await runUnder(mood, stream)
    expect(['done', 'failed', 'limited']).toContain(outcome.outcome)
    expect(outcome).not.toMatchObject({ defect: true })
    expect(asked).toBeGreaterThan(0)
    // Latency and truncation only happen to its streams.
    expect(
      failures.filter((code) => !expected.includes(code)),
      name,
    ).toEqual([])
    if (expected.length === 0) expect([outcome.outcome, asked]).toEqual(['done', 3])
  })
})
