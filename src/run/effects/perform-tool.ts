// Performs one tool call: validates the arguments, runs the tool under its time limit, checks and bounds the result.
// Every way it can go wrong is an outcome; nothing is thrown.
import { failure, FailureError, failureOf, type Failure, type Json } from '../../failure/index.ts'
import type { CallRecord, Outcome } from '../../journal/index.ts'
import { timeoutsOf, type CachePolicy } from '../../policy/index.ts'
import { textOf, type Content } from '../../prompt/index.ts'
import { formatIssues, hashOf, marksSecrets, toJsonText, validateAsync, type Schema } from '../../schema/index.ts'
import type { Tool, ToolContext } from '../../tool/index.ts'
import { askModel } from '../call/ask-model.ts'
import { budgetOf, type ModelAsk } from '../call/ask.ts'
import { embeddingRecord, reserveEmbedding } from '../call/bill.ts'
import { throughCache } from '../call/cached.ts'
import type { EffectContext, RunInfo, StepIo } from '../effect.ts'
import { Thread } from '../thread.ts'

/** Who calls, under which key, and what was billed on the way. */
export interface ToolCallScope {
  readonly run: RunInfo
  readonly key: string
  readonly state: string
  /** What is performed: a tool, a retriever. */
  readonly name: string
  readonly io: StepIo
  readonly budget: ModelAsk['budget']
  readonly calls: CallRecord[]
  addedNano: number
  /** A budget holds something for a call of this attempt. */
  held: boolean
}

/** Opens the scope of one attempt. @param suffix distinguishes calls of one effect. */
export const scopeOf = (context: EffectContext, name: string, io: StepIo, suffix = ''): ToolCallScope => ({
  run: context.run,
  key: suffix === '' ? context.key : `${context.key}:${suffix}`,
  state: context.state,
  name,
  io,
  budget: budgetOf(context),
  calls: [],
  addedNano: 0,
  held: false,
})

const elapsed = (scope: ToolCallScope, started: number): number => Math.round(scope.io.acting.clock.monotonic() - started)

/** Closes an attempt with what was billed. */
export const outcomeOf = (scope: ToolCallScope, started: number, result: { readonly value: Json } | { readonly failure: Failure }): Outcome => {
  const billed = {
    durationMs: elapsed(scope, started),
    ...(scope.calls.length === 0 ? {} : { calls: scope.calls }),
    ...(scope.addedNano === 0 ? {} : { addedNano: scope.addedNano }),
    ...(scope.held ? { held: true as const } : {}),
  }
  return 'value' in result ? { ok: true, value: result.value, ...billed } : { ok: false, failure: result.failure, ...billed }
}

/** The run's cap with what the calls of this attempt were billed taken off. */
const budgetLeft = ({ budget, calls, addedNano }: ToolCallScope): ModelAsk['budget'] => {
  const ownNano = calls.reduce((sum, { costNano }) => sum + (costNano ?? 0), addedNano)
  return budget === undefined ? undefined : { ...budget, spentNano: () => budget.spentNano() + ownNano }
}

/** Embeds texts, within the same budgets as a model call. */
const embed = async (scope: ToolCallScope, { model, texts }: Parameters<ToolContext['embed']>[0], signal: AbortSignal): ReturnType<ToolContext['embed']> => {
  const { run, key, io } = scope
  const { clock, prices, budgets } = io.acting
  const provider = io.acting.provider(model.slice(0, model.indexOf('/')))
  if (provider.embed === undefined) throw new TypeError(`Provider ${provider.id} cannot embed texts. Use one that can.`)
  const started = clock.monotonic()
  const name = model.slice(model.indexOf('/') + 1)
  const call = `${key}:embed${scope.calls.length}`
  const reserved = await reserveEmbedding(io, { run, key: call, budget: budgetLeft(scope) }, provider, name, texts)
  if (!('release' in reserved)) throw new FailureError(reserved)
  try {
    const { vectors, usage } = await provider.embed({ model: name, texts }, { signal, timeouts: timeoutsOf(), key })
    scope.calls.push(embeddingRecord({ provider: provider.id, model: name, usage, latencyMs: Math.round(clock.monotonic() - started) }, reserved, prices, clock.now()))
    scope.held ||= reserved.held
    return vectors
  } catch (thrown) {
    if (reserved.held) await budgets.end(io.attempt, call, 'free')
    throw thrown
  } finally {
    reserved.release()
  }
}

/** A model call inside a tool takes the same way as one of a state: the same budget, circuit, limiter and bill. */
const innerCall = async (scope: ToolCallScope, { model: address, messages, maxOutputTokens = 4096 }: Parameters<ToolContext['model']>[0]): Promise<{ readonly text: string; readonly usage: CallRecord['usage'] }> => {
  const { run, key, io } = scope
  const slash = address.indexOf('/')
  const call = `${key}:model${scope.calls.length}`
  const thread = new Thread(call, typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages)
  const model = { alias: address, provider: address.slice(0, slash), model: address.slice(slash + 1), params: { maxOutputTokens } }
  const prompt = { id: `${scope.name}/model`, hash: hashOf({ inline: scope.name }) }
  const common = { tools: [], output: undefined, expected: { refusalDetector: false as const }, timeout: undefined, cache: undefined, breaker: undefined, limiter: undefined }
  const outcome = await askModel({ run, key: call, state: scope.state, model, thread, prompt, budget: budgetLeft(scope), ...common }, { ...io, watched: false })
  scope.calls.push(...(outcome.calls ?? []))
  if (outcome.held === true) scope.held = true
  if (!outcome.ok) throw new FailureError(outcome.failure)
  return { text: textOf((outcome.value as { readonly content?: Content }).content ?? ''), usage: outcome.calls?.[0]?.usage ?? null }
}

