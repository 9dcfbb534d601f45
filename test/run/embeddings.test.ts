// Embeddings inside retrievers and tools: billed, held back and found in the journal like every other call of a model.
import { expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { failure } from '../../src/failure/index.ts'
import { ModelCallError, type ModelProvider } from '../../src/model/index.ts'
import { defineRetriever } from '../../src/tool/index.ts'
import { testRuntime } from './harness.ts'

type Embed = NonNullable<ModelProvider['embed']>

const vectorsOf: Embed = ({ texts }) => Promise.resolve({ vectors: texts.map((text) => [text.length, 0.5]), usage: { inputTokens: 7, outputTokens: 0 } })

/** An agent that finds the pages whose vectors its retriever was given. */
const searcher = (texts: readonly string[] = ['one', 'three'], limits: { readonly costUsd?: number } = {}) => {
  const pages = defineRetriever({
    search: async (_query, { embed }) => (await embed({ model: 'fake/small', texts })).map((vector, at) => ({ id: String(at), text: JSON.stringify(vector) })),
  })
  const t = setupAgent({
    id: 'searcher',
    models: {},
    retrievers: { pages },
    input: z.object({ query: z.string() }),
    context: z.object({ query: z.string(), found: z.array(z.object({ text: z.string() })) }),
    onFailure: 'failed',
    limits,
  })
  return t.createAgent({
    initial: 'searching',
    states: {
      searching: t.retrieve('pages', { query: ({ context }) => context.query, retry: { attempts: 1 }, save: 'found', onDone: 'done' }),
      done: t.final({ output: ({ context }) => context.found?.map(({ text }) => text) }),
      failed: t.final({ outcome: 'failed' }),
    },
  })
}

const world = (embed: Embed | undefined, more: object = {}) => {
  const asked: string[][] = []
  const provider: ModelProvider = {
    id: 'fake',
    price: { inputUsd: 1, outputUsd: 2 },
    call: () => Promise.reject(new Error('Nobody asked for text.')),
    ...(embed === undefined
      ? {}
      : {
          embed: (request, io) => {
            asked.push([...request.texts])
            return embed(request, io)
          },
        }),
  }
  return { asked, ...testRuntime({ providers: [provider], ...more }) }
}

it('gives a vector for each text, and bills the call with its hashes', async () => {
  const { runtime, asked } = world(vectorsOf)
  const run = await runtime.start(searcher(), { query: 'q' }, { user: 'ada' })
  expect(await run.outcome()).toMatchObject({ outcome: 'done', output: ['[3,0.5]', '[5,0.5]'], inputTokens: 7, costUsd: 0.000007 })
  expect(asked).toEqual([['one', 'three']])
  const calls = (await runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : []))
  expect(calls).toMatchObject([{ model: 'small', prompt: 'pages/embed', usage: { inputTokens: 7 }, costNano: 7_000, requestHash: expect.stringMatching(/^[0-9a-f]{16}$/) }])
})

it('is refused by the circuit once its provider is known to be down', async () => {
  const { runtime, asked } = world(() => Promise.reject(new ModelCallError(failure('quota_exhausted', 'Nothing is left.'))))
  const messages: string[] = []
  for (let count = 0; count < 2; count++) {
    const outcome = await (await runtime.start(searcher(), { query: 'q' })).outcome()
    messages.push(outcome.outcome === 'failed' ? outcome.failure.message : outcome.outcome)
  }
  expect(messages).toMatchObject([expect.stringContaining('Nothing is left.'), expect.stringMatching(/circuit/i)])
  expect(asked).toHaveLength(1)
  expect(runtime.policies().breakers).toMatchObject([{ key: 'fake/small', state: 'open', openedBy: 'quota_exhausted' }])
})

it('waits for its turn under the limiter, and is not sent when the run could not pay for it', async () => {
  const open: (() => void)[] = []
  const gated: Embed = async (request, io) => {
    await new Promise<void>((resolve) => open.push(resolve))
    return vectorsOf(request, io)
  }
  const { runtime, asked } = world(gated, { limiter: { concurrency: 1 } })
  const runs = [await runtime.start(searcher(), { query: 'a' }), await runtime.start(searcher(), { query: 'b' })]
  await new Promise(setImmediate)
  expect(asked).toHaveLength(1)
  open.shift()?.()
  await runs[0]?.outcome()
  await new Promise(setImmediate)
  expect(asked).toHaveLength(2)
  open.shift()?.()
  expect(await runs[1]?.outcome()).toMatchObject({ outcome: 'done' })

  const poor = world(vectorsOf)
  expect(await (await poor.runtime.start(searcher(['x'.repeat(5_000)], { costUsd: 0.001 }), { query: 'q' })).outcome()).toMatchObject({
    outcome: 'failed',
    failure: { message: expect.stringContaining('could cost up to') },
  })
  expect(poor.asked).toEqual([])
})

it('says that a provider has no embeddings', async () => {
  const { runtime } = world(undefined)
  expect(await (await runtime.start(searcher(), { query: 'q' })).outcome()).toMatchObject({ outcome: 'failed', failure: { message: expect.stringContaining('Use a provider that has embeddings') } })
})
