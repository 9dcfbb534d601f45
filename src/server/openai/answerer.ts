// Who answers a request: a model alias, which passes it on, or an agent, which takes its messages as input. Invariant: both
// give a reply of a model, so that the APIs need not know who answered.
import type { AnyAgent, PassThrough } from '../../agent/index.ts'
import { fail } from '../../failure/index.ts'
import type { ModelReply } from '../../model/index.ts'
import type { Message } from '../../prompt/index.ts'
import type { Completion } from '../../run/index.ts'
import { chatOf, type ChatAgent } from '../chat/chat-agent.ts'
import type { ServerParts } from '../options.ts'
import { ignoredParameters, refuseParameter, sentParameters, type Body, type Parameters } from './parameters.ts'

/** A request of either API, read. */
export interface Asked {
  readonly model: string
  readonly messages: readonly Message[]
  /** Said before the messages, and not part of the conversation. */
  readonly instructions?: string
  /** What it asks for beside its messages. */
  readonly request: PassThrough
  /** How many answers are wanted. */
  readonly count: number
  /** The answer is said as it comes. */
  readonly stream: boolean
  readonly body: Body
  /** Parameters that have no effect on anybody. */
  readonly ignored?: readonly string[]
}

/** Who answers, and how its run is read. */
export interface Answerer {
  readonly agent: AnyAgent
  readonly input: unknown
  /** What is said of the run's output. */
  readonly say: (output: unknown) => Pick<ModelReply, 'finish'> & Pick<ModelReply['message'], 'content' | 'calls'>
  /** Tells whether the tokens of a state are said as they come. */
  readonly tokens: (state: string) => boolean
  /** The answer is held to a schema, so nothing but JSON is said. */
  readonly structured: boolean
  /** Parameters that have no effect. */
  readonly ignored: readonly string[]
}

const aliasAnswerer = ({ aliases }: ServerParts, { model, messages, instructions, request, count, stream, body, ignored = [] }: Asked, parameters: Parameters): Answerer => {
  const sent = sentParameters(parameters, body)
  const structured = request.output !== undefined
  const passed: PassThrough = { ...request, ...(structured ? { checked: true } : {}), ...(Object.keys(sent).length === 0 ? {} : { providerOptions: sent }) }
  return {
    agent: aliases.of(model, { stream, ...(count > 1 ? { sample: true } : {}), ...(request.embeds === true ? { vectors: true } : {}) }),
    input: { messages, request: passed, ...(instructions === undefined ? {} : { instructions }) },
    say: (output) => {
      const { message, finish } = output as Completion
      return { content: message.content, finish, ...(message.calls === undefined ? {} : { calls: message.calls }) }
    },
    tokens: () => true,
    structured,
    ignored,
  }
}

const chatAnswerer = ({ agent, input, output, tokens }: ChatAgent, { messages, instructions, count, body }: Asked, parameters: Parameters): Answerer => {
  const ignored = ignoredParameters(parameters, body)
  if (count > 1) refuseParameter('n', 'An agent acts, so it answers once. Send a request for each answer.')
  const heard: readonly Message[] = instructions === undefined ? messages : [{ role: 'system', content: instructions }, ...messages]
  return {
    agent,
    input: input(chatOf(heard)),
    say: (result) => ({ content: output(result as never), finish: 'stop' }),
    tokens: (state) => tokens.includes(state),
    structured: false,
    ignored,
  }
}

/** Finds who answers. @throws FailureError `agent_not_found`, `invalid_request` for a parameter that is refused. */
export const answererOf = (parts: ServerParts, asked: Asked, parameters: Parameters): Answerer => {
  if (parts.aliases.has(asked.model)) return aliasAnswerer(parts, asked, parameters)
  const chat = parts.chats.get(asked.model)
  if (chat !== undefined) return chatAnswerer(chat, asked, parameters)
  const names = [...parts.aliases.names, ...parts.chats.keys()].join(', ') || 'none'
  return fail('agent_not_found', `There is no model ${JSON.stringify(asked.model.slice(0, 100))} here. There are: ${names}.`, { details: { param: 'model' } })
}
