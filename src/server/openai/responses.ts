// The door for clients of OpenAI's responses: the same agents and model aliases as behind chat completions, in the words of
// the newer API. Invariant: a stream ends with a response that is complete or incomplete, or with an error; never with silence.
// @see https://platform.openai.com/docs/api-reference/responses
import { fail, type Failure, type Json } from '../../failure/index.ts'
import { nameResults, readResponsesRequest, responseEvents, writeResponse, type ResponseFrame, type ResponsesRequest } from '../../model/index.ts'
import type { Message } from '../../prompt/index.ts'
import { defined } from '../../schema/index.ts'
import type { ServerParts } from '../options.ts'
import type { ServerContext } from '../requests.ts'
import type { Asked } from './answerer.ts'
import { conversationOf } from './conversation.ts'
import { answering, bodyIn, replies, startRuns, streamed, type Report, type StreamWriter } from './door.ts'
import { wireError } from './error.ts'
import { oneSystemMessage } from './one-system-message.ts'
import { RESPONSES, type Body } from './parameters.ts'

/** Parameters that ask for what is not given here. */
const ignoredIn = (body: Body): readonly string[] => {
  const { reasoning, store, input, max_tool_calls: mostCalls = null } = body
  const items = (Array.isArray(input) ? input : []) as readonly { readonly [field: string]: Json }[]
  const thoughts = items.some((item) => item['type'] === 'reasoning')
  const phases = items.some((item) => (item['phase'] ?? null) !== null)
  const summary = typeof reasoning === 'object' && reasoning !== null && 'summary' in reasoning && reasoning['summary'] !== null
  return [...(summary ? ['reasoning.summary'] : []), ...(store === false ? ['store'] : []), ...(mostCalls === null ? [] : ['max_tool_calls']), ...(thoughts ? ['input.reasoning'] : []), ...(phases ? ['input.phase'] : [])]
}

const askedOf = (wire: ResponsesRequest, before: readonly Message[], body: Body): Asked => {
  const { model, messages, tools, toolChoice, output, params, instructions, stream } = wire
  return {
    model,
    messages: oneSystemMessage(nameResults([...before, ...messages])),
    ...(instructions === undefined ? {} : { instructions }),
    request: defined({ tools, toolChoice, output, params }),
    count: 1,
    stream,
    body,
    ignored: ignoredIn(body),
  }
}

/** Writes the run as the events of a response. */
const events = (frame: ResponseFrame, nowSeconds: () => number): StreamWriter => {
  const { begin, text, end, fail: broken } = responseEvents(frame)
  return {
    typed: true,
    begin,
    take: (told) => (told.type === 'text' ? text(told.text) : end(told.reply, nowSeconds())),
    end: () => [],
    fail: (failed: Failure) => broken(wireError(failed).body.error),
  }
}

/** Answers `POST /v1/responses`. */
export const responses = (parts: ServerParts, context: ServerContext, report: Report): Promise<Response> =>
  answering(parts, report, async (headersAre) => {
    const body = await bodyIn(parts, context)
    const wire = readResponsesRequest(body)
    if ('problem' in wire) return fail('invalid_request', wire.problem, { details: { param: wire.param } })
    const before = wire.previous === undefined || parts.chats.has(wire.model) ? [] : await conversationOf(parts, context, wire.previous)
    const runs = await startRuns(parts, context, askedOf(wire, before, body), RESPONSES)
    headersAre(runs.headers)
    const nowSeconds = (): number => Math.floor(parts.clock.now() / 1000)
    const frame: ResponseFrame = { id: runs.tellings[0]?.run ?? '', model: wire.model, created: nowSeconds(), body }
    if (wire.stream) return streamed(runs, events(frame, nowSeconds), parts, context, report)
    const [reply] = await replies(runs, context)
    if (reply === undefined) throw new TypeError('A request for a response was given none.')
    return Response.json(writeResponse(frame, reply, nowSeconds()), { headers: runs.headers })
  })
