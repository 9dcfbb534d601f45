// How an agent takes part in a chat: what of the messages is its input, and what of its output is said. Invariant: chat
// protocols know no more of an agent than this.
import type { Agent, AnyAgent } from '../../agent/index.ts'
import { textOf, type Message } from '../../prompt/index.ts'
import { toJsonSchema } from '../../schema/index.ts'

/** A chat so far. */
export interface Chat {
  /** What was said, oldest first. */
  readonly messages: readonly Message[]
  /** Text of the user's last message. */
  readonly last: string
}

/** An agent that chat clients can talk to. */
export interface ChatAgent {
  /** The agent. */
  readonly agent: AnyAgent
  /** The input for a chat. */
  readonly input: (chat: Chat) => unknown
  /** What is said of an output. */
  readonly output: (output: never) => string
  /** States whose tokens are said as they come. */
  readonly tokens: readonly string[]
}

/** Options of `chatAgent`. */
export interface ChatAgentOptions<I, O> {
  /** The input for a chat. What it throws refuses the request as a defect. */
  readonly input: (chat: Chat) => I
  /** What is said of an output. Default: a text as it is, everything else as JSON. */
  readonly output?: (output: O) => string
  /** States whose tokens are what is said in the end, so that they can be said as they come. Default: none. */
  readonly tokens?: readonly string[]
}

const say = (output: unknown): string => (typeof output === 'string' ? output : JSON.stringify(output ?? null))

/**
 * Says how an agent takes part in a chat.
 * @example chatAgent(support, { input: ({ last }) => ({ question: last }), output: ({ text }) => text, tokens: ['answering'] })
 */
export const chatAgent = <I, O, E>(agent: Agent<I, O, E>, { input, output = say, tokens = [] }: ChatAgentOptions<NoInfer<I>, NoInfer<O>>): ChatAgent => ({ agent: agent as AnyAgent, input, output, tokens })

const takesText = (agent: AnyAgent): boolean => {
  try {
    return toJsonSchema(agent.input)['type'] === 'string'
  } catch {
    return false
  }
}

/** The chat agents of a server: those that are named, and every agent that takes text under its own id, where its input is the last message. */
export const chatAgents = (agents: readonly AnyAgent[], named: { readonly [name: string]: ChatAgent } = {}): ReadonlyMap<string, ChatAgent> => {
  const plain = agents.filter(takesText).map((agent) => [agent.id, { agent, input: ({ last }: Chat) => last, output: say, tokens: ['answering'] }] as const)
  return new Map([...plain, ...Object.entries(named)])
}

/** A chat from its messages. */
export const chatOf = (messages: readonly Message[]): Chat => ({ messages, last: textOf(messages.findLast(({ role }) => role === 'user')?.content ?? '') })