/** The context a tool, retriever or reranker sees. */
export const toolContext = (scope: ToolCallScope, signal: AbortSignal): ToolContext => {
  const { run, key, io } = scope
  return {
    run: run.id,
    key: `${run.id}${key}`,
    signal,
    services: io.acting.services,
    ...(run.user === undefined ? {} : { user: run.user }),
    ...(run.tenant === undefined ? {} : { tenant: run.tenant }),
    ...(run.route === undefined ? {} : { route: run.route }),
    model: (request) => innerCall(scope, request),
    embed: (request) => embed(scope, request, signal),
    addCost: (usd) => {
      scope.addedNano += Math.round(usd * 1e9)
    },
    log: (message, fields) => io.acting.log(run.id, message, fields),
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> => typeof value === 'object' && value !== null && 'then' in value

/** Runs author code under a time limit; a late result is ignored. */
export const underTimeLimit = async <T>(io: StepIo, timeoutMs: number, what: string, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> => {
  const stop = new AbortController()
  if (io.signal.aborted) throw io.signal.reason
  const working = work(stop.signal)
  // What is done at once needs no clock.
  if (!isThenable(working)) return working
  const { promise: ended, reject } = Promise.withResolvers<never>()
  // Rejected before it is aborted, so that the reason is told and not what the work makes of it.
  const end = (reason: unknown): void => {
    reject(reason)
    stop.abort(reason)
  }
  const onAbort = (): void => end(io.signal.reason)
  io.signal.addEventListener('abort', onAbort, { once: true })
  const cancel = io.acting.clock.timer(timeoutMs, () => end(failure('timeout', `${what} took longer than ${timeoutMs} ms. Raise its timeoutMs or make it faster.`, { details: { timeoutMs } })))
  if (io.signal.aborted) onAbort()
  try {
    return await Promise.race([working, ended])
  } finally {
    cancel()
    io.signal.removeEventListener('abort', onAbort)
  }
}

/** A JSON copy of a result, or the failure that says why there is none. */
export const checkResult = async (what: string, value: unknown, schema: Schema | undefined, maxBytes: number, code: 'tool_failed' | 'code_failed'): Promise<{ readonly value: Json } | { readonly failure: Failure }> => {
  const checked = schema === undefined ? { ok: true as const, value } : await validateAsync(schema, value)
  if (!checked.ok) return { failure: failure(code, `${what} returned what its output schema does not allow: ${formatIssues(checked.issues)}. Fix the result or the schema.`) }
  const text = checked.value === undefined ? 'null' : toJsonText(checked.value)
  if (text === undefined) return { failure: failure(code, `${what} returned something that JSON cannot hold (a cycle, a BigInt or a function). Return plain data.`) }
  const size = Buffer.byteLength(text)
  if (size > maxBytes)
    return {
      failure: failure('result_too_large', `${what} returned ${size} bytes, more than its limit of ${maxBytes}. Return less or raise maxResultBytes.`, {
        details: { size, maxBytes },
      }),
    }
  return { value: JSON.parse(text) as Json }
}

/** The tool's own failure, or `tool_failed` around what it threw. */
const failedBy = (thrown: unknown, name: string): Failure => {
  const own = failureOf(thrown)
  if (own !== undefined && (own.code === 'timeout' || own.code === 'deadline_exceeded' || own.code === 'denied' || own.code === 'tool_failed')) return own
  const message = own?.message ?? (thrown instanceof Error ? thrown.message : String(thrown))
  return failure('tool_failed', `Tool ${name} failed: ${message}`, { cause: thrown, retryable: own?.retryable ?? true })
}

const perform = async (name: string, tool: Tool, input: unknown, scope: ToolCallScope): Promise<Outcome> => {
  const started = scope.io.acting.clock.monotonic()
  try {
    const result = await underTimeLimit(scope.io, tool.timeoutMs, `Tool ${name}`, (signal) => tool.run(input as never, toolContext(scope, signal)))
    const checked = await checkResult(`Tool ${name}`, result, tool.output, tool.maxResultBytes, 'tool_failed')
    return outcomeOf(scope, started, 'value' in checked ? { value: scope.io.acting.secrets.of(scope.run.id).hide(tool.output, checked.value) } : checked)
  } catch (thrown) {
    return outcomeOf(scope, started, { failure: failedBy(thrown, name) })
  }
}

/** A call of a tool: who makes it, and how long an equal one gets the same result. */
export interface ToolPerformance {
  readonly context: EffectContext
  readonly name: string
  readonly tool: Tool
  /** As the model or the author gave them, not yet validated. */
  readonly args: Json
  readonly cache?: CachePolicy | undefined
  readonly suffix?: string
}

/** Performs one call of a tool. */
export const performTool = async ({ context, name, tool, args, cache = tool.cache, suffix }: ToolPerformance, io: StepIo): Promise<Outcome> => {
  const scope = scopeOf(context, name, io, suffix)
  const started = io.acting.clock.monotonic()
  const secrets = io.acting.secrets.of(context.run.id)
  const input = await validateAsync(tool.input, secrets.reveal(args))
  if (!input.ok)
    return outcomeOf(scope, started, {
      failure: failure('invalid_args', `Tool ${name} was called with arguments that do not match its schema: ${formatIssues(input.issues)}.`),
    })
  // A name that stands for a secret means nothing to another run, so a result with one is not kept for others.
  if (cache === undefined || marksSecrets(tool.output)) return perform(name, tool, input.value, scope)
  const parts = { agent: context.agent.id, tool: name, args }
  return throughCache({ policy: cache, parts, run: context.run }, io, (inner) => perform(name, tool, input.value, { ...scope, io: inner }))
}
