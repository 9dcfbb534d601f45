import { describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import { hashOf } from '../../src/schema/index.ts'
import { ended, exact, finalState, jsonSubset, matches, matchesSchema, statePath, subsetArgs, toolCalls, within, type Score, type Scored, type Scorer } from '../../src/eval/index.ts'
import { scored } from './seen.ts'

const score = async (scorer: Scorer, facts: Partial<Scored>): Promise<Score | boolean | undefined> => scorer(scored(facts), { run: () => Promise.reject(new Error('not used')) })
const reasons = async (scorer: Scorer, facts: Partial<Scored>): Promise<readonly string[]> => {
  const said = await score(scorer, facts)
  return typeof said === 'object' ? said.reasons : []
}

describe('exact', () => {
  it('compares values, not the order of their fields', async () => {
    expect(await score(exact(), { output: { a: 1, b: [2] }, expected: { b: [2], a: 1 } })).toMatchObject({ pass: true, score: 1 })
    expect(await reasons(exact(), { output: 'no', expected: 'yes' })).toEqual(['expected "yes", seen "no"'])
  })

  it('leaves a case alone that expects nothing, and fails one that has no output', async () => {
    expect(await score(exact(), { output: 'x' })).toBeUndefined()
    expect(await reasons(exact(), { output: undefined, expected: null })).toEqual(['expected null, seen nothing'])
  })

  it('compares what it is told to', async () => {
    const intent = exact<{ intent: string }, unknown>({ actual: ({ output }) => output?.intent, expected: () => 'order' })
    expect(await score(intent as Scorer, { output: { intent: 'order' } })).toMatchObject({ pass: true })
  })
})

describe('matches', () => {
  it('looks for a pattern, the same way each time', async () => {
    const order = matches(/order \d+/g)
    for (const _time of [1, 2]) expect(await score(order, { output: 'your order 17' })).toMatchObject({ pass: true })
    expect(await reasons(order, { output: 'none' })).toEqual(['must match /order \\d+/g, seen "none"'])
    expect(await reasons(matches(/sorry/i, { not: true }), { output: 'Sorry!' })).toEqual(['must not match /sorry/i, seen "Sorry!"'])
  })

  it('takes the pattern of a case', async () => {
    const perCase = matches(({ expected }) => (typeof expected === 'string' ? new RegExp(expected) : undefined))
    expect(await score(perCase, { output: 'abc', expected: '^a' })).toMatchObject({ pass: true })
    expect(await score(perCase, { output: 'abc' })).toBeUndefined()
  })
})

test('matchesSchema gives a reason for each problem, with its path', async () => {
  const schema = z.object({ items: z.array(z.object({ price: z.number() })) })
  expect(await score(matchesSchema(schema), { output: { items: [{ price: 1 }] } })).toMatchObject({ pass: true })
  expect(await reasons(matchesSchema(schema), { output: { items: [{ price: 'x' }] } })).toEqual([expect.stringMatching(/^items\[0\]\.price: /)])
})

describe('jsonSubset', () => {
  it('asks only for what is expected', async () => {
    expect(await score(jsonSubset(), { output: { a: 1, b: 2, list: [{ x: 1, y: 2 }] }, expected: { a: 1, list: [{ x: 1 }] } })).toMatchObject({ pass: true })
  })

  it('names the path of each difference and scores the share that is right', async () => {
    const said = await score(jsonSubset(), { output: { a: 1, order: { total: 12, items: ['x'] } }, expected: { a: 1, order: { total: 13, items: ['x', 'y'] } } })
    expect(said).toEqual({ score: 0.5, pass: false, reasons: ['order.total: expected 13, seen 12', 'order.items[1]: expected "y", seen nothing'] })
  })

  it('lets numbers differ by the tolerance and no more', async () => {
    const near = jsonSubset({ tolerance: { relative: 0.01, absolute: 0.5 } })
    expect(await score(near, { output: { total: 101 }, expected: { total: 100 } })).toMatchObject({ pass: true })
    expect(await score(near, { output: { total: 0.4 }, expected: { total: 0 } })).toMatchObject({ pass: true })
    expect(await score(near, { output: { total: 102 }, expected: { total: 100 } })).toMatchObject({ pass: false })
  })

  it('takes lists in order and whole, unless told otherwise', async () => {
    const facts = { output: ['b', 'a', 'c'], expected: ['a', 'b'] }
    expect(await score(jsonSubset(), facts)).toMatchObject({ pass: false })
    expect(await score(jsonSubset({ unordered: true }), facts)).toMatchObject({ pass: true })
    expect(await reasons(jsonSubset({ unordered: true }), { output: ['a'], expected: ['a', 'a'] })).toEqual(['[1]: expected "a" somewhere, seen none like it'])
    expect(await reasons(jsonSubset(), { output: ['a', 'b', 'c'], expected: ['a', 'b'] })).toEqual([': expected 2 items, seen 3'])
  })
})

describe('toolCalls', () => {
  const calls = [
    { name: 'find', args: { id: 7 } },
    { name: 'refund', args: { id: 7, amount: 20 } },
  ]
  const find = { name: 'find', args: { id: 7 } }
  const refund = { name: 'refund', args: { id: 7, amount: 20 } }

  it.each([
    ['strict', [find, refund], true],
    ['strict', [refund, find], false],
    ['strict', [find], false],
    ['unordered', [refund, find], true],
    ['unordered', [find], false],
    ['subset', [find, refund, { name: 'mail' }], true],
    ['subset', [find], false],
    ['superset', [find], true],
    ['superset', [find, { name: 'mail' }], false],
  ] as const)('%s with %j passes: %s', async (mode, expected, pass) => {
    expect(await score(toolCalls({ mode, expected }), { calls })).toMatchObject({ pass })
  })

  it('says which call differs', async () => {
    expect(await reasons(toolCalls({ mode: 'strict', expected: [find, { name: 'mail' }] }), { calls })).toEqual(['call 2: expected mail(…), seen refund({"id":7,"amount":20})'])
    expect(await reasons(toolCalls({ expected: [find] }), { calls })).toEqual(['did not expect refund({"id":7,"amount":20})'])
    expect(await reasons(toolCalls({ expected: [find] }), {})).toEqual(['expected find({"id":7}), seen no calls'])
  })

  it('matches arguments as it is told: by value, by function, by lists of acceptable ones', async () => {
    expect(await score(toolCalls({ mode: 'superset', expected: [{ name: 'refund', args: { id: 7 } }] }), { calls })).toMatchObject({ pass: false })
    expect(await score(toolCalls({ mode: 'superset', expected: [{ name: 'refund', args: { id: 7 } }], args: { refund: subsetArgs } }), { calls })).toMatchObject({ pass: true })
    const anyOf = (values: readonly unknown[]) => toolCalls({ mode: 'superset', expected: [{ name: 'refund', anyOf: { amount: values, currency: ['EUR', ''] } }] })
    expect(await score(anyOf([20, 25]), { calls })).toMatchObject({ pass: true })
    expect(await score(anyOf([25]), { calls })).toMatchObject({ pass: false })
  })

  it('takes any of several calls, and finds the matching that fits all', async () => {
    const either = [{ name: 'find' }, { name: 'refund' }]
    // The first expectation could take the call that only the second one fits.
    expect(await score(toolCalls({ expected: [either, find] }), { calls })).toMatchObject({ pass: true })
    expect(await score(toolCalls({ expected: [either, either] }), { calls })).toMatchObject({ pass: true })
    expect(await score(toolCalls({ expected: [find, find] }), { calls })).toMatchObject({ pass: false })
  })
})

describe('statePath', () => {
  const states = ['asking', 'acting', 'asking', 'done'].map((state) => ({ state }))

  it.each([
    [{ visited: ['acting'], order: ['acting', 'asking'], forbidden: ['failed'], final: 'done' }, []],
    [{ exactly: ['asking', 'acting', 'asking', 'done'] }, []],
    [{ visited: ['approving'] }, ['expected to visit approving, seen asking → acting → asking → done']],
    [{ order: ['acting', 'acting'] }, ['expected the order acting → acting, acting is missing there: seen asking → acting → asking → done']],
    [{ forbidden: ['acting'] }, ['must not visit acting, seen asking → acting → asking → done']],
    [{ exactly: ['asking'] }, ['expected exactly asking, seen asking → acting → asking → done']],
    [{ final: 'failed' }, ['expected to end in failed, seen asking → acting → asking → done']],
  ])('%j gives the reasons %j', async (rules, expected) => {
    expect(await reasons(statePath(rules), { states })).toEqual(expected)
  })
})

describe('finalState', () => {
  const world = { orders: [{ id: 7, state: 'refunded' }] }

  it('compares the captured world by value, by hash or by a predicate', async () => {
    expect(await score(finalState({ equals: world }), { world })).toMatchObject({ pass: true })
    expect(await score(finalState({ hash: hashOf(world) }), { world })).toMatchObject({ pass: true })
    expect(await score(finalState({ where: (seen) => JSON.stringify(seen).includes('refunded') }), { world })).toMatchObject({ pass: true })
  })

  it('says what is wrong', async () => {
    expect(await reasons(finalState({ hash: hashOf({}) }), { world })).toEqual([expect.stringMatching(/^expected a final state with hash [0-9a-f]{12}, seen [0-9a-f]{12}$/)])
    expect(await reasons(finalState({ where: () => 'order 7 was not refunded' }), { world })).toEqual(['the final state is wrong: order 7 was not refunded'])
    expect(await reasons(finalState({ equals: 1 }), {})).toEqual(['expected the final state 1, seen nothing'])
  })
})

describe('within', () => {
  it('passes up to the bound', async () => {
    expect(await score(within({ costUsd: 0.01, tokens: 120, modelCalls: 1, toolCalls: 0, transitions: 3, durationMs: 500 }), {})).toMatchObject({ pass: true })
    expect(await reasons(within({ tokens: 119, durationMs: 499 }), {})).toEqual(['tokens: at most 119, seen 120', 'durationMs: at most 499, seen 500'])
  })

  it('fails on an unknown cost', async () => {
    expect(await reasons(within({ costUsd: 1 }), { costUsd: null })).toEqual(['costUsd: at most 1, seen an unknown amount, since a price is unknown'])
  })
})

test('ended compares the outcome and the code', async () => {
  expect(await score(ended('done'), {})).toMatchObject({ pass: true })
  const failed = { outcome: 'failed', failure: { code: 'refused', message: 'It declined.' } } as const
  expect(await score(ended('failed', 'refused'), failed)).toMatchObject({ pass: true })
  expect(await reasons(ended('failed', 'timeout'), failed)).toEqual(['expected to end failed by timeout, seen failed by refused: It declined.'])
})
