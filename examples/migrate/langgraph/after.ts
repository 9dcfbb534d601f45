// After: the same desk with Stateloop. Each node is a state, each failure has a route, and the approval, the limits, the
// journal and who pays are part of the machine.
import { createRuntime, definePrompt, defineRetriever, defineTool, openai, setupAgent, type Journal, type RunHandle, type Runtime } from 'stateloop'
import { z } from 'zod'
import { DECLINED, INSTRUCTIONS, Page, searchPages, Topic, type Desk, type Endpoint, type Shop, type Turn } from './shop.ts'

const answerPrompt = definePrompt({
  id: 'desk.answer',
  vars: z.object({ question: z.string(), pages: z.array(Page) }),
  messages: [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: '{{question}}{{#each pages}}\nPage: {{.text}}{{/each}}' },
  ],
})

/** The machine. @param shop what the tools work on. */
export const buildDesk = (shop: Shop) => {
  const lookupOrder = defineTool({ description: 'Finds an order.', input: z.object({ order: z.number() }), run: ({ order }) => shop.lookup(order) })
  const refund = defineTool({
    description: 'Pays the price of an order back.',
    input: z.object({ order: z.number(), amountUsd: z.number() }),
    effect: 'irreversible',
    run: ({ order, amountUsd }) => shop.refund(order, amountUsd),
  })
  const t = setupAgent({
    id: 'desk',
    models: { fast: 'openai/gpt-5-mini' },
    tools: { lookupOrder, refund },
    retrievers: { pages: defineRetriever({ version: '1', search: ({ query }) => searchPages(query) }) },
    input: z.object({ question: z.string() }),
    context: z.object({ question: z.string(), pages: z.array(Page), answer: z.string() }),
    init: ({ input }) => ({ question: input.question, pages: [] }),
    limits: { transitions: 20, costUsd: 0.5 },
    onFailure: 'answeringLater',
  })
  return t.createAgent({
    initial: 'triaging',
    states: {
      triaging: t.model('fast', {
        prompt: ({ context }) => `Sort this question: ${context.question}`,
        output: Topic,
        onDone: { match: 'topic', to: { order: 'answering', howto: 'searching', other: 'declined' } },
        onError: { invalid_output: 'answering', truncated: 'answering', refused: 'answering' },
      }),
      searching: t.retrieve('pages', { query: ({ context }) => context.question, save: 'pages', onDone: 'answering', onError: { no_results: 'answering' } }),
      answering: t.model('fast', {
        prompt: answerPrompt,
        thread: 'conversation',
        tools: ['lookupOrder', 'refund'],
        maxVisits: 8,
        save: 'answer',
        onTools: { refund: 'approving', '*': 'acting' },
        onDone: 'answered',
      }),
      approving: t.approve({ onApproved: 'acting', onRejected: 'answering' }),
      acting: t.tools({ onDone: 'answering' }),
      answered: t.final({ output: ({ context }) => context.answer ?? '' }),
      declined: t.final({ output: () => DECLINED }),
      answeringLater: t.final({ outcome: 'failed', output: () => 'A person will answer you today.' }),
    },
  })
}

/** Opens the desk. @param journal keeps runs and conversations; another process with the same one goes on with them. */
export const openDesk = ({ endpoint, shop, journal }: { readonly endpoint: Endpoint; readonly shop: Shop; readonly journal: Journal }): Desk & { readonly runtime: Runtime } => {
  const desk = buildDesk(shop)
  const runtime = createRuntime({ journal, providers: [openai(endpoint)], agents: [desk] })

  const play = async (run: RunHandle<unknown, never>, onText?: (text: string) => void): Promise<Turn> => {
    for await (const event of run) {
      if (event.type === 'token.delta' && event.state === 'answering') onText?.(event.text)
      if (event.type === 'run.waiting' || event.type === 'run.ended') break
    }
    const outcome = await run.outcome()
    if (outcome.outcome === 'waiting') return { toApprove: outcome.waiting[0]?.calls?.[0]?.args }
    return { answer: 'output' in outcome ? String(outcome.output) : 'Please ask again.' }
  }
  return {
    runtime,
    ask: async (question, { customer, conversation }, onText) => play(await runtime.start(desk, { question }, { user: customer, session: conversation, route: '/desk', stream: true }), onText),
    decide: async (conversation, approved) => {
      const [row] = await runtime.list({ session: conversation, status: ['waiting'] })
      const run = await runtime.resume(row?.id ?? '')
      await run.send({ type: approved ? 'APPROVE' : 'REJECT', hash: row?.waiting?.[0]?.calls?.[0]?.hash ?? '' }, 'desk')
      return play(run)
    },
  }
}
