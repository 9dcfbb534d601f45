// The two programs of the guide from LangGraph.js, over the same wire: equal while all is well, and what differs when it
// is not. What the guide says about moving in steps is tried here too.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Document } from '@langchain/core/documents'
import { BaseRetriever } from '@langchain/core/retrievers'
import { tool } from '@langchain/core/tools'
import { Annotation, Command, END, interrupt, MemorySaver, START, StateGraph, type BaseCheckpointSaver } from '@langchain/langgraph'
import { convertMessagesToCompletionsMessageParams } from '@langchain/openai'
import {
  agent,
  createRuntime,
  defineRetriever,
  defineTool,
  memoryJournal,
  openai,
  replyCalls,
  replyFailure,
  replyRefusal,
  replyText,
  reportCosts,
  scripted,
  setupAgent,
  sqliteJournal,
  type Journal,
  type Json,
  type Message,
  type ModelRequest,
  type ScriptedReply,
} from 'stateloop'
import { chatMessages, importChat, replay } from 'stateloop/replay'
import { createServer, listen } from 'stateloop/server'
import { scriptedServer, type ScriptedServer } from 'stateloop/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import * as after from '../../examples/migrate/langgraph/after.ts'
import * as before from '../../examples/migrate/langgraph/before.ts'
import { cutOff, deskRules } from '../../examples/migrate/langgraph/model.ts'
import { openShop, type Desk, type Shop, type Turn } from '../../examples/migrate/langgraph/shop.ts'
import { copyPrefix } from '../run/harness.ts'

type Rules = (request: ModelRequest) => ScriptedReply

const serve = async (rules: Rules): Promise<ScriptedServer> => {
  const server = await scriptedServer({ provider: scripted({ rules }) })
  onTestFinished(() => server.close())
  return server
}
const endpointOf = ({ url }: { readonly url: string }) => ({ baseURL: url, apiKey: 'none' })

const openBefore = (server: { readonly url: string }, shop: Shop = openShop(), checkpointer = new MemorySaver()): Desk => before.openDesk({ endpoint: endpointOf(server), shop, checkpointer })
const openAfter = (server: { readonly url: string }, shop: Shop = openShop(), journal: Journal = memoryJournal()): ReturnType<typeof after.openDesk> => {
  const desk = after.openDesk({ endpoint: endpointOf(server), shop, journal })
  onTestFinished(() => desk.runtime.close(0))
  return desk
}
const from = { customer: 'ada', conversation: 'monday' }

describe('while all is well', () => {
  const questions: readonly (readonly [question: string, approved?: boolean])[] = [
    ['How do I clean the grinder?'],
    ['Refund order 7, please.', true],
    ['Which order was it?'],
    ['Refund order 8, please.', false],
    ['Tell me a joke.'],
  ]
  const play = async (desk: Desk): Promise<readonly (Turn | string)[]> => {
    const said: (Turn | string)[] = []
    for (const [question, approved] of questions) {
      const streamed: string[] = []
      said.push(await desk.ask(question, from, (text) => streamed.push(text)), streamed.join(''))
      if (approved !== undefined) said.push(await desk.decide(from.conversation, approved))
    }
    return said
  }

  test('both give the same answers, stream the same text, ask for the same approvals and pay the same orders back', async () => {
    const server = await serve(deskRules)
    const shops = [openShop(), openShop()] as const
    const expected = [
      { answer: 'Clean the grinder with a dry brush.' },
      'Clean the grinder with a dry brush.',
      { toApprove: { order: 7, amountUsd: 30 } },
      '',
      { answer: 'Order 7: 30 USD paid back.' },
      { answer: 'We spoke about order 7.' },
      'We spoke about order 7.',
      { toApprove: { order: 8, amountUsd: 55 } },
      '',
      { answer: 'A person decided against the refund.' },
      { answer: 'I can only help with orders and with our machines.' },
      '',
    ]
    expect(await play(openBefore(server, shops[0]))).toEqual(expected)
    expect(await play(openAfter(server, shops[1]))).toEqual(expected)
    expect(shops.map(({ refunded }) => refunded)).toEqual([[7], [7]])
  })

  test('both take a waiting refund up in another process that has the same checkpointer or journal', async () => {
    const server = await serve(deskRules)
    const [checkpointer, shop] = [new MemorySaver(), openShop()]
    const folder = await mkdtemp(join(tmpdir(), 'stateloop-migrate-'))
    const open = (): Journal => sqliteJournal({ path: join(folder, 'runs.db') })
    await openBefore(server, openShop(), checkpointer).ask('Refund order 7, please.', from)
    const first = openAfter(server, openShop(), open())
    await first.ask('Refund order 7, please.', from)
    await first.runtime.close()
    const expected = { answer: 'Order 7: 30 USD paid back.' }
    expect(await openBefore(server, shop, checkpointer).decide(from.conversation, true)).toEqual(expected)
    const second = openAfter(server, shop, open())
    expect(await second.decide(from.conversation, true)).toEqual(expected)
    expect(shop.refunded).toEqual([7, 7])
    await second.runtime.close()
    await rm(folder, { recursive: true })
  })

  test('only the run knows who it was for and what it cost', async () => {
    const server = await serve(deskRules)
    const journal = memoryJournal()
    const desk = openAfter(server, openShop(), journal)
    await desk.ask('How do I clean the grinder?', from)
    await desk.ask('How do I clean the grinder?', { customer: 'ben', conversation: 'tuesday' })
    const { groups } = await reportCosts(journal.ledger!, { by: ['user'], sinceMs: 0, untilMs: Date.now() })
    expect(groups.map(({ key, calls, unpricedCalls }) => [key.user, calls, unpricedCalls]).toSorted()).toEqual([
      ['ada', 2, 0],
      ['ben', 2, 0],
    ])
    expect(groups.every(({ costUsd }) => (costUsd ?? 0) > 0)).toBe(true)
  })
})

