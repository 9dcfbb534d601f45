import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lexicalReranker, type Document, type ToolContext } from '../../src/tool/index.ts'

const rank = (query: string, documents: readonly Document[], k = 10): readonly Document[] => lexicalReranker().rank({ query, documents, k }, {} as ToolContext) as readonly Document[]
const order = (query: string, texts: readonly string[], k?: number): readonly number[] =>
  rank(
    query,
    texts.map((text, index) => ({ id: String(index), text })),
    k,
  ).map(({ id }) => Number(id))

describe('lexicalReranker', () => {
  it('puts the document with more of the query first', () => {
    expect(order('reset my password', ['a page about billing', 'password rules', 'reset a forgotten password'])).toEqual([2, 1, 0])
  })

  it('trusts rare words more than common ones', () => {
    expect(order('run deadline', ['run run run', 'the deadline', 'a run', 'another run', 'one more run'])[0]).toBe(1)
  })

  it('prefers words side by side over the same words apart', () => {
    expect(order('rate limit', ['the limit has a different rate', 'the rate limit is different here'])).toEqual([1, 0])
  })

  it('holds long texts back and counts a title twice', () => {
    expect(order('cost', [`cost ${'filler '.repeat(200)}`, 'cost of a run'])).toEqual([1, 0])
    expect(
      rank('cost', [
        { id: 'a', text: 'cost of it' },
        { id: 'b', text: 'of it', title: 'Cost' },
      ]).map(({ id }) => id),
    ).toEqual(['b', 'a'])
  })

  it('keeps the given order where nothing matches, and everything up to k', () => {
    expect(order('zebra', ['b', 'a', 'c'])).toEqual([0, 1, 2])
    expect(order('zebra', ['b', 'a', 'c'], 2)).toEqual([0, 1])
    expect(order('zebra', [], 2)).toEqual([])
  })

  it('takes the forms of a word as one', () => {
    expect(order('resume a crashed run', ['tools and more tools', 'resuming runs after a crash', 'a run'])).toEqual([1, 2, 0])
  })

  it('returns each document unchanged but for a new, falling score', () => {
    const given: readonly Document[] = [
      { id: 'a', text: 'x', source: 's', metadata: { n: 1 }, score: 99 },
      { id: 'b', text: 'cats', score: 1 },
    ]
    expect(rank('cat', given)).toEqual([
      { ...given[1], score: expect.any(Number) },
      { ...given[0], score: 0 },
    ])
  })

  it('loses no document and gives no order that depends on the order in, ties aside', () => {
    const texts = fc.uniqueArray(
      fc.array(fc.constantFrom('red', 'green', 'blue', 'cat', 'dog'), { minLength: 1, maxLength: 6 }).map((words) => words.join(' ')),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(texts, (list) => {
        const documents = list.map((text) => ({ id: text, text }))
        const scores = (given: readonly Document[]): unknown =>
          rank('red cat', given)
            .map(({ id, score }) => [id, score])
            .toSorted()
        expect(scores(documents)).toEqual(scores(documents.toReversed()))
        expect(rank('red cat', documents)).toHaveLength(list.length)
      }),
      { seed: 31 },
    )
  })
})
