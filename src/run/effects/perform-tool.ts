// Performs one tool call: validates the arguments, runs the tool under its time limit, checks and bounds the result.
// Every way it can go wrong is an outcome; nothing is thrown.
import { failure, failureOf, type Failure, type Json } from '../../failure/index.ts'
import { nanoOf } from '../../cost/index.ts'
import type { CallRecord, Outcome } from '../../journal/index.ts'
import type { ModelReply } from '../../model/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import { formatIssues, toJson, validateAsync, type Schema } from '../../schema/index.ts'
import type { Tool, ToolContext } from '../../tool/index.ts'
import { textOf } from '../../prompt/index.ts'
import type { RunInfo, StepIo } from '../effect.ts'

/** Who calls, under which key, and what was billed on the way. */
export interface ToolCallScope {
  readonly run: RunInfo
  readonly key: string
  readonly io: StepIo
  readonly calls: CallRecord[]
  addedNano: number
}

const elapsed = (scope: ToolCallScope, started: number): number => Math.round(scope.io.acting.clock.monotonic() - started)

/** Closes an attempt with what was billed. */
export const outcomeOf = (scope: ToolCallScope, started: number, result: { readonly value: Json } | { readonly failure: Failure }): Outcome => {
  const billed = {
    durationMs: elapsed(scope, started),
    ...(scope.calls.length === 0 ? {} : { calls: scope.calls }),
    ...(scope.addedNano === 0 ? {} : { addedNano: scope.addedNano }),
  }
  return 'value' in result ? { ok: true, value: result.value, ...billed } : { ok: false, failure: result.failure, ...billed }
}

const innerCall = async (scope: ToolCallScope, address: string, ask: Parameters<ToolContext['model']>[0]): Promise<ModelReply> => {
  const { acting, signal } = scope.io
  const slash = address.indexOf('/')
  const provider = acting.provider(address.slice(0, slash))
  const model = address.slice(slash + 1)
  const started = acting.clock.monotonic()
  const messages = typeof ask.messages === 'string' ? [{ role: 'user' as const, content: ask.messages }] : ask.messages
  const reply = await provider.call({ model, messages, params: { maxOutputTokens: ask.maxOutputTokens ?? 4096 } }, { signal, timeouts: timeoutsOf(), key: `${scope.key}:model${scope.calls.length}` })
  const atMs = acting.clock.now()
  const cost =
    reply.usage === null
      ? { nano: null, source: 'unknown' }
      : provider.price === undefined
        ? acting.prices.cost(provider.id, reply.model, reply.usage, atMs)
        : { nano: nanoOf(provider.price, reply.usage), source: provider.id }
  scope.calls.push({
    provider: provider.id,
    model,
    answered: reply.model,
    usage: reply.usage,
    costNano: cost.nano,
    priceSource: cost.source,
    latencyMs: Math.round(acting.clock.monotonic() - started),
  })
  return reply
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
    model: async (request) => {
      const reply = await innerCall(scope, request.model, request)
      return { text: textOf(reply.message.content), usage: reply.usage }
    },
    embed: async ({ model, texts }) => {
      const provider = io.acting.provider(model.slice(0, model.indexOf('/')))
      if (provider.embed === undefined) throw new TypeError(`Provider ${provider.id} cannot embed texts. Use one that can.`)
      const started = io.acting.clock.monotonic()
      const name = model.slice(model.indexOf('/') + 1)
      const { vectors, usage } = await provider.embed({ model: name, texts }, { signal, timeouts: timeoutsOf(), key })
      const cost = usage === null ? { nano: null, source: 'unknown' } : io.acting.prices.cost(provider.id, name, usage, io.acting.clock.now())
      scope.calls.push({
        provider: provider.id,
        model: name,
        usage,
        costNano: cost.nano,
        priceSource: cost.source,
        latencyMs: Math.round(io.acting.clock.monotonic() - started),
      })
      return vectors
    },
    addCost: (usd) => {
      scope.addedNano += Math.round(usd * 1e9)
    },
    log: (message, fields) => io.acting.log(run.id, message, fields),
  }
}

/** Runs author code under a time limit; a late result is ignored. */
export const underTimeLimit = async <T>(io: StepIo, timeoutMs: number, what: string, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> => {
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(io.signal.reason)
  io.signal.addEventListener('abort', onAbort, { once: true })
  let cancel = (): void => {}
  const ended = new Promise<never>((_resolve, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error), { once: true })
    cancel = io.acting.clock.timer(timeoutMs, () => stop.abort(failure('timeout', `${what} took longer than ${timeoutMs} ms. Raise its timeoutMs or make it faster.`, { details: { timeoutMs } })))
  })
  try {
    if (io.signal.aborted) throw io.signal.reason
    return await Promise.race([work(stop.signal), ended])
  } finally {
    cancel()
    io.signal.removeEventListener('abort', onAbort)
  }
}

/** A JSON copy of a result, or the failure that says why there is none. */
export const checkResult = async (what: string, value: unknown, schema: Schema | undefined, maxBytes: number, code: 'tool_failed' | 'code_failed'): Promise<{ readonly value: Json } | { readonly failure: Failure }> => {
  const checked = schema === undefined ? { ok: true as const, value } : await validateAsync(schema, value)
  if (!checked.ok) return { failure: failure(code, `${what} returned what its output schema does not allow: ${formatIssues(checked.issues)}. Fix the result or the schema.`) }
  const json = checked.value === undefined ? null : toJson(checked.value)
  if (json === undefined) return { failure: failure(code, `${what} returned something that JSON cannot hold (a cycle, a BigInt or a function). Return plain data.`) }
  const size = Buffer.byteLength(JSON.stringify(json))
  if (size > maxBytes)
    return {
      failure: failure('result_too_large', `${what} returned ${size} bytes, more than its limit of ${maxBytes}. Return less or raise maxResultBytes.`, {
        details: { size, maxBytes },
      }),
    }
  return { value: json }
}

/** The tool's own failure, or `tool_failed` around what it threw. */
const failedBy = (thrown: unknown, name: string): Failure => {
  const own = failureOf(thrown)
  if (own !== undefined && (own.code === 'timeout' || own.code === 'deadline_exceeded' || own.code === 'denied' || own.code === 'tool_failed')) return own
  const message = own?.message ?? (thrown instanceof Error ? thrown.message : String(thrown))
  return failure('tool_failed', `Tool ${name} failed: ${message}`, { cause: thrown, retryable: own?.retryable ?? true })
}

/** Performs one call of a tool. @param args as the model or the author gave them, not yet validated. */
export const performTool = async (name: string, tool: Tool, args: Json, scope: ToolCallScope): Promise<Outcome> => {
  const started = scope.io.acting.clock.monotonic()
  const input = await validateAsync(tool.input, args)
  if (!input.ok)
    return outcomeOf(scope, started, {
      failure: failure('invalid_args', `Tool ${name} was called with arguments that do not match its schema: ${formatIssues(input.issues)}.`),
    })
  try {
    const result = await underTimeLimit(scope.io, tool.timeoutMs, `Tool ${name}`, (signal) => tool.run(input.value as never, toolContext(scope, signal)))
    return outcomeOf(scope, started, await checkResult(`Tool ${name}`, result, tool.output, tool.maxResultBytes, 'tool_failed'))
  } catch (thrown) {
    return outcomeOf(scope, started, { failure: failedBy(thrown, name) })
  }
}
