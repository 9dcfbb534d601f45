// The closed table of everything that may go wrong as an *expected* event: which kind of state it can
// arrive in, whether a retry can help, what it means to a circuit breaker, and what a person should do.
// Invariant: a failure code exists nowhere else; types, docs and routing checks are derived from here.

/** How a failure counts for a circuit breaker: never, as one failure, or as a reason to open at once. */
export type BreakerEffect = 'never' | 'counts' | 'opens'

/** One row of the failure table. */
export interface CodeInfo {
  /** What happened, in one sentence. */
  readonly summary: string
  /** What the reader of the failure should do next. */
  readonly hint: string
  /** Whether performing the same attempt again can succeed. */
  readonly retryable: boolean
  /** What it does to the circuit of the model it came from. */
  readonly breaker: BreakerEffect
}

const row = (summary: string, hint: string, retryable = false, breaker: BreakerEffect = 'never'): CodeInfo => ({
  summary,
  hint,
  retryable,
  breaker,
})

const model = {
  rate_limited: row('The provider answered that calls come too fast (HTTP 429).', 'Retry after the time the provider names, or route to another model.', true),
  quota_exhausted: row('The account has no credit or quota left.', 'Top up or raise the quota; route to another provider meanwhile.', false, 'opens'),
  overloaded: row('The provider is out of capacity (HTTP 503 or 529).', 'Retry with backoff, or route to another model.', true, 'counts'),
  provider_error: row('The provider failed on its side (HTTP 5xx, 408, 409 or an error inside the reply).', 'Retry with backoff, or route to another model.', true, 'counts'),
  connection_failed: row('No connection to the provider, or it broke (DNS, refused, reset, TLS).', 'Check the network and the base URL.', true, 'counts'),
  timeout: row('The attempt took longer than its time limit.', 'Raise the time limit of the state, or route to a faster model.', true, 'counts'),
  stream_truncated: row('The stream ended before the reply was complete.', 'Retry; nothing of the partial reply was used.', true, 'counts'),
  malformed_response: row('The reply was not what the protocol promises (bad JSON, wrong shape).', 'Retry once; if it stays, check the base URL and the provider.', true, 'counts'),
  empty_response: row('The reply held neither text nor tool calls.', 'Retry once; if it stays, check the prompt and the output token limit.', true, 'counts'),
  auth_failed: row('The provider refused the credentials (HTTP 401 or 403).', 'Check the API key and its permissions.'),
  model_not_found: row('The provider does not know the model (HTTP 404).', 'Check the model name.'),
  invalid_request: row('The provider rejected the request itself (HTTP 400 or 422).', 'Fix the request: parameter, schema or message the provider names.'),
  context_overflow: row('The request is longer than the model can read.', 'Shorten or compact the thread, or use a model with a larger window.'),
  content_filtered: row('A content filter stopped the request or the reply.', 'Route to a safe answer or rephrase the prompt.'),
  refused: row('The model declined to answer.', 'Route to a refusal answer or a person.'),
  truncated: row('The reply stopped at the output token limit.', 'Raise maxOutputTokens or ask for a shorter answer.'),
  invalid_output: row('The reply does not match the output schema, even after repair turns.', 'Simplify the schema, or route to another model.'),
} as const

const tool = {
  tool_failed: row('The tool threw, or its result does not match its output schema.', 'Look at the cause; fix the tool or its input.'),
  timeout: model.timeout,
  invalid_args: row('The arguments do not match the input schema of the tool.', 'The model sees the problem and may correct itself.'),
  unknown_tool: row('The model called a tool that this state does not offer.', 'The model sees the names of the tools it has.'),
  denied: row('A person or a policy rejected the call.', 'Route to an answer without this tool.'),
  result_too_large: row('The result of the tool is larger than its size limit.', 'Return less, or raise maxResultBytes.'),
  in_doubt: row('The process died while the call was under way, so it may or may not have happened.', 'Find out whether it happened, then resolve the run: done, retry or fail.'),
} as const

const retrieval = {
  retrieval_failed: row('The retriever or reranker threw.', 'Look at the cause; route to an answer without documents.'),
  timeout: model.timeout,
  no_results: row('Nothing was found.', 'Rephrase the query or route to an answer without documents.'),
} as const

const human = { expired: row('Nobody answered in time.', 'Ask again or end the run.') } as const
const agent = { child_failed: row('A child agent did not end as done.', 'Look at the failure of the child.') } as const
const code = { code_failed: row("The author's code failed.", 'Look at the cause.'), timeout: model.timeout } as const

