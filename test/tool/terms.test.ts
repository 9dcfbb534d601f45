import { describe, expect, it } from 'vitest'
import { termsOf } from '../../src/tool/terms.ts'

describe('termsOf', () => {
  it.each([['retry retries retried retrying'], ['cache caches cached caching'], ['limit limits limited limiting'], ['class classes'], ['stopped stopping stops'], ['Naïve naive']])(
    'takes these for one term: %s',
    (words) => {
      expect(new Set(termsOf(words)).size).toBe(1)
    },
  )

  it.each([['string strong'], ['used us'], ['process prose'], ['gpt-5 gpt-4']])('keeps these apart: %s', (words) => {
    expect(new Set(termsOf(words)).size).toBeGreaterThan(1)
  })

  it('drops stop words and punctuation, and keeps the order', () => {
    expect(termsOf('How do I cap the `costUsd` of a run?')).toEqual(['cap', 'costusd', 'run'])
    expect(termsOf('…')).toEqual([])
  })

  it('cuts text without spaces into pairs of characters', () => {
    expect(termsOf('天気は 雨')).toEqual(['天気', '気は', '雨'])
  })
})