describe('when the model fails', () => {
  /** Answers the sorting as usual, and everything else as given. */
  const talking =
    (rules: Rules): Rules =>
    (request) =>
      request.output === undefined ? rules(request) : deskRules(request)
  const later = { answer: 'A person will answer you today.' }
  const toApprove = { toApprove: { order: 7, amountUsd: 30 } }
  /** Changes what the model says when it asks for a refund. */
  const refunding =
    (change: (reply: ScriptedReply) => ScriptedReply): Rules =>
    (request) => {
      const reply = deskRules(request)
      return 'calls' in reply && reply.calls?.[0]?.name === 'refund' ? change(reply) : reply
    }
  const misfit: Rules = (request) => (JSON.stringify(request.messages).includes('invalid_args') ? replyText('Which order is it?') : refunding(() => replyCalls({ name: 'refund', args: { order: 'seven' } }))(request))

  test.for<readonly [mood: string, rules: Rules, before: Turn | string, after: Turn, code: string | undefined, modelCalls: number]>([
    ['calls are limited', () => replyFailure('rate_limited', { provider: { status: 429 } }), 'RateLimitCapacityError', later, 'rate_limited', 3],
    ['the quota is used up', () => replyFailure('quota_exhausted', { provider: { status: 429 } }), 'InsufficientQuotaError', later, 'quota_exhausted', 1],
    ['a completion is empty', talking(() => replyFailure('empty_response')), 'Error', later, 'empty_response', 3],
    ['a completion says nothing', talking(() => replyText('')), { answer: '' }, later, 'empty_response', 3],
    ['half a JSON comes back from the sorting', (request) => (request.output === undefined ? deskRules(request) : replyText('{"topic":"ord')), 'Error', toApprove, undefined, 4],
    ['an answer stops at the token limit', talking(() => replyText('The grinder is', { finish: 'length' })), { answer: 'The grinder is' }, later, 'truncated', 2],
    ['the arguments of a refund are cut off', refunding(cutOff), { toApprove: { order: 7 } }, later, 'truncated', 3],
    ['the arguments of a refund do not fit', misfit, { toApprove: { order: 'seven' } }, { answer: 'Which order is it?' }, undefined, 4],
    ['the model refuses', talking(() => replyRefusal()), { answer: '' }, later, 'refused', 2],
    ['the model looks the same order up for ever', talking(() => replyCalls({ name: 'lookupOrder', args: { order: 7 } })), 'GraphRecursionError', later, 'no_progress', 4],
  ])('%s: the graph throws or passes it on, the run has a route for it', async ([, rules, expectedBefore, expectedAfter, failureCode, modelCalls]) => {
    const server = await serve(rules)
    const seen = await openBefore(server)
      .ask('Refund order 7, please.', from)
      .catch((error: Error) => error.name)
    expect(seen).toEqual(expectedBefore)
    const desk = openAfter(server)
    expect(await desk.ask('Refund order 7, please.', from)).toEqual(expectedAfter)
    const [row] = await desk.runtime.list()
    expect({ failureCode: row?.failureCode, modelCalls: row?.modelCalls }).toEqual({ failureCode, modelCalls })
  })
})

