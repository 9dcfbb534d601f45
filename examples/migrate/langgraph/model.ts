// What stands in for the model in this folder: rules that read a request and answer as a model would. Both programs ask
// it over the same wire.
import { classifyByKeywords, lastToolResults, lastUserText, replyCalls, replyOutput, replyText, textOf, type ModelRequest, type ScriptedReply } from 'stateloop'

/** Answers one request. */
export const deskRules = (request: ModelRequest): ScriptedReply => {
  const asked = lastUserText(request)
  if (request.output !== undefined) return replyOutput({ topic: classifyByKeywords(asked, { order: ['order', 'refund'], howto: ['clean', 'descale'], other: [] }, 'other') })
  const everything = request.messages.map(({ content }) => textOf(content)).join('\n')
  const order = Number([...everything.matchAll(/order (\d+)/g)].at(-1)?.[1] ?? 0)
  const [result] = lastToolResults(request)
  if (result !== undefined) {
    const said = textOf(result.content)
    const { priceUsd } = said.startsWith('{"order"') ? (JSON.parse(said) as { readonly priceUsd: number }) : {}
    if (priceUsd !== undefined) return replyCalls({ name: 'refund', args: { order, amountUsd: priceUsd } })
    return replyText(said.includes('denied') ? 'A person decided against the refund.' : said)
  }
  if (asked.startsWith('Refund')) return replyCalls({ name: 'lookupOrder', args: { order } })
  if (asked.startsWith('Which order')) return replyText(`We spoke about order ${order}.`)
  return replyText(/(?:Descale|Clean) the .*/.exec(everything)?.[0] ?? 'I do not know.')
}

/** The same answer, broken off in the middle as at a token limit. */
export const cutOff = (reply: ScriptedReply): ScriptedReply => {
  if ('failure' in reply) return reply
  const half = (text: string): string => text.slice(0, Math.ceil(text.length / 2))
  const { text, calls, ...rest } = reply
  return {
    ...rest,
    finish: 'length',
    ...(text === undefined ? {} : { text: half(text) }),
    ...(calls === undefined ? {} : { calls: calls.map(({ args, ...call }) => ({ ...call, args: null, raw: half(JSON.stringify(args)) })) }),
  }
}
