import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText, wrapLanguageModel, tool, stepCountIs } from 'ai'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { failureOf } from '../../../src/failure/index.ts'
import { replyCalls, replyFailure, replyText, script } from '../../../src/model/index.ts'
import { aiSdkMiddleware } from '../../../src/run/ai-sdk/index.ts'
import { scriptedServer, type ScriptedServer } from '../../../src/testing/index.ts'

const modelAt = (server: ScriptedServer, middleware: ReturnType<typeof aiSdkMiddleware>) =>
  wrapLanguageModel({ model: createOpenAICompatible({ name: 'openai', baseURL: server.url, includeUsage: true })('gpt-5-mini'), middleware })

const callsOf = async ({ runtime }: ReturnType<typeof aiSdkMiddleware>) => {
  const runs = await runtime.list()
  const entries = await Promise.all(runs.map((run) => runtime.entries(run.id)))
  return entries.toReversed().map((list) => list.flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : [])))
}

describe('code that uses the AI SDK, behind the middleware', () => {
  it('gets its text, and the call is retried, priced and journaled', async () => {
    await using server = await scriptedServer({ provider: script([replyFailure('overloaded'), replyText('hello')]) })
    await using middleware = aiSdkMiddleware({ retry: { attempts: 2, backoffMs: 1 }, identify: () => ({ user: 'ada', route: '/chat' }) })
    const { text, usage } = await generateText({ model: modelAt(server, middleware), prompt: 'hi', maxRetries: 0 })
    expect(text).toBe('hello')
    expect(usage.inputTokens).toBeGreaterThan(0)
    expect(await middleware.runtime.list()).toMatchObject([{ agent: 'ai-sdk', user: 'ada', route: '/chat', status: 'done', modelCalls: 2, costUnknown: false }])
    expect(await callsOf(middleware)).toMatchObject([[{ provider: 'openai', model: 'gpt-5-mini', priceSource: expect.stringContaining('genai-prices') }]])
  })

  it('works with its own loop of tools', async () => {
    await using server = await scriptedServer({ provider: script([replyCalls({ name: 'add', args: { a: 1, b: 2 } }), replyText('three')]) })
    await using middleware = aiSdkMiddleware()
    const add = tool({ description: 'Adds.', inputSchema: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b })
    const { text } = await generateText({ model: modelAt(server, middleware), prompt: 'add', tools: { add }, stopWhen: stepCountIs(3), maxRetries: 0 })
    expect(text).toBe('three')
    expect((await middleware.runtime.list()).map(({ status }) => status)).toEqual(['done', 'done'])
  })

  it('streams, and an equal stream comes from the cache', async () => {
    await using server = await scriptedServer({ provider: script([replyText('streamed text')]) })
    await using middleware = aiSdkMiddleware({ cache: { ttlMs: 60_000 } })
    const model = modelAt(server, middleware)
    const read = async () => {
      const pieces: string[] = []
      for await (const piece of streamText({ model, prompt: 'hi', maxRetries: 0 }).textStream) pieces.push(piece)
      return pieces.join('')
    }
    expect([await read(), await read()]).toEqual(['streamed text', 'streamed text'])
    expect((await callsOf(middleware)).flat().map(({ cached }) => cached ?? false)).toEqual([false, true])
  })

  it('gets a typed failure when nothing helps, and the circuit refuses what comes next', async () => {
    await using server = await scriptedServer({ provider: script([replyFailure('quota_exhausted')]) })
    await using middleware = aiSdkMiddleware()
    const model = modelAt(server, middleware)
    const codes = []
    for (let count = 0; count < 2; count++)
      codes.push(
        await generateText({ model, prompt: 'hi', maxRetries: 0 }).then(
          () => 'done',
          (error: unknown) => failureOf(error)?.code,
        ),
      )
    expect(codes).toEqual(['quota_exhausted', 'circuit_open'])
  })

  it('retries a stream that failed before it said anything, and fails one that broke later', async () => {
    await using server = await scriptedServer({ provider: script([replyFailure('overloaded'), replyText('after all')]) })
    await using middleware = aiSdkMiddleware({ retry: { attempts: 2, backoffMs: 1 } })
    expect(await streamText({ model: modelAt(server, middleware), prompt: 'hi', maxRetries: 0 }).text).toBe('after all')
  })

  it('cancels the run when the caller aborts', async () => {
    await using server = await scriptedServer({ provider: script([replyFailure('timeout')]) })
    await using middleware = aiSdkMiddleware()
    const controller = new AbortController()
    const work = generateText({ model: modelAt(server, middleware), prompt: 'hi', maxRetries: 0, abortSignal: controller.signal })
    while ((await middleware.runtime.list()).length === 0) await new Promise(setImmediate)
    controller.abort()
    await expect(work).rejects.toThrow()
    while ((await middleware.runtime.list())[0]?.status === 'running') await new Promise(setImmediate)
    expect(await middleware.runtime.list()).toMatchObject([{ status: 'cancelled' }])
  })
})
