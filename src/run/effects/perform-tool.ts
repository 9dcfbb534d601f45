// Performs one tool call: validates the arguments, runs the tool under its time limit, checks and bounds the result.
// Every way it can go wrong is an outcome; nothing is thrown.
import { sleep } from '../../clock/index.ts'
import { failure, FailureError, failureOf, type Failure, type Json } from '../../failure/index.ts'
import type { CallRecord, Outcome, UnbilledCall } from '../../journal/index.ts'
import type { CachePolicy } from '../../policy/index.ts'
import { textOf, type Content, type Message } from '../../prompt/index.ts'
import { formatIssues, hashOf, marksSecrets, toJsonText, validateAsync, type Schema } from '../../schema/index.ts'
import type { Tool, ToolContext } from '../../tool/index.ts'
import { askModel } from '../call/ask-model.ts'
import { throughCache } from '../call/cached.ts'
import { vectorsIn } from '../call/embed-texts.ts'
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
  readonly calls: CallRecord[]
  readonly unbilled: UnbilledCall[]
  addedNano: number
  /** A budget holds something for a call of this attempt. */
  held: boolean
  /** Calls under way. */
  readonly open: Set<Promise<unknown>>
  /** How many calls were made; each needs a name of its own. */
  made: number
}

/** Opens the scope of one attempt. @param suffix distinguishes calls of one effect. */
export const scopeOf = (context: EffectContext, name: string, io: StepIo, suffix = ''): ToolCallScope => ({
  run: context.run,
  key: suffix === '' ? context.key : `${context.key}:${suffix}`,
  state: context.state,
  name,
  io,
  calls: [],
  unbilled: [],
  addedNano: 0,
  held: false,
  open: new Set(),
  made: 0,
})

const elapsed = (scope: ToolCallScope, started: number): number => Math.round(scope.io.acting.clock.monotonic() - started)

/** Closes an attempt with what was billed. */
export const outcomeOf = (scope: ToolCallScope, started: number, result: { readonly value: Json } | { readonly failure: Failure }): Outcome => {
  const billed = {
    durationMs: elapsed(scope, started),
    ...(scope.calls.length === 0 ? {} : { calls: scope.calls }),
    ...(scope.addedNano === 0 ? {} : { addedNano: scope.addedNano }),
    ...(scope.unbilled.length === 0 ? {} : { unbilled: scope.unbilled }),
    ...(scope.held ? { held: true as const } : {}),
  }
  return 'value' in result ? { ok: true, value: result.value, ...billed } : { ok: false, failure: result.failure, ...billed }
}

/** What a tool asks of a model. */
interface InnerAsk {
  readonly kind: 'model' | 'embed'
  /** Provider and model: `openai/gpt-5-mini`. */
  readonly address: string
  readonly messages: readonly Message[]
  readonly maxOutputTokens: number
}

/** A call inside a tool takes the same way as one of a state: the same budget, limiter, circuit and bill. */
const innerCall = async (scope: ToolCallScope, { kind, address, messages, maxOutputTokens }: InnerAsk, signal: AbortSignal): Promise<{ readonly text: string; readonly usage: CallRecord['usage'] }> => {
  const { run, key, io } = scope
  const slash = address.indexOf('/')
  const call = `${key}:${kind}${scope.made++}`
  const thread = new Thread(call, messages)
  const model = { alias: address, provider: address.slice(0, slash), model: address.slice(slash + 1), params: { maxOutputTokens } }
  const prompt = { id: `${scope.name}/${kind}`, hash: hashOf({ inline: scope.name }) }
  const common = { tools: [], output: undefined, expected: { refusalDetector: false as const }, timeout: undefined, cache: undefined, breaker: undefined, limiter: undefined }
  const outcome = await askModel({ run, key: call, state: scope.state, model, thread, prompt, embeds: kind === 'embed', ...common }, { ...io, signal, watched: false })
  scope.calls.push(...(outcome.calls ?? []))
  scope.unbilled.push(...(outcome.unbilled ?? []))
  if (outcome.held === true) scope.held = true
  if (!outcome.ok) throw new FailureError(outcome.failure)
  return { text: textOf((outcome.value as { readonly content?: Content }).content ?? ''), usage: outcome.calls?.[0]?.usage ?? null }
}

