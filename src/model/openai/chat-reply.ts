// A chat completion that came as one JSON document. Invariant: a document becomes a reply only if it holds a choice that
// says why it ended.
import type { ModelReply } from '../provider.ts'
import { readMessage, readReason, ShapeProblem } from './chat-message.ts'
import { embeddedError, oneLine } from './error-body.ts'
import { asFields, field, list, name, type Fields } from './fields.ts'
import type { Reporter } from './report.ts'
import { readFinish, toReply } from './turn.ts'
import { readUsage } from './usage.ts'

/** With `n > 1` the first choice counts. */
const firstChoice = (body: Fields): Fields | undefined => {
  const choices = list(body, 'choices').map(asFields)
  return choices.find((choice) => choice?.['index'] === 0) ?? choices[0]
}

/**
 * Reads a chat completion.
 * @param body the parsed document.
 * @param asked the model of the request, for servers that do not name theirs.
 * @throws ModelCallError with the usage, where the document states one.
 */
export const readChatReply = (body: unknown, asked: string, report: Reporter): ModelReply => {
  const reply = asFields(body)
  if (reply === undefined) throw report.malformed('the reply is JSON, but not an object.')
  const usage = readUsage(field(reply, 'usage'))
  const model = name(reply, 'model') ?? asked
  const known = { usage, model }
  const choice = firstChoice(reply)
  // Gateways answer 200 with an error, or report a failure of the provider behind them inside the choice.
  const error = embeddedError(reply) ?? (choice && embeddedError(choice))
  if (error !== undefined) throw report.embedded(error, known)
  if (choice === undefined) {
    if (!Array.isArray(reply['choices'])) throw report.malformed('the reply has no list of choices, so it is not a chat completion.', known)
    if (reply['choices'].length > 0) throw report.malformed('a choice of the reply is not an object.', known)
    throw report.error({ code: 'empty_response' }, 'the reply has no choices.', { attempt: known })
  }
  try {
    const reason = readReason(choice)
    if (reason === undefined) throw report.malformed('the reply does not say why it ended (no finish_reason).', known)
    const finish = readFinish(reason)
    if (typeof finish !== 'string') throw report.error(finish, `the reply ended with finish_reason "${reason}".`, { attempt: known, details: { finishReason: oneLine(reason) } })
    const message = field(choice, 'message')
    // A content filter may remove the message altogether.
    if (message === undefined && finish !== 'content_filter') throw report.malformed('the choice holds no message.', known)
    return toReply({ ...readMessage(message ?? {}), finish, ...known }, report)
  } catch (problem) {
    if (problem instanceof ShapeProblem) throw report.malformed(`${problem.message}.`, known)
    throw problem
  }
}
