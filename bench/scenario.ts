// The one scenario that every variant plays: N times (model call → one tool call), then an answer. The model is
// stateless and answers at once, so what is measured is the framework's own work.
import { assign, createActor, fromPromise, setup, toPromise } from 'xstate'
import { z } from 'zod'
import { effectSource, guards, type Agent } from '../src/agent/index.ts'
import type { ModelProvider } from '../src/model/index.ts'
import { defineTool, type Tool } from '../src/tool/index.ts'

const add = ({ a, b }: { readonly a: number; readonly b: number }): { readonly sum: number } => ({ sum: a + b })

interface PlainMessage {
  readonly role: string
  readonly content: string
  readonly call?: { readonly a: number; readonly b: number }
}

const plainModel = async (messages: readonly PlainMessage[], steps: number): Promise<PlainMessage> => {
  const done = (messages.length - 1) >> 1
  return done >= steps ? { role: 'assistant', content: 'done' } : { role: 'assistant', content: '', call: { a: done, b: 1 } }
}

/** A loop written by hand: the floor. It validates nothing and remembers nothing. */
export const byHand = async (steps: number): Promise<void> => {
  const messages: PlainMessage[] = [{ role: 'user', content: 'go' }]
  for (;;) {
    const reply = await plainModel(messages, steps)
    messages.push(reply)
    if (reply.call === undefined) return
    messages.push({ role: 'tool', content: JSON.stringify(add(reply.call)) })
  }
}

const append = assign({
  messages: ({ context, event }: { readonly context: { readonly messages: readonly PlainMessage[] }; readonly event: object }) => [...context.messages, (event as { readonly output: PlainMessage }).output],
}) as never

const rawMachine = setup({
  types: { context: {} as { messages: readonly PlainMessage[]; steps: number }, input: {} as { steps: number } },
  actors: {
    model: fromPromise(({ input }: { input: { messages: readonly PlainMessage[]; steps: number } }) => plainModel(input.messages, input.steps)),
    tool: fromPromise(async ({ input }: { input: { messages: readonly PlainMessage[] } }) => ({
      role: 'tool',
      content: JSON.stringify(add(input.messages.at(-1)?.call ?? { a: 0, b: 0 })),
    })),
  },
}).createMachine({
  id: 'raw',
  initial: 'thinking',
  context: ({ input }) => ({ messages: [{ role: 'user', content: 'go' }], steps: input.steps }),
  states: {
    thinking: {
      invoke: {
        src: 'model',
        input: ({ context }) => context,
        onDone: [
          { guard: ({ event }) => event.output.call !== undefined, target: 'acting', actions: append },
          { target: 'done', actions: append },
        ],
      },
    },
    acting: { invoke: { src: 'tool', input: ({ context }) => context, onDone: { target: 'thinking', actions: append } } },
    done: { type: 'final' },
  },
})

/** Raw XState: an actor with promise actors, history copied by spread as people write it. */
export const rawXState = async (steps: number): Promise<void> => {
  await toPromise(createActor(rawMachine, { input: { steps } }).start())
}

/** The model of the Stateloop variants. */
export const provider: ModelProvider = {
  id: 'bench',
  price: { inputUsd: 0, outputUsd: 0 },
  call: async ({ messages }) => {
    const steps = Number(messages[0]?.content)
    const done = (messages.length - 1) >> 1
    const usage = { inputTokens: 10, outputTokens: 5 }
    if (done >= steps) return { message: { role: 'assistant', content: 'done' }, finish: 'stop', usage, model: 'm' }
    return {
      message: { role: 'assistant', content: '', calls: [{ id: `c${done}`, name: 'add', args: { a: done, b: 1 } }] },
      finish: 'tool_calls',
      usage,
      model: 'm',
    }
  },
}

const tools = { add: defineTool({ description: 'Adds.', input: z.object({ a: z.number(), b: z.number() }), run: add }) as Tool }
const model = { alias: 'm', provider: 'bench', model: 'm', params: { maxOutputTokens: 100 } }
const machine = setup({
  actors: {
    model: effectSource({ kind: 'model', model, prompt: ({ context }) => String((context as { readonly steps: number }).steps), tools, repairs: 0 }),
    tools: effectSource({ kind: 'tools', tools, parallel: 4 }),
  },
  guards: guards as never,
}).createMachine({
  id: 'bench',
  initial: 'thinking',
  context: ({ input }) => ({ steps: (input as { steps: number } | undefined)?.steps ?? 0 }),
  states: {
    thinking: {
      invoke: { id: 'thinking', src: 'model', onDone: [{ guard: { type: 'stateloop.calls', params: {} } as never, target: 'acting' }, { target: 'done' }] },
    },
    acting: { invoke: { id: 'acting', src: 'tools', onDone: 'thinking' } },
    done: { type: 'final' },
  },
})

/** The same loop as an agent. */
export const benchAgent: Agent = {
  kind: 'agent',
  id: 'bench',
  hash: 'bench',
  definition: {},
  machine,
  input: z.object({ steps: z.number() }),
  events: {},
  limits: { transitions: 1e9, modelCalls: 1e9, toolCalls: 1e9, repeat: 3 },
  migrations: [],
}
