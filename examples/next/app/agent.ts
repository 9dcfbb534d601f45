// The agent and its runtime. One for the process: Next.js may load this module more than once while it develops.
import { agent, createRuntime, defineTool, openai, replyCalls, replyText, scripted } from 'stateloop'
import { createServer, type Server } from 'stateloop/server'
import { z } from 'zod'

const pay = defineTool({ description: 'Pays an amount.', input: z.object({ amount: z.number() }), effect: 'irreversible', run: ({ amount }) => ({ paid: amount }) })

export const cashier = agent({ id: 'cashier', model: 'openai/gpt-5-mini', prompt: 'Pay what is asked for, then say so.', tools: { pay } })

/** Stands in for the model where there is no key: pays the first number of the message. */
const offline = scripted({
  id: 'openai',
  rules: ({ messages }) => {
    const last = messages.at(-1)
    const amount = Number(/\d+/.exec(String(last?.content))?.[0])
    if (last?.role === 'tool') return replyText(`Done: ${String(last.content)}`)
    return Number.isNaN(amount) ? replyText('Name an amount.') : replyCalls({ name: 'pay', args: { amount } })
  },
})

const shared = globalThis as { stateloop?: Server }

export const server = (shared.stateloop ??= createServer({
  runtime: createRuntime({ providers: [process.env['OPENAI_API_KEY'] === undefined ? offline : openai()], agents: [cashier] }),
  agents: [cashier],
  basePath: '/api',
  // Put your session here: who is not signed in is not let in, and everybody sees their own runs.
  authenticate: (request) => request.headers.get('sec-fetch-site') !== 'cross-site',
  identify: () => ({ user: 'demo', route: '/chat' }),
}))