describe('when the process dies while a refund is on its way', () => {
  /** A shop that pays and whose first answer never arrives. */
  const silentShop = (): Shop & { readonly paid: Promise<void> } => {
    const { promise: paid, resolve } = Promise.withResolvers<void>()
    const shop = openShop()
    const refund = (order: number, amountUsd: number): string => {
      const said = shop.refund(order, amountUsd)
      resolve()
      return shop.refunded.length === 1 ? (new Promise(() => undefined) as never) : said
    }
    return { ...shop, refund, paid }
  }

  test('the graph pays a second time when somebody approves again', async () => {
    const server = await serve(deskRules)
    const [checkpointer, shop] = [new MemorySaver(), silentShop()]
    const dying = openBefore(server, shop, checkpointer)
    await dying.ask('Refund order 7, please.', from)
    void dying.decide(from.conversation, true)
    await shop.paid
    expect(await openBefore(server, shop, checkpointer).decide(from.conversation, true)).toEqual({ answer: 'Order 7: 30 USD paid back.' })
    expect(shop.refunded).toEqual([7, 7])
  })

  test('the run stops and asks a person whether it happened', async () => {
    const server = await serve(deskRules)
    const [journal, left, shop] = [memoryJournal(), memoryJournal(), silentShop()]
    const dying = openAfter(server, shop, journal)
    await dying.ask('Refund order 7, please.', from)
    void dying.decide(from.conversation, true).catch(() => undefined)
    await shop.paid
    const [row] = await journal.list({})
    const id = row?.id ?? ''
    await copyPrefix(journal, left, id, Infinity)
    for (const { event, by } of await journal.inbox(id, 0)) await left.post(id, event, by)
    const { runtime } = openAfter(server, shop, left)
    const run = await runtime.resume(id)
    expect(await run.outcome()).toMatchObject({ outcome: 'waiting', waiting: [{ for: 'in_doubt', state: 'acting' }] })
    await run.send({ type: 'RESOLVE', action: 'done', value: 'Order 7: 30 USD paid back.' }, 'desk')
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'Order 7: 30 USD paid back.' })
    expect(shop.refunded).toEqual([7])
  })
})

test('a node with an interrupt runs again from its beginning, which a state never does', async () => {
  let begun = 0
  const State = Annotation.Root({ approved: Annotation<boolean> })
  const asking = (): typeof State.Update => {
    begun += 1
    return { approved: interrupt<string, boolean>('May I?') }
  }
  const graph = new StateGraph(State).addNode('asking', asking).addEdge(START, 'asking').addEdge('asking', END).compile({ checkpointer: new MemorySaver() })
  const config = { configurable: { thread_id: '1' } }
  await graph.invoke({}, config)
  expect(await graph.invoke(new Command({ resume: true }), config)).toEqual({ approved: true })
  expect(begun).toBe(2)
})

test('an error handler of a node catches what the node throws', async () => {
  const State = Annotation.Root({ said: Annotation<string> })
  const failing = (): typeof State.Update => {
    throw new Error('the model is down')
  }
  const graph = new StateGraph(State)
    .addNode('asking', failing, { errorHandler: (_state, { error }) => ({ said: `handled: ${(error as Error).message}` }) })
    .addEdge(START, 'asking')
    .addEdge('asking', END)
    .compile()
  expect(await graph.invoke({})).toEqual({ said: 'handled: the model is down' })
})

