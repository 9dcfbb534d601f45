// What becomes of each parameter that an OpenAI client can send. Invariant: none is dropped without a word: it is read here,
// sent on, refused by name, or named in the header `x-stateloop-ignored`.
import { fail, type Json } from '../../failure/index.ts'

/** The body of a request. */
export type Body = { readonly [field: string]: Json }

/** A parameter: understood here, sent to the provider as it is, or refused, except for values that ask for nothing. */
type Use = 'read' | 'sent' | { readonly refused: string; readonly unless?: (value: Json) => boolean }

/** What becomes of the parameters of one API; those that are not listed belong to other servers and are sent. */
export type Parameters = { readonly [name: string]: Use }

const isFalse = (value: Json): boolean => value === false || value === 0
const AUDIO: Use = { refused: 'Answers here are text. Leave it out.', unless: (value) => JSON.stringify(value) === '["text"]' }
const LOGPROBS: Use = { refused: 'Log probabilities are not kept, so they could not be given back. Leave it out.', unless: isFalse }
const MODERATION: Use = { refused: 'Results of moderation could not be given back. Call the moderation API of the provider itself.' }
const FUNCTIONS: Use = { refused: 'This form of tools is out of date. Send `tools` and `tool_choice`.' }

/** Parameters of `POST /v1/chat/completions`. */
export const CHAT: Parameters = {
  model: 'read',
  messages: 'read',
  stream: 'read',
  stream_options: 'read',
  max_tokens: 'read',
  max_completion_tokens: 'read',
  temperature: 'read',
  top_p: 'read',
  stop: 'read',
  reasoning_effort: 'read',
  verbosity: 'read',
  tools: 'read',
  tool_choice: 'read',
  response_format: 'read',
  n: 'read',
  user: 'read',
  frequency_penalty: 'sent',
  presence_penalty: 'sent',
  logit_bias: 'sent',
  seed: 'sent',
  parallel_tool_calls: 'sent',
  prediction: 'sent',
  service_tier: 'sent',
  store: 'sent',
  metadata: 'sent',
  safety_identifier: 'sent',
  prompt_cache_key: 'sent',
  prompt_cache_options: 'sent',
  prompt_cache_retention: 'sent',
  audio: AUDIO,
  modalities: AUDIO,
  logprobs: LOGPROBS,
  top_logprobs: LOGPROBS,
  functions: FUNCTIONS,
  function_call: FUNCTIONS,
  moderation: MODERATION,
  web_search_options: { refused: 'Citations of a search could not be given back. Offer a search as a tool, or call the provider itself.' },
}

/** Parameters of `POST /v1/embeddings`. */
export const EMBEDDINGS: Parameters = { model: 'read', input: 'read', encoding_format: 'read', user: 'read', dimensions: 'sent' }

const KEPT: Use = { refused: 'Runs are kept in the journal of this server, and there are no others. Send the items themselves.' }

/** Parameters of `POST /v1/responses`. */
export const RESPONSES: Parameters = {
  model: 'read',
  input: 'read',
  instructions: 'read',
  previous_response_id: 'read',
  stream: 'read',
  stream_options: 'read',
  max_output_tokens: 'read',
  temperature: 'read',
  top_p: 'read',
  reasoning: 'read',
  text: 'read',
  tools: 'read',
  tool_choice: 'read',
  store: 'read',
  metadata: 'read',
  user: 'read',
  max_tool_calls: 'read',
  parallel_tool_calls: 'sent',
  service_tier: 'sent',
  safety_identifier: 'sent',
  prompt_cache_key: 'sent',
  prompt_cache_options: 'sent',
  prompt_cache_retention: 'sent',
  // There is nothing else to include: reasoning is not given, and tools of the provider are refused.
  include: { ...LOGPROBS, unless: (value) => !JSON.stringify(value).includes('logprobs') },
  top_logprobs: LOGPROBS,
  conversation: KEPT,
  prompt: KEPT,
  background: { refused: 'A response is answered at once. Start a run with POST /v1/agents/{agent}/runs to come back for it.', unless: isFalse },
  truncation: { refused: 'What does not fit is not left out here. Shorten the conversation.', unless: (value) => value === 'disabled' },
  context_management: { refused: 'Conversations are not shortened here. Shorten the conversation.' },
  moderation: MODERATION,
  image: { refused: 'It belongs to tools of the provider, which are not offered here.' },
  access_programs: { refused: 'It belongs to an account of the provider.' },
}

/** What an agent, which decides by itself how it works, can take. */
const FOR_AGENTS: ReadonlySet<string> = new Set(['model', 'messages', 'input', 'instructions', 'stream', 'stream_options', 'user', 'store', 'metadata', 'include', 'n'])

const NO_TOOLS = (value: Json): boolean => Array.isArray(value) && value.length === 0
const isText = (value: Json): boolean => {
  const format = (value as { readonly format?: Json })?.format ?? value
  return typeof format === 'object' && format !== null && ('type' in format ? format['type'] === 'text' : true)
}
const OWN_FORM = 'An agent says what its author decided. Call a model alias for it.'
const OWN_TOOLS = 'An agent has the tools that its author gave it, and performs them itself. Call a model alias for tools of your own.'

/** What would change the form of an agent's answer: it cannot be ignored. */
const NOT_FOR_AGENTS: Parameters = {
  tools: { refused: OWN_TOOLS, unless: NO_TOOLS },
  tool_choice: { refused: OWN_TOOLS, unless: (value) => value === 'auto' || value === 'none' },
  response_format: { refused: OWN_FORM, unless: isText },
  text: { refused: OWN_FORM, unless: isText },
  stop: { refused: OWN_FORM },
  previous_response_id: { refused: 'What an agent was told before is not known in messages. Send the whole conversation.' },
}

const isRefused = (use: Use | undefined, value: Json): use is Extract<Use, object> => typeof use === 'object' && !(use.unless?.(value) ?? false)

/** Refuses a parameter by name. @throws FailureError `invalid_request` */
export const refuseParameter = (name: string, why: string): never => fail('invalid_request', `\`${name}\` cannot be used here. ${why}`, { details: { param: name } })

/** Fields that say something: null stands for the default. */
const said = (body: Body): readonly (readonly [string, Json])[] => Object.entries(body).filter(([, value]) => value !== null)

/**
 * Checks the parameters of a request to a model alias.
 * @returns those that are sent to the provider as they are.
 * @throws FailureError `invalid_request` for one that is refused.
 */
export const sentParameters = (parameters: Parameters, body: Body): Body => {
  for (const [name, value] of said(body)) {
    const use = parameters[name]
    if (isRefused(use, value)) refuseParameter(name, use.refused)
  }
  return Object.fromEntries(said(body).filter(([name]) => (parameters[name] ?? 'sent') === 'sent'))
}

/**
 * Checks the parameters of a request to an agent.
 * @returns names of those that have no effect on it.
 * @throws FailureError `invalid_request` for one that would change the form of the answer.
 */
export const ignoredParameters = (parameters: Parameters, body: Body): readonly string[] => {
  for (const [name, value] of said(body)) {
    const use = NOT_FOR_AGENTS[name] ?? parameters[name]
    if (isRefused(use, value)) refuseParameter(name, use.refused)
  }
  return said(body).flatMap(([name]) => (FOR_AGENTS.has(name) || typeof (NOT_FOR_AGENTS[name] ?? parameters[name]) === 'object' ? [] : [name]))
}
