// The calls of the OpenAI provider, loaded with the first of them. Invariant: one call is one request; what comes back is a
// complete reply or a typed failure.
import { systemClock } from '../../clock/index.ts'
import type { ModelIo, ModelProvider, ModelReply, ModelRequest } from '../provider.ts'
import { attempt, type Control } from './attempt.ts'
import { MAX_REPLY_BYTES } from './body.ts'
import { readChatReply } from './chat-reply.ts'
import { chatRequest } from './chat-request.ts'
import { chatStream, type StreamReader } from './chat-stream.ts'
import { readEmbeddings } from './embeddings.ts'
import { open, readJson, readStream, timedOut, type Call } from './exchange.ts'
import { currentKey, type Endpoint, type OpenAiOptions } from './options.ts'
import { reporter, scrubber, type Reporter } from './report.ts'
import { loadBlobs, RequestProblem, withOptions, type Body } from './request.ts'
import { readResponse } from './responses-reply.ts'
import { responsesRequest } from './responses-request.ts'
import { responsesStream } from './responses-stream.ts'
import { openSdk, type Send } from './sdk.ts'
import { customTransport, undiciTransport, type Transport } from './transport.ts'

/** How one wire writes requests and reads replies. */
interface Wire {
  readonly write: (request: ModelRequest, stream: boolean) => Body
  readonly read: (body: unknown, asked: string, report: Reporter) => ModelReply
  readonly stream: (asked: string, report: Reporter) => StreamReader
}

const wireOf = (options: OpenAiOptions, official: boolean): Wire => {
  const { systemRole = 'system', doneMarker = 'required', maxTokensField = official ? 'max_completion_tokens' : 'max_tokens' } = options
  return options.wire === 'responses'
    ? { write: (request, stream) => responsesRequest(request, systemRole, stream), read: readResponse, stream: responsesStream }
    : {
        write: (request, stream) => chatRequest(request, { systemRole, maxTokensField }, stream),
        read: readChatReply,
        stream: (asked, report) => chatStream(asked, report, doneMarker),
      }
}

/** What is loaded on the first call and kept. */
interface Loaded {
  readonly transport: Transport
  readonly sendWith: (key: string) => Send
}

/** Makes them. @param secrets keys that are in use; a new one is added. Calls throw ModelCallError with a model code. */
export const callsOf = (options: OpenAiOptions, endpoint: Endpoint, secrets: string[]): Required<Pick<ModelProvider, 'call' | 'embed'>> => {
  const { id = 'openai', clock = systemClock, maxReplyBytes = MAX_REPLY_BYTES, maxConnections = 1_000 } = options
  const wire = wireOf(options, endpoint.official)
  const resource = options.wire ?? 'chat'
  const scrub = scrubber(() => secrets)

  const load = async (): Promise<Loaded> => {
    const transport = options.fetch === undefined ? await undiciTransport(maxConnections) : customTransport(options.fetch)
    return { transport, sendWith: await openSdk(options, endpoint, transport) }
  }
  let loading: Promise<Loaded> | undefined
  const forget = (error: unknown): never => {
    loading = undefined
    throw error
  }

  const prepare = async (report: Reporter, io: ModelIo): Promise<Call> => {
    const { transport, sendWith } = await (loading ??= load().catch(forget))
    const current = await currentKey(options, endpoint)
    if ('problem' in current) throw report.error({ code: 'auth_failed' }, current.problem)
    // The last keys are remembered: a reply may echo one that was replaced while it was under way.
    if (!secrets.includes(current.key)) secrets.splice(0, secrets.length, ...secrets.slice(-3), current.key)
    return { io, clock, report, transport, send: sendWith(current.key), maxReplyBytes }
  }

  /** Runs one exchange under the watchdogs. */
  const exchange = <T>(model: string, io: ModelIo, run: (call: Call, control: Control, watch: (reader: StreamReader) => void) => Promise<T>): Promise<T> => {
    const report = reporter({ provider: id, model, host: endpoint.host }, scrub)
    let reader: StreamReader | undefined
    return attempt(
      io,
      clock,
      (phase, limitMs) => timedOut(report, phase, limitMs, reader?.known()),
      async (control) => {
        try {
          return await run(await prepare(report, io), control, (watched) => void (reader = watched))
        } catch (error) {
          if (error instanceof RequestProblem) throw report.error({ code: 'invalid_request' }, error.message)
          throw error
        }
      },
    )
  }

  return {
    call: (request, io) =>
      exchange(request.model, io, async (call, control, watch) => {
        const streaming = io.onDelta !== undefined
        const body = wire.write({ ...request, messages: await loadBlobs(request.messages, io.blob) }, streaming)
        const response = await open(call, resource, body, control)
        const asJson = (parsed: unknown): ModelReply => wire.read(parsed, request.model, call.report)
        if (!streaming) return asJson(await readJson(call, response))
        const reader = wire.stream(request.model, call.report)
        watch(reader)
        return readStream(call, response, reader, control, asJson)
      }),
    embed: ({ model, texts, providerOptions }, io) =>
      exchange(model, io, async (call, control) => {
        const response = await open(call, 'embeddings', withOptions({ model, input: texts, encoding_format: endpoint.official ? 'base64' : 'float' }, providerOptions), control)
        return readEmbeddings(await readJson(call, response), texts.length, call.report)
      }),
  }
}
