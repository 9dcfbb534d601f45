// Before: the desk as a LangGraph.js graph. A triage node, retrieval, a model with tools, an interrupt before refunds,
// conversations in a checkpointer, and a recursion limit.
import { SystemMessage, ToolMessage, type AIMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { Annotation, Command, END, interrupt, MessagesAnnotation, START, StateGraph, type BaseCheckpointSaver } from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { ChatOpenAI } from '@langchain/openai'
import { z } from 'zod'
import { DECLINED, INSTRUCTIONS, searchPages, Topic, type Desk, type Endpoint, type Page, type Shop, type Turn } from './shop.ts'

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  topic: Annotation<z.infer<typeof Topic>['topic']>,
  pages: Annotation<readonly z.infer<typeof Page>[]>,
})
type State = typeof State.State

const buildGraph = (shop: Shop, model: ChatOpenAI, checkpointer: BaseCheckpointSaver) => {
  const lookupOrder = tool(({ order }) => JSON.stringify(shop.lookup(order)), {
    name: 'lookupOrder',
    description: 'Finds an order.',
    schema: z.object({ order: z.number() }),
  })
  const refund = tool(({ order, amountUsd }) => shop.refund(order, amountUsd), {
    name: 'refund',
    description: 'Pays the price of an order back.',
    schema: z.object({ order: z.number(), amountUsd: z.number() }),
  })
  const withTools = model.bindTools([lookupOrder, refund])
  const sorter = model.withStructuredOutput(Topic, { name: 'topic' })

  const callsOf = ({ messages }: State) => (messages.at(-1) as AIMessage).tool_calls ?? []
  const triage = async ({ messages }: State) => ({ topic: (await sorter.invoke(`Sort this question: ${messages.at(-1)?.text}`)).topic, pages: [] })
  const search = ({ messages }: State) => ({ pages: searchPages(messages.at(-1)?.text ?? '') })
  const answer = async ({ messages, pages }: State) => {
    const system = [INSTRUCTIONS, ...pages.map(({ text }) => `Page: ${text}`)].join('\n')
    return { messages: [await withTools.invoke([new SystemMessage(system), ...messages])] }
  }
  const approve = (state: State) => {
    const calls = callsOf(state)
    const approved = interrupt<unknown, boolean>(calls.find(({ name }) => name === 'refund')?.args)
    if (approved) return new Command({ goto: 'act' })
    const denied = calls.map(({ id = '', name }) => new ToolMessage({ tool_call_id: id, name, content: 'denied' }))
    return new Command({ goto: 'answer', update: { messages: denied } })
  }
  const decline = () => ({ messages: [{ role: 'assistant', content: DECLINED }] })

  return new StateGraph(State)
    .addNode('triage', triage)
    .addNode('search', search)
    .addNode('answer', answer)
    .addNode('approve', approve, { ends: ['act', 'answer'] })
    .addNode('act', new ToolNode([lookupOrder, refund]))
    .addNode('decline', decline)
    .addEdge(START, 'triage')
    .addConditionalEdges('triage', ({ topic }) => ({ order: 'answer', howto: 'search', other: 'decline' })[topic], ['answer', 'search', 'decline'])
    .addEdge('search', 'answer')
    .addConditionalEdges('answer', (state) => (callsOf(state).length === 0 ? END : callsOf(state).some(({ name }) => name === 'refund') ? 'approve' : 'act'), ['act', 'approve', END])
    .addEdge('act', 'answer')
    .addEdge('decline', END)
    .compile({ checkpointer })
}

/** Opens the desk. @param checkpointer keeps conversations; another process with the same one goes on with them. */
export const openDesk = ({ endpoint, shop, checkpointer }: { readonly endpoint: Endpoint; readonly shop: Shop; readonly checkpointer: BaseCheckpointSaver }): Desk => {
  const graph = buildGraph(shop, new ChatOpenAI({ model: 'gpt-5-mini', apiKey: endpoint.apiKey, maxRetries: 2, configuration: endpoint }), checkpointer)

  const play = async (input: Parameters<typeof graph.stream>[0], conversation: string, onText?: (text: string) => void): Promise<Turn> => {
    const config = { configurable: { thread_id: conversation }, recursionLimit: 20 }
    for await (const [message, { langgraph_node }] of await graph.stream(input, { ...config, streamMode: 'messages' })) if (langgraph_node === 'answer') onText?.(message.text)
    const { values, tasks } = await graph.getState(config)
    const waiting = tasks.flatMap(({ interrupts }) => interrupts)
    return waiting.length > 0 ? { toApprove: waiting[0]?.value } : { answer: (values as State).messages.at(-1)?.text ?? '' }
  }
  return {
    ask: (question, { conversation }, onText) => play({ messages: [{ role: 'user', content: question }] }, conversation, onText),
    decide: (conversation, approved) => play(new Command({ resume: approved }), conversation),
  }
}
