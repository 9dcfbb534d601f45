// Our policies around code that calls models through the Vercel AI SDK: each call becomes a run of one state. Invariant: the
// model object gets the caller's own options, and the caller gets the model object's own result, unless the answer came from
// the cache or from another model.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { CallAgentPolicies, Limits, Models } from '../../agent/index.ts'
import { systemClock } from '../../clock/index.ts'
import { fail, failure, FailureError } from '../../failure/index.ts'
import { callAiSdk, ModelCallError, type AiSdkModel, type CallOptions, type ModelIo, type ModelProvider, type ModelRequest } from '../../model/index.ts'
import type { Message } from '../../prompt/index.ts'
import { defined } from '../../schema/index.ts'
import { client, type Client, type Completion } from '../client.ts'
import type { RunHandle } from '../handle.ts'
import type { StartOptions } from '../prepare-start.ts'
import type { RuntimeOptions } from '../runtime.ts'
import { messagesIn, requestIn } from './request.ts'

/** What the middleware adds to each call. */
export interface AiSdkMiddlewareOptions extends CallAgentPolicies, Omit<RuntimeOptions, 'providers' | 'retry'> {
  /** Names the calls in traces and costs. Default `ai-sdk`. */
  readonly name?: string
  /** Limits of each call. Default: see {@link Limits}. */
  readonly limits?: Limits
  /** Who a call is for; asked at each call. Must not throw. Default: nobody. */
  readonly identify?: () => Pick<StartOptions, 'user' | 'route' | 'tenant' | 'session'>
}

interface Wrapped {
  readonly model: AiSdkModel
  readonly params: CallOptions
}

/** A middleware for the AI SDK's `wrapLanguageModel`, with a handle on the runtime behind it. */
export interface AiSdkMiddleware extends AsyncDisposable {
  readonly specificationVersion: 'v4'
  /** Called by the AI SDK for a whole reply. @throws FailureError with a model code. */
  wrapGenerate(call: { readonly model: AiSdkModel; readonly params: object }): Promise<never>
  /** Called by the AI SDK for a reply in pieces. @throws FailureError with a model code. */
  wrapStream(call: { readonly model: AiSdkModel; readonly params: object }): Promise<never>
  /** Runs, circuits and the journal of the calls so far. */
  readonly runtime: Client<Models>['runtime']
}

/** The call that an attempt belongs to: found through the caller's own asynchronous context. */
interface Underway {
  readonly model: AiSdkModel
  readonly params: CallOptions
  /** Gets the parts of a stream as they come; undefined for a whole reply. */
  readonly onPart: ((part: unknown) => void) | undefined
  result: unknown
  passedOn: boolean
}

/** Once pieces are with the caller they cannot be withdrawn, so a failure behind them is final. */
const finalAfter = (call: Underway, thrown: unknown): unknown => {
  if (!(call.passedOn && thrown instanceof ModelCallError)) return thrown
  return new ModelCallError({ ...thrown.failure, retryable: false }, thrown.attempt)
}

/** Parts that say nothing yet: they are held back until something does, so that an attempt may still fail unseen. */
const PRELUDE: ReadonlySet<unknown> = new Set(['stream-start', 'response-metadata', 'ping', 'raw'])

/** Passes the parts of one attempt on. An error part is not: the caller gets the typed failure. */
const passOn = (call: Underway, onPart: (part: unknown) => void): ((part: unknown) => void) => {
  const held: unknown[] = []
  return (part) => {
    const type = (part as { readonly type?: unknown } | null)?.type
    if (type === 'error') return
    if (!call.passedOn && PRELUDE.has(type)) return void held.push(part)
    call.passedOn = true
    for (const earlier of held.splice(0)) onPart(earlier)
    onPart(part)
  }
}

const perform = async (call: Underway, request: ModelRequest, io: ModelIo): ReturnType<ModelProvider['call']> => {
  const keep = (value: unknown): void => {
    call.result = value
  }
  const onRaw = call.onPart === undefined ? keep : passOn(call, call.onPart)
  try {
    return await callAiSdk({ model: call.model, request, io, clock: systemClock, provider: call.model.provider, options: call.params, onRaw }, call.onPart !== undefined)
  } catch (thrown) {
    throw finalAfter(call, thrown)
  }
}

const NOBODY = 'A call reached the middleware outside of a call of the AI SDK.'

/** The provider behind the middleware: it calls whatever model object the call at hand is about. */
const providerOf = (underway: AsyncLocalStorage<Underway>, id: string): ModelProvider => ({
  id,
  call: (request, io) => {
    const call = underway.getStore()
    return call === undefined ? fail('invalid_request', NOBODY) : perform(call, request, io)
  },
})

const textParts = (message: Extract<Message, { readonly role: 'assistant' }>): readonly object[] => [
  ...(message.content === '' ? [] : [{ type: 'text', text: typeof message.content === 'string' ? message.content : JSON.stringify(message.content) }]),
  ...(message.calls ?? []).map(({ id, name, args, raw }) => ({ type: 'tool-call', toolCallId: id, toolName: name, input: raw ?? JSON.stringify(args) })),
]

