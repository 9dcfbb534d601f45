// Orders documents by the words they share with a query, rare words counting more, as BM25 does.
// @see https://en.wikipedia.org/wiki/Okapi_BM25
import { defineReranker } from './define.ts'
import type { Document, Reranker } from './tool.ts'

/** How fast repeated words stop counting. */
const SATURATION = 1.2
/** How much long documents are held back. */
const LENGTH_WEIGHT = 0.75

const wordsOf = (text: string): readonly string[] => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => (word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/, '') : word))

const countsOf = (words: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

const scores = (query: string, documents: readonly Document[]): readonly number[] => {
  const bags = documents.map(({ title = '', text }) => wordsOf(`${title} ${text}`))
  const counts = bags.map(countsOf)
  const mean = bags.reduce((sum, bag) => sum + bag.length, 0) / Math.max(1, bags.length)
  const asked = [...new Set(wordsOf(query))]
  return counts.map((bag, at) => {
    const length = 1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * (bags[at]?.length ?? 0)) / Math.max(1, mean)
    return asked.reduce((sum, word) => {
      const times = bag.get(word) ?? 0
      const holders = counts.filter((other) => other.has(word)).length
      return times === 0 ? sum : sum + (Math.log(1 + (documents.length - holders + 0.5) / (holders + 0.5)) * times * (SATURATION + 1)) / (times + SATURATION * length)
    }, 0)
  })
}

/** A reranker that needs no model. Ties keep the order that came in. */
export const lexicalReranker = (): Reranker =>
  defineReranker({
    rank: ({ query, documents, k }) => {
      const scored = scores(query, documents)
      return documents
        .map((document, at) => ({ ...document, score: Math.round((scored[at] ?? 0) * 1000) / 1000 }))
        .toSorted((a, b) => b.score - a.score)
        .slice(0, k)
    },
  })
