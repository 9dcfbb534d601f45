// How often the default refusal detector is wrong, measured on everything that recorded models really said.
import { expect, test } from 'vitest'
import { isPlainRefusal } from '../../src/model/index.ts'
import { allRecordings, expectedOf } from './recordings.ts'

const replies = allRecordings()
  .flatMap(([, recordings]) => recordings)
  .map(expectedOf)
  .filter((expected) => expected.kind === 'reply')

test('it finds no refusal in the texts of recorded answers, and each one that a provider marked', () => {
  const texts = [...new Set(replies.map(({ text }) => text.trim()).filter((text) => text !== ''))]
  const refusals = [...new Set(replies.map(({ refusal }) => refusal.trim()).filter((text) => text !== ''))]
  const wrong = texts.filter(isPlainRefusal)
  const missed = refusals.filter((text) => !isPlainRefusal(text))
  const share = (part: number, all: number): string => `${part} of ${all} (${((100 * part) / Math.max(1, all)).toFixed(2)} %)`
  process.stdout.write(`Refusal detector: ${share(wrong.length, texts.length)} answers taken for refusals, ${share(missed.length, refusals.length)} refusals missed\n`)
  expect(texts.length).toBeGreaterThan(5)
  expect(wrong).toEqual([])
  expect(missed).toEqual([])
})