const every = {
  loop_limit: row('A state or the run reached its limit of visits, transitions or calls.', 'Raise the limit, or route to an answer with what is there.'),
  no_progress: row('The same call gave the same result again and again.', 'Route to a different approach, or declare the tool as polling.'),
  budget_exceeded: row('The call could cost more than the budget has left.', 'Raise the budget, use a cheaper model, or end the run.'),
  deadline_exceeded: row('The run used up its time.', 'Raise durationMs or do less.'),
  circuit_open: row('Recent calls to this model failed, so this one was not tried.', 'Route to another model; the circuit closes by itself.'),
  saturated: row('Too many calls are waiting for this model in this process.', 'Lower the load or raise the queue.'),
  throttled: row('The user, route or tenant reached its rate limit.', 'Come back after the time named in the failure.'),
} as const

const door = {
  invalid_input: row('The input of the run does not match the schema of the agent.', 'Fix the input.'),
  invalid_event: row('The event is not one that this agent declares, or its payload does not match.', 'Send one of the declared events.'),
  event_not_accepted: row('The run does not accept this event in its present state.', 'Send one of the accepted events.'),
  invalid_context: row('A saved value does not match the context schema.', 'Fix the save or the schema: this is a bug in the agent.'),
  invalid_run_output: row('The output of a final state does not match the output schema.', 'Fix the final state: this is a bug in the agent.'),
  agent_invalid: row('The agent is not well formed.', 'Fix every problem the message lists.'),
  agent_not_found: row('No agent by that name or path.', 'Check the name.'),
  run_not_found: row('The journal has no run with that id.', 'List runs with `stateloop runs`.'),
  run_ended: row('The run has already ended.', 'Start a new run.'),
  session_busy: row('The session already has a run that has not ended.', 'Wait for it, or start with onBusy: "queue".'),
  lease_held: row('Another process is running this run.', 'Wait until it ends or its lease expires.'),
  other_engine: row('Another engine drives this run.', 'Send it events as usual; its engine goes on with it.'),
  lease_lost: row('Another process took this run over.', 'Stop; the other process goes on.'),
  definition_changed: row('The agent is not the one this run was started with.', 'Resume with the old code, pin it, or provide a migration.'),
  journal_unavailable: row('The journal cannot be written.', 'Free disk space or fix permissions, then resume.'),
  journal_corrupt: row('The journal holds an entry that does not match its hash.', 'Restore the database from a backup.'),
  journal_rolled_back: row('The journal holds fewer entries than were once acknowledged.', 'Restore the database and its write-ahead log.'),
  prompt_unusable: row('The lock of the prompts, or a version it names, cannot be used with this code.', 'Fix the lock, activate a version that fits, or deploy code that fits.'),
  provider_not_found: row('No provider is configured for the model.', 'Add the provider to createRuntime({ providers }).'),
  draining: row('The runtime is shutting down and takes no new runs.', 'Start the run in another process.'),
  unauthorized: row('The request does not say who it is from, or not with the right token.', 'Send the header `Authorization: Bearer <token>`.'),
  request_too_large: row('The body of the request is larger than the server takes.', 'Send less, or raise limits.bodyBytes of the server.'),
  usage: row('The command or call was not understood.', 'See the help.'),
  defect: row('A bug: code threw what is not an expected failure.', 'Fix the bug; the cause has the stack.'),
  cancelled: row('The run was cancelled.', 'Nothing to do.'),
} as const

/** Failure codes by the kind of state they can arrive in; `every` can arrive in any effect, `door` only at public calls. */
export const FAILURE_CODES = { model, tool, retrieval, human, agent, code, every, door } as const

/** Kinds of effect that have failure codes of their own. */
export type FailureKind = Exclude<keyof typeof FAILURE_CODES, 'every' | 'door'>
type CodesIn<K extends keyof typeof FAILURE_CODES> = { [P in K]: keyof (typeof FAILURE_CODES)[P] }[K] & string

/** Codes that can arrive in a state whose effect is of kind `K`. */
export type CodesOf<K extends FailureKind> = CodesIn<K> | CodesIn<'every'>
/** Codes that a state can be asked to route. */
export type EffectCode = CodesIn<FailureKind> | CodesIn<'every'>
/** Codes that only public calls report. */
export type DoorCode = CodesIn<'door'>
/** Every failure code. */
export type FailureCode = EffectCode | DoorCode

const groups = Object.values(FAILURE_CODES) as readonly Readonly<Record<string, CodeInfo>>[]
const byCode = new Map<string, CodeInfo>(groups.flatMap((group) => Object.entries(group)))

/** Looks up what is known of a failure code: what it means, what to do, whether to try again. @returns undefined for a string that is not a failure code. */
export const codeInfo = (code: string): CodeInfo | undefined => byCode.get(code)

/** All codes that can arrive in a state of the given kind, own codes first. */
export const codesOf = (kind: FailureKind): readonly EffectCode[] => [...Object.keys(FAILURE_CODES[kind]), ...Object.keys(every)] as EffectCode[]