const REASONS = { stop: 'stop', tool_calls: 'tool-calls', length: 'length' } as const

const usageOf = (version: string, input: number, output: number): object =>
  version === 'v2'
    ? { inputTokens: input, outputTokens: output, totalTokens: input + output }
    : { inputTokens: { total: input, noCache: undefined, cacheRead: undefined, cacheWrite: undefined }, outputTokens: { total: output, text: undefined, reasoning: undefined } }

/** A result for an answer that no model object gave this time. */
const resultOf = ({ specificationVersion }: AiSdkModel, { message, finish }: Completion): object => {
  const reason = REASONS[finish]
  return { content: textParts(message), finishReason: specificationVersion === 'v2' ? reason : { unified: reason, raw: undefined }, usage: usageOf(specificationVersion, 0, 0), warnings: [] }
}

/** The same as the parts of a stream. */
const partsOf = (model: AiSdkModel, completion: Completion): readonly object[] => {
  const { content, finishReason, usage } = resultOf(model, completion) as { readonly content: readonly { readonly type: string; readonly text?: string }[]; readonly finishReason: unknown; readonly usage: unknown }
  const pieces = content.flatMap((part, index) =>
    part.type === 'text'
      ? [
          { type: 'text-start', id: String(index) },
          { type: 'text-delta', id: String(index), delta: part.text },
          { type: 'text-end', id: String(index) },
        ]
      : [part],
  )
  return [{ type: 'stream-start', warnings: [] }, ...pieces, { type: 'finish', finishReason, usage }]
}

const completionOf = async (run: RunHandle<Completion>): Promise<Completion> => {
  const outcome = await run.outcome()
  if (outcome.outcome === 'done') return outcome.output
  throw new FailureError('failure' in outcome ? outcome.failure : failure('defect', `Run ${run.id} of one call ended as ${outcome.outcome}.`))
}

/**
 * Makes a middleware for `wrapLanguageModel` of the AI SDK: retries, time limits, circuit breaker, limiter, cache, limits,
 * prices and the journal around every call of the wrapped model. Turn the SDK's own retries off with `maxRetries: 0`.
 * Calls reject with a FailureError that has a model code.
 *
 * @example const model = wrapLanguageModel({ model: anthropic('claude-sonnet-4-5'), middleware: aiSdkMiddleware({ journal }) })
 */
export const aiSdkMiddleware = ({ name = 'ai-sdk', limits, identify, retry, timeout, cache, breaker, limiter, ...runtime }: AiSdkMiddlewareOptions = {}): AiSdkMiddleware => {
  const underway = new AsyncLocalStorage<Underway>()
  const policies = defined({ retry, timeout, cache, breaker, limiter, limits })
  const ai = client({ ...runtime, models: {}, providers: (id) => providerOf(underway, id) })
  const start = (call: Underway): Promise<RunHandle<Completion>> => {
    const { model, params } = call
    // The run is filed under the model object's own name; the provider finds the object by the asynchronous context.
    const alias = `${model.provider.split('.')[0] ?? model.provider}/${model.modelId}` as const
    return underway.run(call, () => ai.complete({ model: alias, name, messages: messagesIn(params.prompt), ...requestIn(params), ...policies, ...identify?.() }))
  }
  const cancelWith = (run: RunHandle<Completion>, signal: AbortSignal | undefined): void => {
    const cancel = (): void => void run.cancel('the caller aborted').catch(() => undefined)
    if (signal?.aborted === true) cancel()
    else signal?.addEventListener('abort', cancel, { once: true })
  }
  const generate = async ({ model, params }: Wrapped): Promise<object> => {
    const call: Underway = { model, params, onPart: undefined, result: undefined, passedOn: false }
    const run = await start(call)
    cancelWith(run, params.abortSignal)
    const completion = await completionOf(run)
    return (call.result as object | undefined) ?? resultOf(model, completion)
  }
  const stream = async ({ model, params }: Wrapped): Promise<object> => {
    const parts = new TransformStream<unknown, unknown>(undefined, undefined, { highWaterMark: Infinity })
    const writer = parts.writable.getWriter()
    const began = Promise.withResolvers<void>()
    const onPart = (part: unknown): void => {
      began.resolve()
      void writer.write(part).catch(() => undefined)
    }
    const call: Underway = { model, params, onPart, result: undefined, passedOn: false }
    const run = await start(call)
    cancelWith(run, params.abortSignal)
    const ended = completionOf(run).then(
      (completion) => {
        if (!call.passedOn) partsOf(model, completion).forEach(onPart)
        return writer.close().catch(() => undefined)
      },
      async (error: unknown) => {
        if (!call.passedOn) return began.reject(error)
        await writer.write({ type: 'error', error }).catch(() => undefined)
        return writer.close().catch(() => undefined)
      },
    )
    ended.catch(() => undefined)
    await began.promise
    return { stream: parts.readable }
  }
  return {
    specificationVersion: 'v4',
    wrapGenerate: (options) => generate(options as Wrapped) as Promise<never>,
    wrapStream: (options) => stream(options as Wrapped) as Promise<never>,
    runtime: ai.runtime,
    [Symbol.asyncDispose]: () => ai.close(),
  }
}
