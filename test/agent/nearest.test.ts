import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest, suggest } from '../../src/agent/index.ts'

const states = ['answering', 'searching', 'failed', 'done']

test.each([
  ['answerin', 'answering'],
  ['awnsering', 'answering'],
  ['Failed', 'failed'],
  ['dnoe', 'done'],
])('%s probably means %s', (typed, meant) => expect(nearest(typed, states)).toBe(meant))

test.each(['approving', 'x', ''])('%s means none of them', (typed) => expect(nearest(typed, states)).toBeUndefined())

test('a name is always nearest to itself', () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (name, others) => nearest(name, [name, ...others]) === name))
})

test('a suggestion lists what there is when nothing is near', () => {
  expect(suggest('dnoe', states)).toBe(" Did you mean 'done'?")
  expect(suggest('x', ['a', 'b'])).toBe(" There are 'a', 'b'.")
  expect(suggest('x', [])).toBe(' There are none.')
  expect(
    suggest(
      'x',
      Array.from({ length: 14 }, (_, index) => `state${index}`),
    ),
  ).toContain("'state11' and 2 more.")
})