describe('moving in steps', () => {
  test('the graph stays as it is and asks through the door, which tries again, counts and knows who pays', async () => {
    let asked = 0
    const server = await serve((request) => (asked++ === 0 ? replyFailure('overloaded') : deskRules(request)))
    const runtime = createRuntime({ providers: [openai(endpointOf(server))] })
    const token = 'a-token-for-the-tests'
    const door = await listen(createServer({ runtime, agents: [], token, models: { 'gpt-5-mini': 'openai/gpt-5-mini' } }), { port: 0 })
    onTestFinished(() => door.close())
    const desk = before.openDesk({
      endpoint: { baseURL: `${door.url}/v1`, apiKey: token, defaultHeaders: { 'x-stateloop-user': 'ada', 'x-stateloop-route': '/desk' } },
      shop: openShop(),
      checkpointer: new MemorySaver(),
    })
    expect(await desk.ask('Refund order 7, please.', from)).toEqual({ toApprove: { order: 7, amountUsd: 30 } })
    expect(await desk.decide(from.conversation, true)).toEqual({ answer: 'Order 7: 30 USD paid back.' })
    const { groups } = await reportCosts(runtime.journal.ledger!, { by: ['user', 'route'], sinceMs: 0, untilMs: Date.now() })
    expect(groups).toMatchObject([{ key: { user: 'ada', route: '/desk' }, calls: 4, unpricedCalls: 0 }])
    expect(asked).toBe(5)
  })

  test('tools and retrievers of LangChain work behind ours', async () => {
    class Pages extends BaseRetriever {
      readonly lc_namespace = ['test']
      override async _getRelevantDocuments(query: string): Promise<Document[]> {
        return [new Document({ id: '1', pageContent: `About ${query}.` })]
      }
    }
    const add = tool(({ a, b }) => `${a + b}`, { name: 'add', description: 'Adds.', schema: z.object({ a: z.number(), b: z.number() }) })
    const t = setupAgent({
      id: 'borrowed',
      models: {},
      tools: { add: defineTool({ description: add.description, input: add.schema, output: z.string(), run: (args) => add.invoke(args) }) },
      retrievers: { pages: defineRetriever({ version: '1', search: async ({ query }) => (await new Pages().invoke(query)).map(({ id = '', pageContent }) => ({ id, text: pageContent })) }) },
      input: z.object({ topic: z.string() }),
      context: z.object({ topic: z.string(), found: z.array(z.object({ id: z.string(), text: z.string() })), sum: z.string() }),
      onFailure: 'failed',
    })
    const borrowed = t.createAgent({
      initial: 'searching',
      states: {
        searching: t.retrieve('pages', { query: ({ context }) => context.topic, save: 'found', onDone: 'adding' }),
        adding: t.tool('add', { args: () => ({ a: 2, b: 3 }), save: 'sum', onDone: 'done' }),
        done: t.final({ output: ({ context }) => `${context.found?.[0]?.text} ${context.sum}` }),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    await using runtime = createRuntime()
    expect(await (await runtime.start(borrowed, { topic: 'kettles' })).outcome()).toMatchObject({ outcome: 'done', output: 'About kettles. 5' })
  })

  /** What a conversation holds in the old checkpointer, in the words of OpenAI's API. */
  const transcriptOf = async (checkpointer: BaseCheckpointSaver, conversation: string): Promise<readonly Message[]> => {
    const found = await checkpointer.getTuple({ configurable: { thread_id: conversation } })
    const { messages = [] } = (found?.checkpoint.channel_values ?? {}) as Partial<Parameters<typeof convertMessagesToCompletionsMessageParams>[0]>
    return chatMessages(convertMessagesToCompletionsMessageParams({ messages }) as unknown as Json)
  }

  test('a refund that waits at the switch is decided by the old program, and the conversation goes on in the new one', async () => {
    const server = await serve(deskRules)
    const checkpointer = new MemorySaver()
    const old = openBefore(server, openShop(), checkpointer)
    await old.ask('Refund order 7, please.', from)
    await old.decide(from.conversation, true)
    const t = setupAgent({
      id: 'taking-over',
      models: { fast: 'openai/gpt-5-mini' },
      input: z.object({ question: z.string(), history: z.array(z.custom<Message>()) }),
      context: z.object({ question: z.string(), history: z.array(z.custom<Message>()), answer: z.string() }),
      onFailure: 'failed',
    })
    const takingOver = t.createAgent({
      initial: 'answering',
      states: {
        answering: t.model('fast', {
          prompt: ({ context }) => [{ role: 'system', content: 'You are the desk.' }, ...context.history, { role: 'user', content: context.question }],
          thread: 'conversation',
          save: 'answer',
          onDone: 'done',
        }),
        done: t.final({ output: ({ context }) => context.answer }),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    await using runtime = createRuntime({ providers: [openai(endpointOf(server))] })
    const history = await transcriptOf(checkpointer, from.conversation)
    const first = await runtime.start(takingOver, { question: 'Which order was it?', history: [...history] }, { session: 'monday' })
    expect(await first.outcome()).toMatchObject({ outcome: 'done', output: 'We spoke about order 7.' })
    const second = await runtime.start(takingOver, { question: 'Which order did I ask about before?', history: [] }, { session: 'monday' })
    expect(await second.outcome()).toMatchObject({ outcome: 'done', output: 'We spoke about order 7.' })
  })

  test('a conversation of the graph becomes a recording of an agent that asks the model for nothing else', async () => {
    const server = await serve(deskRules)
    const checkpointer = new MemorySaver()
    const old = openBefore(server, openShop(), checkpointer)
    await old.ask('Refund order 7, please.', from)
    await old.decide(from.conversation, true)
    const messages = await transcriptOf(checkpointer, from.conversation)
    const shop = openShop()
    const loop = agent({
      id: 'desk-loop',
      model: 'openai/gpt-5-mini',
      prompt: ({ context }) => context.input,
      tools: {
        lookupOrder: defineTool({ description: 'Finds an order.', input: z.object({ order: z.number() }), run: ({ order }) => shop.lookup(order) }),
        refund: defineTool({ description: 'Pays back.', input: z.object({ order: z.number(), amountUsd: z.number() }), run: ({ order, amountUsd }) => shop.refund(order, amountUsd) }),
      },
    })
    const { recording } = await importChat(loop, messages)
    expect(recording.row).toMatchObject({ status: 'done', toolCalls: 2 })
    expect((await replay(loop, recording)).status).toBe('same')
    await expect(importChat(after.buildDesk(shop), messages)).rejects.toMatchObject({ failure: { code: 'invalid_input' } })
  })
})