const ask = (scope: ToolCallScope, { model, messages, maxOutputTokens = 4_096 }: Parameters<ToolContext['model']>[0], signal: AbortSignal): ReturnType<ToolContext['model']> =>
  innerCall(scope, { kind: 'model', address: model, messages: typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages, maxOutputTokens }, signal)

const embed = async (scope: ToolCallScope, { model, texts }: Parameters<ToolContext['embed']>[0], signal: AbortSignal): ReturnType<ToolContext['embed']> => {
  const { text } = await innerCall(scope, { kind: 'embed', address: model, messages: texts.map((content) => ({ role: 'user', content })), maxOutputTokens: 0 }, signal)
  return vectorsIn(text)
}

/** Remembers a call until it has ended. */
const noted = <T>(scope: ToolCallScope, call: Promise<T>): Promise<T> => {
  const ended: Promise<unknown> = call.catch(() => {}).then(() => scope.open.delete(ended))
  scope.open.add(ended)
  return call
}

/** The context a tool, retriever or reranker sees. */
const toolContext = (scope: ToolCallScope, signal: AbortSignal): ToolContext => {
  const { run, key, io } = scope
  return {
    run: run.id,
    key: `${run.id}${key}`,
    signal,
    services: io.acting.services,
    ...(run.user === undefined ? {} : { user: run.user }),
    ...(run.tenant === undefined ? {} : { tenant: run.tenant }),
    ...(run.route === undefined ? {} : { route: run.route }),
    model: (request) => noted(scope, ask(scope, request, signal)),
    embed: (request) => noted(scope, embed(scope, request, signal)),
    addCost: (usd, what) => {
      const nano = Math.round(usd * 1e9)
      if (!Number.isSafeInteger(nano) || nano < 0) throw new TypeError(`${scope.name} added a cost of ${usd} USD for ${what}. Give an amount that is finite and not negative.`)
      scope.addedNano += nano
      io.cap?.add(nano)
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

/** How long calls may take to end once they were told to, milliseconds. */
const ABORT_MS = 5_000

/**
 * Runs author code that may make calls. It ends when its calls have ended, whether or not the code waited for them, so that
 * what they cost is in the bill of the attempt.
 */
export const withCalls = async <T>(scope: ToolCallScope, timeoutMs: number, what: string, work: (context: ToolContext) => T | Promise<T>): Promise<T> => {
  const { clock } = scope.io.acting
  const ended = async (): Promise<void> => {
    while (scope.open.size > 0) await Promise.all(scope.open)
  }
  const withEnded = async (working: T | Promise<T>): Promise<T> => {
    try {
      return await working
    } finally {
      await ended()
    }
  }
  const begin = (signal: AbortSignal): T | Promise<T> => {
    try {
      return work(toolContext(scope, signal))
    } catch (thrown) {
      if (scope.open.size === 0) throw thrown
      return Promise.reject(thrown as Error)
    }
  }
  try {
    return await underTimeLimit(scope.io, timeoutMs, what, (signal) => {
      const working = begin(signal)
      return isThenable(working) || scope.open.size > 0 ? withEnded(working) : working
    })
  } finally {
    // After a time limit the calls were aborted, and end at once unless their provider is not to be stopped.
    if (scope.open.size > 0) {
      const waiting = new AbortController()
      await Promise.race([ended(), sleep(clock, ABORT_MS, waiting.signal)])
      waiting.abort()
    }
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
    const result = await withCalls(scope, tool.timeoutMs, `Tool ${name}`, (context) => tool.run(input as never, context))
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
