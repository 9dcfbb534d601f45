// The door for clients of OpenAI's chat completions: an agent or a model alias answers under the name that the client asks
// for. Invariant: a stream either ends with a finish reason and `[DONE]`, or with an error; never with silence.
// @see https://platform.openai.com/docs/api-reference/chat
import type { AnyAgent } from '../../agent/index.ts'
import { fail, failure, type Failure, type Json } from '../../failure/index.ts'
import type { EntryBody } from '../../journal/index.ts'
import { readWireRequest, writeChunk, writeEnding, writeReply, type ModelReply, type WireRequest } from '../../model/index.ts'
import { textOf, type Message } from '../../prompt/index.ts'
import type { RunOutcome } from '../../run/index.ts'
import { readJson } from '../body.ts'
import type { ServerParts } from '../options.ts'
import type { ServerContext } from '../requests.ts'
import { optionsOf, startRun } from '../routes/runs.ts'
import { EVENT_STREAM_HEADERS, pulledBody } from '../sse.ts'
import { chatOf, type ChatAgent } from './chat-agent.ts'
import { isAskedCalls } from './model-alias.ts'
import { narrate, type Narration, type Piece } from './narrate.ts'
import { errorResponse, failureFor, wireError } from './openai-error.ts'

/** Who answers a request, and how its run is read. */
interface Answerer {
  readonly agent: AnyAgent
  readonly input: unknown
  /** What is said of the output. */
  readonly say: (output: unknown) => Pick<ModelReply['message'], 'content' | 'calls'>
  readonly tokens: (state: string) => boolean
}

/** Fields that the wire's own reader understands; all others go to the provider as they are. */
const READ: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'stop',
  'reasoning_effort',
  'tools',
  'user',
  'store',
  'metadata',
  'n',
])

/** Providers take one message of instructions: those of the client become one. */
const oneSystemMessage = (messages: readonly Message[]): readonly Message[] => {
  const system = messages.filter(({ role }) => role === 'system')
  if (system.length < 2) return messages
  return [{ role: 'system', content: system.map(({ content }) => textOf(content)).join('\n\n') }, ...messages.filter(({ role }) => role !== 'system')]
}

const aliasAnswerer = ({ aliases }: ServerParts, { request }: WireRequest, body: { readonly [field: string]: Json }): Answerer => {
  const extras = Object.fromEntries(Object.entries(body).filter(([field, value]) => !READ.has(field) && value !== null))
  const asksTokens = body['max_tokens'] !== undefined || body['max_completion_tokens'] !== undefined
  const { maxOutputTokens, ...params } = request.params
  return {
    agent: aliases.of(request.model, { params: { ...params, ...(asksTokens ? { maxOutputTokens } : {}) }, tools: request.tools ?? [], extras }),
    input: { messages: oneSystemMessage(request.messages) },
    say: (output) => (isAskedCalls(output) ? { content: output.content, calls: output.calls } : { content: String(output) }),
    tokens: () => true,
  }
}

const chatAnswerer = ({ agent, input, output, tokens }: ChatAgent, { request }: WireRequest): Answerer => ({
  agent,
  input: input(chatOf(request.messages)),
  say: (result) => ({ content: output(result as never) }),
  tokens: (state) => tokens.includes(state),
})

const answererOf = (parts: ServerParts, wire: WireRequest, body: { readonly [field: string]: Json }): Answerer => {
  const name = wire.request.model
  if (typeof body['n'] === 'number' && body['n'] !== 1) fail('invalid_request', `n is ${body['n']}, but one run gives one answer. Send a request for each.`)
  if (parts.aliases.has(name)) return aliasAnswerer(parts, wire, body)
  const chat = parts.chats.get(name)
  if (chat !== undefined) return chatAnswerer(chat, wire)
  return fail('model_not_found', `There is no model ${JSON.stringify(name.slice(0, 100))} here. There are: ${[...parts.aliases.names, ...parts.chats.keys()].join(', ') || 'none'}.`)
}

