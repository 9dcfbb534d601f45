// The door for clients of OpenAI's chat completions: an agent or a model alias answers under the name that the client asks
// for. Invariant: a stream either ends with a finish reason for each choice and `[DONE]`, or with an error; never with silence.
// @see https://platform.openai.com/docs/api-reference/chat
import { fail } from '../../failure/index.ts'
import type { Usage } from '../../cost/index.ts'
import { readWireRequest, writeChunk, writeEnding, writeReply, writeTotal, type ModelReply, type WireRequest } from '../../model/index.ts'
import { defined } from '../../schema/index.ts'
import { addUsage } from '../chat/narrate.ts'
import type { ServerParts } from '../options.ts'
import type { ServerContext } from '../requests.ts'
import type { Asked } from './answerer.ts'
import { answering, bodyIn, replies, startRuns, streamed, type Report, type StreamWriter } from './door.ts'
import { wireError } from './error.ts'
import { oneSystemMessage } from './one-system-message.ts'
import { CHAT, refuseParameter, type Body } from './parameters.ts'

/** As many answers as OpenAI gives to one request. */
const MOST_ANSWERS = 128

const countOf = (n: unknown = 1): number => {
  if (typeof n === 'number' && Number.isInteger(n) && n >= 1 && n <= MOST_ANSWERS) return n
  return refuseParameter('n', `It must be a whole number from 1 to ${MOST_ANSWERS}.`)
}

const askedOf = ({ request, params, stream }: WireRequest, body: Body): Asked => {
  const { model, messages, tools, toolChoice, output } = request
  return { model, messages: oneSystemMessage(messages), request: defined({ tools, toolChoice, output, params }), count: countOf(body['n'] ?? 1), stream, body }
}

const totalOf = (all: readonly ModelReply[]): Usage | null => all.reduce<Usage | null>((sum, { usage }) => (sum === null || usage === null ? (sum ?? usage) : addUsage(sum, usage)), null)

/** Writes the runs as chunks: the role of each choice, its text as it comes, and how it ends. */
const chunks = ({ request: { model }, includeUsage }: WireRequest, id: string, count: number, created: number): StreamWriter => {
  const rested: ModelReply[] = []
  return {
    typed: false,
    begin: () => Array.from({ length: count }, (_none, at) => writeChunk(model, id, { role: 'assistant', content: '' }, null, created, at)),
    take: (told) => {
      if (told.type === 'text') return [writeChunk(model, id, { content: told.text }, null, created, told.at)]
      rested.push(told.reply)
      return writeEnding(told.reply, id, created, told.at)
    },
    end: () => [...(includeUsage ? [writeTotal(model, id, totalOf(rested), created)] : []), '[DONE]'],
    fail: (failed) => [wireError(failed).body],
  }
}

/** Answers `POST /v1/chat/completions`. */
export const chatCompletions = (parts: ServerParts, context: ServerContext, report: Report): Promise<Response> =>
  answering(parts, report, async (headersAre) => {
    const body = await bodyIn(parts, context)
    const wire = readWireRequest(body)
    if ('problem' in wire) return fail('invalid_request', wire.problem, { details: { param: wire.param } })
    const asked = askedOf(wire, body)
    const runs = await startRuns(parts, context, asked, CHAT)
    headersAre(runs.headers)
    const id = `chatcmpl-${runs.tellings[0]?.run}`
    const created = Math.floor(parts.clock.now() / 1000)
    if (wire.stream) return streamed(runs, chunks(wire, id, asked.count, created), parts, context, report)
    const all = await replies(runs, context)
    return Response.json(writeReply(all, totalOf(all), id, created), { headers: runs.headers })
  })
