// What answers when there is no API key: rules, not a language model. Like a careless model they write the total as text
// first, and correct it once they are shown what is wrong.
import { replyText, scripted, textOf, type Rule } from 'stateloop'

const rules: Rule = (request) => {
  const said = request.messages.map((message) => textOf(message.content)).join('\n')
  const vendor = /from ([A-Z][\w ]+?)[.,\n]/.exec(said)?.[1] ?? null
  const total = /total of ([\d.]+)/.exec(said)?.[1]
  if (vendor === null || total === undefined) return replyText('There is no invoice in this letter.')
  const isRepair = said.includes('did not match the required schema')
  return replyText(JSON.stringify({ vendor, total: isRepair ? Number(total) : total, dueDate: /\d{4}-\d{2}-\d{2}/.exec(said)?.[0] ?? null }))
}

export const offline = scripted({ id: 'openai', rules, price: { inputUsd: 0, outputUsd: 0 } })