/** What a model said before its reply was rejected: a truncated one is worth telling. */
const rejectedText = async ({ runtime }: ServerParts, { run }: RunOutcome): Promise<string> => {
  const row = await runtime.get(run)
  const entries = row === undefined ? [] : await runtime.journal.read(run, Math.max(0, row.seq - 1))
  const causes = entries.map((entry) => (JSON.parse(entry.text) as EntryBody).cause)
  const rejected = causes.findLast((cause) => cause.type === 'attempt' && !cause.outcome.ok)
  return rejected?.type === 'attempt' && !rejected.outcome.ok && rejected.outcome.reply !== undefined ? textOf(rejected.outcome.reply.content) : ''
}

const FINISH: { readonly [code: string]: ModelReply['finish'] } = { truncated: 'length', content_filtered: 'content_filter', refused: 'stop' }

/** A rested run as a model's reply. @throws FailureError what the run failed with, where no finish reason says it. */
const replyOf = async (parts: ServerParts, { say }: Answerer, model: string, outcome: RunOutcome): Promise<ModelReply> => {
  const usage = { inputTokens: outcome.inputTokens, outputTokens: outcome.outputTokens }
  const reply = (message: Omit<ModelReply['message'], 'role'>, finish: ModelReply['finish'], refusal?: string): ModelReply => ({
    message: { role: 'assistant', ...message },
    finish,
    usage,
    model,
    ...(refusal === undefined ? {} : { refusal }),
  })
  if (outcome.outcome === 'done') {
    const said = say(outcome.output)
    return reply(said, said.calls === undefined || said.calls.length === 0 ? 'stop' : 'tool_calls')
  }
  if (outcome.outcome === 'waiting')
    return fail('event_not_accepted', `Run ${outcome.run} waits for a person. GET /v1/runs/${outcome.run} says for what; this protocol has no words for it.`, { details: { run: outcome.run } })
  const { failure: failed } = outcome
  const finish = FINISH[failed.code]
  if (finish === undefined) return fail(failed.code, failed.message, { retryable: failed.retryable, ...(failed.details === undefined ? {} : { details: failed.details }) })
  if (failed.code === 'refused') return reply({ content: '' }, finish, typeof failed.details?.['refusal'] === 'string' ? failed.details['refusal'] : failed.message)
  return reply({ content: await rejectedText(parts, outcome) }, finish)
}

/** Reads a narration to the text it has so far, and its end. */
const toEnd = async (narration: Narration): Promise<Extract<Piece, { readonly type: 'waiting' | 'ended' }>> => {
  for (;;) {
    const piece = await narration.next()
    if (piece === undefined) return fail('draining', 'The client left before the run rested.')
    if (piece.type === 'waiting' || piece.type === 'ended') return piece
  }
}

interface Exchange {
  readonly parts: ServerParts
  readonly wire: WireRequest
  readonly answerer: Answerer
  readonly run: string
  readonly narration: Narration
  readonly report: (error: unknown) => string
}

const rested = async ({ parts, run, answerer, wire }: Exchange, piece: Extract<Piece, { readonly type: 'waiting' | 'ended' }>): Promise<ModelReply> =>
  replyOf(parts, answerer, wire.request.model, piece.type === 'ended' ? piece.outcome : await parts.runtime.outcome(run))

const encoder = new TextEncoder()
const line = (data: object | string): Uint8Array => encoder.encode(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)

