// What answers when there is no API key: rules, not a language model. They quote the best sentences with their source.
import { bestSentences, documentsIn, lastUserText, replyOutput, scripted, textOf, type Rule } from 'stateloop'

const rules: Rule = (request) => {
  const documents = documentsIn(request.messages.map((message) => textOf(message.content)).join('\n'))
  const quotes = bestSentences(lastUserText(request), documents, 2)
  const text = quotes.map((quote) => quote.text).join(' ')
  return replyOutput({ answer: text === '' ? 'The documents do not answer this.' : text, sources: [...new Set(quotes.map((quote) => quote.source))] })
}

export const offline = scripted({ id: 'openai', rules, price: { inputUsd: 0, outputUsd: 0 } })
