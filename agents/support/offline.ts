// What answers when there is no API key: rules, not a language model. They sort by keywords, read the best page, and
// answer by quoting its best sentences with their source.
import { bestSentences, classifyByKeywords, documentsIn, lastToolResults, lastUserText, replyCalls, replyOutput, scripted, textOf, type ModelProvider, type ModelRequest, type Rule } from 'stateloop'

const LABELS = {
  ticket: ['ticket', 'human', 'person please', 'talk to', 'complain'],
  abuse: ['idiot', 'stupid', 'hate you'],
  howto: ['how', 'what', 'why', 'when', 'which', 'can', 'does'],
} as const

/** Sentences that an answer quotes. */
const QUOTES = 3

const asksFor = (request: ModelRequest, property: string): boolean => JSON.stringify(request.output?.schema ?? {}).includes(`"${property}"`)

const questionOf = (request: ModelRequest): string => {
  const text = lastUserText(request)
  return text.includes('Question: ') ? text.slice(text.lastIndexOf('Question: ') + 10) : text
}

const triage: Rule = (request) => (asksFor(request, 'intent') ? replyOutput({ intent: classifyByKeywords(questionOf(request), LABELS, 'howto') }) : undefined)

const callTools: Rule = (request) => {
  if (request.tools === undefined || lastToolResults(request).length > 0) return undefined
  const question = questionOf(request)
  if (classifyByKeywords(question, LABELS, 'howto') === 'ticket') return replyCalls({ name: 'fileTicket', args: { subject: question.slice(0, 300) } })
  const [best] = bestSentences(question, documentsIn(request.messages.map((message) => textOf(message.content)).join('\n')), 1)
  return best === undefined ? undefined : replyCalls({ name: 'readPage', args: { source: best.source } })
}

const ticketAnswer = (request: ModelRequest): string | undefined => {
  for (const { name, content, failed } of lastToolResults(request)) {
    if (name !== 'fileTicket') continue
    return failed === undefined ? `I filed ticket ${(JSON.parse(textOf(content)) as { ticket: number }).ticket}; a person will answer.` : 'The ticket was not filed, because a person decided against it.'
  }
  return undefined
}

const answer: Rule = (request) => {
  const ticket = ticketAnswer(request)
  if (ticket !== undefined) return replyOutput({ answer: ticket, sources: [] })
  const quotes = bestSentences(questionOf(request), documentsIn(request.messages.map((message) => textOf(message.content)).join('\n')), QUOTES)
  const text = quotes.map((quote) => quote.text).join(' ')
  return replyOutput({ answer: text === '' ? 'The documentation does not answer this.' : text, sources: [...new Set(quotes.map((quote) => quote.source))] })
}

/** The provider for trying the agent without a key. It stands in for `openai` and charges nothing. */
export const offline: ModelProvider = scripted({ id: 'openai', rules: [triage, callTools, answer], price: { inputUsd: 0, outputUsd: 0 } })
