// Any model object of the Vercel AI SDK as a provider, so that its providers work under our policies. Invariant: one call is
// one call of the model object; what comes back is a complete reply or a typed failure.
import { systemClock, type Clock } from '../../clock/index.ts'
import { fail } from '../../failure/index.ts'
import { ModelCallError } from '../call-error.ts'
import { attempt, type Control } from '../openai/attempt.ts'
import { timedOut } from '../openai/exchange.ts'
import { asFields } from '../openai/fields.ts'
import { reporter, scrubber, type Reporter } from '../openai/report.ts'
import { loadBlobs } from '../openai/request.ts'
import type { ModelIo, ModelProvider, ModelReply, ModelRequest } from '../provider.ts'
import { toCallOptions } from './call-options.ts'
import { faultOf } from './fault.ts'
import { readResult } from './reply.ts'
import type { AiSdkModel, AiSdkProvider } from './shapes.ts'
import { readParts } from './stream.ts'

/** Options of `aiSdk()`. */
export interface AiSdkOptions {
  /** The prefix in `provider/model`. Default: the model's own, up to the first dot; needed for a provider object. */
  readonly id?: string
  /** Time. Default: the system's. */
  readonly clock?: Clock
}

/** How one attempt calls a model object. */
export interface AiSdkCall {
  readonly model: AiSdkModel
  readonly request: ModelRequest
  readonly io: ModelIo
  readonly clock: Clock
  readonly provider: string
  /** Options to use instead of those written from the request; the signal is added. */
  readonly options?: object
  /** Gets the result of `doGenerate`, or each part of a stream, as it came. */
  readonly onRaw?: (value: unknown) => void
}

/** The SDK's promise functions reject their own way when aborted; the reason is what counts. */
const reasonOr = (io: ModelIo, thrown: unknown): unknown => (io.signal.aborted ? io.signal.reason : thrown)

const exchange = async ({ model, request, io, clock, options, onRaw }: AiSdkCall, report: Reporter, control: Control, streams: boolean): Promise<ModelReply> => {
  let streaming = false
  try {
    const written = options ?? toCallOptions(model, request, await loadBlobs(request.messages, io.blob), control.signal)
    const call = { ...written, abortSignal: control.signal } as never
    control.begin()
    if (!streams) {
      const result = await model.doGenerate(call)
      onRaw?.(result)
      return readResult(report, request.model, result)
    }
    const stream = asFields(await model.doStream(call))?.['stream'] as AsyncIterable<unknown> | undefined
    if (stream === undefined) throw report.malformed('the model object gave no stream.')
    streaming = true
    return await readParts(report, clock, request.model, stream, { control, onDelta: io.onDelta, onPart: onRaw })
  } catch (thrown) {
    if (thrown instanceof ModelCallError || control.signal.aborted) throw reasonOr(io, thrown)
    throw faultOf(report, clock, thrown, streaming)
  }
}

/** Performs one attempt on a model object. @throws ModelCallError with a model code; the caller's abort reason. */
export const callAiSdk = (call: AiSdkCall, streams = call.io.onDelta !== undefined): Promise<ModelReply> => {
  const report = reporter(
    { provider: call.provider, model: call.request.model, host: call.model.provider },
    scrubber(() => []),
  )
  return attempt(
    call.io,
    call.clock,
    (phase, limitMs) => timedOut(report, phase, limitMs),
    (control) => exchange(call, report, control, streams),
  )
}

const isModel = (source: AiSdkModel | AiSdkProvider | ((modelId: string) => AiSdkModel)): source is AiSdkModel => 'doGenerate' in source

const prefixOf = ({ provider }: AiSdkModel): string => provider.split('.')[0] ?? provider

/**
 * Makes a provider of a model object, of a provider object, or of a function from names to model objects.
 *
 * @example createRuntime({ providers: [aiSdk(anthropic, { id: 'anthropic' })] })
 * @throws FailureError `usage` for a provider object without an id.
 */
export const aiSdk = (source: AiSdkModel | AiSdkProvider | ((modelId: string) => AiSdkModel), { id, clock = systemClock }: AiSdkOptions = {}): ModelProvider => {
  const modelOf = (name: string): AiSdkModel => {
    if (isModel(source)) return source
    return typeof source === 'function' && !('languageModel' in source) ? source(name) : (source as AiSdkProvider).languageModel(name)
  }
  const provider = id ?? (isModel(source) ? prefixOf(source) : fail('usage', 'aiSdk() needs an id for a provider object: aiSdk(anthropic, { id: "anthropic" }). Models are then named "anthropic/…".'))
  return {
    id: provider,
    call: async (request, io) => {
      let model: AiSdkModel
      try {
        model = modelOf(request.model)
      } catch (thrown) {
        throw faultOf(
          reporter(
            { provider, model: request.model, host: provider },
            scrubber(() => []),
          ),
          clock,
          thrown,
          false,
        )
      }
      return callAiSdk({ model, request, io, clock, provider })
    },
  }
}
