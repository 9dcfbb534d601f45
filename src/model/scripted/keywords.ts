// A stand-in for a model that needs no network: it sorts questions by keywords and answers by quoting the best sentences
// of the documents in the prompt. Invariant: it says nothing that the prompt does not say, and names the source of each quote.
import type { Json } from '../../failure/index.ts'
import { textOf } from '../../prompt/index.ts'
import type { JsonSchema } from '../../schema/index.ts'
import type { ModelRequest } from '../provider.ts'
import { replyCalls, replyOutput, replyText, type ScriptedReply } from './reply.ts'
import { lastToolResults, lastUserText, offersTool } from './request.ts'
import type { Rule } from './scripted.ts'

/** A sentence and where it stands. */
export interface Quote {
  readonly text: string
  /** `source` of the document. */
  readonly source: string
  /** Higher is better; 0 shares no word with the question. */
  readonly score: number
}

/** A document in a prompt, as {@link documentsIn} reads it. */
export interface PromptDocument {
  readonly source: string
  readonly text: string
}

const STOP_WORDS: ReadonlySet<string> = new Set(
  'a about all am an and any are as at be been but by can could did do does for from had has have how i if in into is it its me my no not of on or our so tell that the their them then there these they this to was we were what when where which who why will with would you your'.split(
    ' ',
  ),
)

/** Two words are one when they agree in their first letters: run and running, retry and retries. */
const stem = (word: string): string => (word.length > 5 ? word.slice(0, Math.max(5, word.length - 3)) : word.replace(/(?<=...)s$/, ''))

const wordsOf = (text: string): readonly string[] => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP_WORDS.has(word)).map(stem)

/**
 * The label whose keywords occur most often in a text; the first of the best ones, `otherwise` when none occurs.
 * @example classifyByKeywords('My order never came', { order: ['order', 'delivery'], howto: ['how', 'install'] }, 'howto') // 'order'
 */
export const classifyByKeywords = <L extends string>(text: string, labels: { readonly [label in L]: readonly string[] }, otherwise: NoInfer<L>): L => {
  const lower = ` ${text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, ' ')} `
  const hits = (keywords: readonly string[]): number => keywords.filter((keyword) => lower.includes(` ${keyword.toLowerCase()}`)).length
  const scored = (Object.entries(labels) as [L, readonly string[]][]).map(([label, keywords]) => ({ label, score: hits(keywords) }))
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { label: otherwise, score: 0 })
  return best.label
}

const DOCUMENT = /<document source="([^"]*)">\n?([^]*?)<\/document>/g

/** Documents that a prompt holds as `<document source="docs/limits.md">…</document>`. */
export const documentsIn = (text: string): readonly PromptDocument[] => [...text.matchAll(DOCUMENT)].map(([, source = '', body = '']) => ({ source, text: body }))

/** Prose only: code, headings and tables make poor quotes. */
const sentencesOf = (text: string): readonly string[] =>
  text
    .replaceAll(/```[^]*?(```|$)/g, '\n\n')
    .split(/\n\s*\n|\n(?=[#|*-])/)
    .filter((block) => !/^\s*[#|]/.test(block))
    .flatMap((block) =>
      block
        .replaceAll(/\s+/g, ' ')
        .replace(/^[*-] /, '')
        .split(/(?<=[.!?])\s+(?=\p{Lu})/u),
    )
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.length >= 20)

/** The sentences that share most with a question, rare words counting more; best first, at most `count`. */
export const bestSentences = (question: string, documents: readonly PromptDocument[], count: number): readonly Quote[] => {
  const sentences = documents.flatMap(({ source, text }) => sentencesOf(text).map((sentence) => ({ source, text: sentence, words: new Set(wordsOf(sentence)) })))
  const asked = [...new Set(wordsOf(question))]
  const weight = new Map(asked.map((word) => [word, Math.log(1 + sentences.length / (1 + sentences.filter(({ words }) => words.has(word)).length))]))
  return sentences
    .map(({ source, text, words }) => ({
      source,
      text,
      score: asked.reduce((sum, word) => sum + (words.has(word) ? (weight.get(word) ?? 0) : 0), 0) / Math.sqrt(8 + words.size),
    }))
    .filter((quote, at, all) => quote.score > 0 && all.findIndex(({ text }) => text === quote.text) === at)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, count)
}

/** Options of {@link keywordRules}. */
export interface KeywordRulesOptions {
  /** Keywords by label, for outputs with an enum of these labels. Default: it does not classify. */
  readonly labels?: { readonly [label: string]: readonly string[] }
  /** The label when no keyword occurs. Required with `labels`. */
  readonly otherwise?: string
  /** Tools that are called once when the user asks for them in these words. Default: none. */
  readonly tools?: { readonly [name: string]: { readonly when: readonly string[]; readonly args: (question: string) => Json } }
  /** Finds the question in a request. Default: the last user message. */
  readonly question?: (request: ModelRequest) => string
  /** Makes the answer. Default: the quotes with their sources as text. */
  readonly answer?: (found: { readonly question: string; readonly quotes: readonly Quote[]; readonly request: ModelRequest }) => ScriptedReply
  /** Sentences to quote. Default 3. */
  readonly quotes?: number
}

/** The first property of an object schema that is an enum of known labels. */
const labelField = (schema: JsonSchema, labels: ReadonlySet<string>): string | undefined => {
  const properties = Object.entries((schema['properties'] ?? {}) as { readonly [name: string]: JsonSchema })
  return properties.find(([, property]) => {
    const values = property['enum']
    return Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string' && labels.has(value))
  })?.[0]
}

const quoteText = (quotes: readonly Quote[]): string => (quotes.length === 0 ? 'Nothing in the documents answers this.' : quotes.map(({ text, source }) => `${text} (${source})`).join('\n'))

const askedFor = (question: string, phrases: readonly string[]): boolean => phrases.some((phrase) => question.toLowerCase().includes(phrase.toLowerCase()))

/**
 * A rule for a whole small agent: it classifies where the output schema asks for one of `labels`, calls a tool where the
 * user asks for one, and otherwise answers by quoting the documents in the prompt.
 * @example scripted({ rules: keywordRules({ labels: { howto: ['how'], order: ['order'] }, otherwise: 'howto' }) })
 */
export const keywordRules = (options: KeywordRulesOptions): Rule => {
  const { labels = {}, otherwise = '', tools = {}, question: questionOf = lastUserText, quotes: count = 3, answer = ({ quotes }) => replyText(quoteText(quotes)) } = options
  const names = new Set(Object.keys(labels))
  return (request) => {
    const question = questionOf(request)
    const field = request.output && labelField(request.output.schema, names)
    if (field !== undefined) return replyOutput({ [field]: classifyByKeywords(question, labels, otherwise) })
    const called = lastToolResults(request).length > 0
    const tool = called ? undefined : Object.entries(tools).find(([name, { when }]) => offersTool(request, name) && askedFor(question, when))
    if (tool !== undefined) return replyCalls({ name: tool[0], args: tool[1].args(question) })
    const documents = documentsIn(request.messages.map((message) => textOf(message.content)).join('\n'))
    return answer({ question, quotes: bestSentences(question, documents, count), request })
  }
}
