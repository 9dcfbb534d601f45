// A reranker without a model: orders documents by how well their words answer the query. Invariant: pure arithmetic on
// the texts given, so the same documents always come out in the same order.
// @see Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009)
import { defineReranker } from './define.ts'
import { termsOf } from './terms.ts'
import type { Document, Reranker } from './tool.ts'

/** How fast repetitions of a term stop counting, and how much long texts are held back. */
const SATURATION = 1.2
const LENGTH_WEIGHT = 0.75
/** A term in the title counts as this many in the text. */
const TITLE_WEIGHT = 2
/** What two query terms side by side add, as a share of the first term's rarity. */
const PAIR_WEIGHT = 0.5

interface Counted {
  readonly document: Document
  readonly counts: ReadonlyMap<string, number>
  readonly length: number
  /** Pairs of neighbouring terms. */
  readonly pairs: ReadonlySet<string>
}

const pairsOf = (terms: readonly string[]): readonly string[] => terms.slice(1).map((term, index) => `${terms[index]} ${term}`)

const countTerms = (document: Document): Counted => {
  const title = termsOf(document.title ?? '')
  const text = termsOf(document.text)
  const counts = new Map<string, number>()
  for (const term of text) counts.set(term, (counts.get(term) ?? 0) + 1)
  for (const term of title) counts.set(term, (counts.get(term) ?? 0) + TITLE_WEIGHT)
  return { document, counts, length: text.length + title.length * TITLE_WEIGHT, pairs: new Set([...pairsOf(title), ...pairsOf(text)]) }
}

/** How much a term says, from how few of the documents have it. */
const rarityAmong = (all: readonly Counted[], term: string): number => {
  const having = all.filter(({ counts }) => counts.has(term)).length
  return Math.log(1 + (all.length - having + 0.5) / (having + 0.5))
}

const rank = (query: string, documents: readonly Document[], k: number): readonly Document[] => {
  const all = documents.map(countTerms)
  const asked = termsOf(query)
  const pairs = [...new Set(pairsOf(asked))]
  const rarity = new Map([...new Set(asked)].map((term) => [term, rarityAmong(all, term)] as const))
  const meanLength = Math.max(1, all.reduce((sum, { length }) => sum + length, 0) / Math.max(1, all.length))
  const scoreOf = ({ counts, length, pairs: own }: Counted): number => {
    const drag = SATURATION * (1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * length) / meanLength)
    const words = [...rarity].reduce((sum, [term, weight]) => {
      const count = counts.get(term) ?? 0
      return sum + (weight * count * (SATURATION + 1)) / (count + drag)
    }, 0)
    return pairs.reduce((sum, pair) => sum + (own.has(pair) ? PAIR_WEIGHT * (rarity.get(pair.split(' ')[0] ?? '') ?? 0) : 0), words)
  }
  return all
    .map((counted) => ({ ...counted.document, score: Math.round(scoreOf(counted) * 1e4) / 1e4 }))
    .sort((a, b) => b.score - a.score)
    .slice(0, Math.max(0, k))
}

/** A reranker that needs no model and no network: BM25 over the documents it is given; neighbouring words and titles count more. */
export const lexicalReranker = (options: Partial<Pick<Reranker, 'timeoutMs' | 'retry'>> = {}): Reranker =>
  defineReranker({ ...options, version: 'lexical/1', rank: ({ query, documents, k }) => rank(query, documents, k) })
