// Names of what is traced: OpenTelemetry's conventions for generative AI, and ours where there are none. Invariant: no
// other file spells such a name, so a new version of the conventions is a change of this file.

/**
 * The version of the conventions that the `gen_ai.*` names follow. All of them are still marked as in development.
 * @see https://github.com/open-telemetry/semantic-conventions-genai
 */
export const GEN_AI_VERSION = '0.1.0'

/** The general conventions that version builds on; given to tracers, meters and loggers. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0'

/** Attributes of spans, log events and metrics. */
export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  conversation: 'gen_ai.conversation.id',
  session: 'session.id',
  agentName: 'gen_ai.agent.name',
  agentVersion: 'gen_ai.agent.version',
  promptName: 'gen_ai.prompt.name',
  requestModel: 'gen_ai.request.model',
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topP: 'gen_ai.request.top_p',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  finishReasons: 'gen_ai.response.finish_reasons',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  tokenType: 'gen_ai.token.type',
  toolName: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
  dataSource: 'gen_ai.data_source.id',
  topK: 'gen_ai.retrieval.top_k',
  errorType: 'error.type',
  resendCount: 'http.request.resend_count',
  user: 'user.id',
  conventions: 'stateloop.gen_ai.version',
  run: 'stateloop.run.id',
  runResumed: 'stateloop.run.resumed',
  outcome: 'stateloop.outcome',
  route: 'stateloop.route',
  tenant: 'stateloop.tenant',
  actor: 'stateloop.actor',
  state: 'stateloop.state',
  stateKind: 'stateloop.state.kind',
  from: 'stateloop.transition.from',
  to: 'stateloop.transition.to',
  event: 'stateloop.transition.event',
  effectKey: 'stateloop.effect.key',
  attempt: 'stateloop.attempt',
  attempts: 'stateloop.attempts',
  discarded: 'stateloop.attempt.discarded',
  abandoned: 'stateloop.abandoned',
  retryInMs: 'stateloop.retry.in_ms',
  cacheHit: 'stateloop.cache.hit',
  cacheAgeMs: 'stateloop.cache.age_ms',
  cacheSavedUsd: 'stateloop.cache.saved_usd',
  waitedMs: 'stateloop.gate.waited_ms',
  probe: 'stateloop.gate.probe',
  circuit: 'stateloop.breaker.circuit',
  circuitState: 'stateloop.breaker.state',
  openedBy: 'stateloop.breaker.opened_by',
  costUsd: 'stateloop.cost.usd',
  costUnknown: 'stateloop.cost.unknown',
  costEstimated: 'stateloop.cost.estimated',
  priceSource: 'stateloop.cost.price_source',
  budgetScope: 'stateloop.budget.scope',
  budgetUnit: 'stateloop.budget.unit',
  budgetWindow: 'stateloop.budget.window',
  budgetReached: 'stateloop.budget.reached',
  promptHash: 'stateloop.prompt.hash',
  stepHash: 'stateloop.step.hash',
  requestHash: 'stateloop.request.hash',
  failureScope: 'stateloop.failure.scope',
  failureLimit: 'stateloop.failure.limit',
} as const

/** Attributes that hold what people, models and tools said; written on request only. */
export const CONTENT = {
  instructions: 'gen_ai.system_instructions',
  input: 'gen_ai.input.messages',
  output: 'gen_ai.output.messages',
  tools: 'gen_ai.tool.definitions',
  toolArguments: 'gen_ai.tool.call.arguments',
  toolResult: 'gen_ai.tool.call.result',
  query: 'gen_ai.retrieval.query.text',
  documents: 'gen_ai.retrieval.documents',
  message: 'stateloop.failure.message',
} as const

/** Values of `gen_ai.operation.name`, by kind of effect. */
export const OPERATION = { model: 'chat', decide: 'chat', compact: 'chat', tool: 'execute_tool', tools: 'execute_tool', retrieve: 'retrieval', rerank: 'rerank', code: 'code', agent: 'invoke_agent' } as const

/** Names of log events. */
export const LOG_EVENT = { transition: 'stateloop.transition', exception: 'gen_ai.client.operation.exception', breaker: 'stateloop.breaker' } as const

const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864]

/** A metric: its unit as UCUM spells it, what it says, and the buckets of a histogram. Without buckets it is a counter. */
export interface Metric {
  readonly name: string
  readonly unit: string
  readonly about: string
  readonly buckets?: number[]
}

/** The metrics. */
export const METRIC = {
  callDuration: { name: 'gen_ai.client.operation.duration', unit: 's', about: 'Duration of one model call, retries included.', buckets: SECONDS },
  tokens: { name: 'gen_ai.client.token.usage', unit: '{token}', about: 'Tokens that one attempt was billed.', buckets: TOKENS },
  firstToken: { name: 'gen_ai.client.operation.time_to_first_chunk', unit: 's', about: 'Time from the request to the first piece of a streamed reply.', buckets: SECONDS },
  agentDuration: { name: 'gen_ai.invoke_agent.duration', unit: 's', about: 'Time that a run, or a part of it between two waits, was at work.', buckets: SECONDS },
  toolDuration: { name: 'gen_ai.execute_tool.duration', unit: 's', about: 'Duration of one tool call, retries included.', buckets: SECONDS },
  stateDuration: { name: 'stateloop.state.duration', unit: 's', about: 'Time between entering a state and leaving it.', buckets: SECONDS },
  cost: { name: 'stateloop.cost', unit: 'USD', about: 'Cost of attempts whose price is known.' },
  budgetNotices: { name: 'stateloop.budget.notices', unit: '{notice}', about: 'Warnings of limits on spending that came near or were reached, each told once in its window.' },
  failures: { name: 'stateloop.failures', unit: '{failure}', about: 'Failed attempts, by failure code.' },
} as const satisfies { readonly [name: string]: Metric }
