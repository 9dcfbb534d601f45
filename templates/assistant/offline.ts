// What answers when there is no API key: rules, not a language model, so that tests run anywhere.
import { lastToolResults, lastUserText, replyCalls, replyText, scripted, textOf, type Rule } from 'stateloop'

const rules: Rule = (request) => {
  const question = lastUserText(request)
  const order = Number(/\d+/.exec(question)?.[0] ?? 0)
  const [result] = lastToolResults(request)
  if (result !== undefined) return replyText(result.failed === undefined ? `Here is what I found: ${textOf(result.content)}` : 'Nobody agreed to that, so I did nothing.')
  if (order === 0) return replyText('Which order is this about?')
  return replyCalls(/cancel/i.test(question) ? { name: 'cancelOrder', args: { order } } : { name: 'findOrder', args: { order } })
}

export const offline = scripted({ id: 'openai', rules, price: { inputUsd: 0, outputUsd: 0 } })