/** The pieces of a stream, from the first thing that is said. */
const streamOf = (exchange: Exchange, created: number): { readonly begin: () => Promise<void>; readonly next: () => Promise<Uint8Array | undefined> } => {
  const { wire, run, narration, report } = exchange
  const id = `chatcmpl-${run}`
  const queue: Uint8Array[] = [line(writeChunk(wire.request.model, id, { role: 'assistant', content: '' }, null, created))]
  /** Text of the last call that was heard. */
  let heard = { key: '', text: '' }
  let over = false
  const say = (text: string): void => void (text === '' || queue.push(line(writeChunk(wire.request.model, id, { content: text }, null, created))))
  const take = async (piece: Piece): Promise<void> => {
    if (piece.type === 'idle') queue.push(encoder.encode(':\n\n'))
    if (piece.type === 'text') {
      heard = { key: piece.key, text: (piece.key === heard.key ? heard.text : '') + piece.text }
      say(piece.text)
    }
    if (piece.type === 'discarded' && piece.key === heard.key) fail('stream_truncated', 'The model broke off in the middle of its answer, so what was said so far does not count. Ask again.', { retryable: true })
    if (piece.type !== 'waiting' && piece.type !== 'ended') return
    over = true
    const reply = await rested(exchange, piece)
    const said = textOf(reply.message.content)
    if (said !== heard.text) say(heard.text === '' ? said : said.startsWith(heard.text) ? said.slice(heard.text.length) : `\n\n${said}`)
    for (const chunk of writeEnding(reply, id, wire.includeUsage, created)) queue.push(line(chunk))
    queue.push(line('[DONE]'))
  }
  return {
    // What fails before anything is said is answered with a status, so the stream opens with the first thing to say.
    begin: async () => {
      while (queue.length === 1 && !over) {
        const piece = await narration.next()
        if (piece === undefined) return
        await take(piece)
      }
    },
    next: async () => {
      try {
        while (queue.length === 0 && !over) {
          const piece = await narration.next()
          if (piece === undefined) return undefined
          await take(piece)
        }
      } catch (error) {
        over = true
        queue.push(line(wireError(failureFor(error, report)).body))
      }
      return queue.shift()
    },
  }
}

/** Ends a run that nobody listens to any more. */
const abandonRun = ({ parts, run }: Exchange): void => void parts.runtime.cancel(run, 'the client went away').catch(() => {})

const streamed = async (exchange: Exchange, context: ServerContext, headers: { readonly [name: string]: string }): Promise<Response> => {
  const { parts, narration } = exchange
  const { clock, limits, streams } = parts
  const { begin, next } = streamOf(exchange, Math.floor(clock.now() / 1000))
  const release = streams.take()
  await begin().catch((error: unknown) => {
    release()
    narration.close()
    throw error
  })
  let ended = false
  const body = pulledBody(
    async () => {
      const piece = await next()
      ended ||= piece === undefined
      return piece
    },
    {
      clock,
      stalledMs: limits.stalledMs,
      abandon: context.env?.abandon,
      onClose: () => {
        release()
        narration.close()
        if (!ended) abandonRun(exchange)
      },
    },
  )
  return new Response(body, { headers: { ...EVENT_STREAM_HEADERS, ...headers } })
}

const complete = async (exchange: Exchange, context: ServerContext, headers: { readonly [name: string]: string }): Promise<Response> => {
  const { parts, run, narration } = exchange
  const { signal } = context.req.raw
  const leave = (): void => {
    narration.close()
    abandonRun(exchange)
  }
  signal.addEventListener('abort', leave, { once: true })
  try {
    const reply = await rested(exchange, await toEnd(narration))
    return Response.json(writeReply(reply, `chatcmpl-${run}`, Math.floor(parts.clock.now() / 1000)), { headers })
  } finally {
    signal.removeEventListener('abort', leave)
    narration.close()
  }
}

/** Answers `POST /v1/chat/completions`. @param report reports a defect and gives the id it is reported under. */
export const chatCompletions = async (parts: ServerParts, context: ServerContext, report: (error: unknown) => string): Promise<Response> => {
  let headers: { readonly [name: string]: string } = {}
  try {
    const body = (await readJson(context.req.raw, parts.limits.bodyBytes)) as { readonly [field: string]: Json }
    const wire = readWireRequest(body)
    if (typeof wire === 'string') return errorResponse(failure('invalid_request', wire))
    const answerer = answererOf(parts, wire, body)
    const user = typeof body['user'] === 'string' ? { user: body['user'].slice(0, 256) } : {}
    const handle = await startRun(parts, answerer.agent, answerer.input, { ...user, ...optionsOf(context), stream: true })
    headers = { 'x-stateloop-run': handle.id, 'x-request-id': handle.id }
    const narration = await narrate(parts, handle.id, answerer.agent, answerer.tokens)
    const exchange: Exchange = { parts, wire, answerer, run: handle.id, narration, report }
    return wire.stream ? await streamed(exchange, context, headers) : await complete(exchange, context, headers)
  } catch (error) {
    const failed: Failure = failureFor(error, report)
    return errorResponse(failed, headers)
  }
}
