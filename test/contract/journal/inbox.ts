// The inbox: events from outside, in one order that never changes.
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/failure/index.ts'
import type { Subject } from '../journal.ts'
import { entryAfter, rejection, sampleUpdate, startRun } from './sample.ts'

export const inboxBehaviour = (subject: () => Subject): void => {
  describe('inbox', () => {
    test('events are numbered from 0 in the order they were posted, with time and sender', async () => {
      const { journal, clock } = subject()
      await startRun(journal, 'run')
      const at = clock.now()
      expect(await journal.post('run', { type: 'REPLY', text: 'yes' }, 'u1')).toBe(0)
      await clock.advance(5)
      expect(await journal.post('run', { type: 'STOP' })).toBe(1)
      const items = [
        { n: 0, at, event: { type: 'REPLY', text: 'yes' }, by: 'u1' },
        { n: 1, at: at + 5, event: { type: 'STOP' } },
      ]
      for (const from of [0, 1, 2, 5]) expect(await journal.inbox('run', from)).toStrictEqual(items.slice(from))
    })

    test('a hundred posted at once all arrive, without gap, each once', async () => {
      const { journal } = subject()
      await startRun(journal, 'run')
      const numbers = await Promise.all(Array.from({ length: 100 }, (_, n) => journal.post('run', { type: 'PING', n })))
      expect(numbers.toSorted((a, b) => a - b)).toStrictEqual(Array.from({ length: 100 }, (_, n) => n))
      const items = await journal.inbox('run', 0)
      expect(items.map(({ n }) => n)).toStrictEqual(Array.from({ length: 100 }, (_, n) => n))
      for (const [index, n] of numbers.entries()) expect(items[n]?.event['n']).toBe(index)
    })

    test('each run has an inbox of its own', async () => {
      const { journal } = subject()
      await startRun(journal, 'a')
      await startRun(journal, 'b')
      await journal.post('a', { type: 'FOR_A' })
      expect(await journal.post('b', { type: 'FOR_B' })).toBe(0)
      expect((await journal.inbox('b', 0)).map(({ event }) => event.type)).toStrictEqual(['FOR_B'])
    })

    test('an event holds what JSON holds, and what the sender changes later does not reach it', async () => {
      const { journal } = subject()
      await startRun(journal, 'run')
      const event: { type: string; [field: string]: Json } = { type: 'REPLY', text: '\0 \ud800 \u{1F600}', list: [null, 1, { a: 'b' }] }
      await journal.post('run', event)
      event['text'] = 'changed'
      expect((await journal.inbox('run', 0))[0]?.event).toStrictEqual({ type: 'REPLY', text: '\0 \ud800 \u{1F600}', list: [null, 1, { a: 'b' }] })
    })

    test('posting needs no lease, but a run that has not ended', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run')
      await journal.append(lease, entryAfter(first), sampleUpdate({ status: 'waiting' }))
      await journal.release(lease)
      await journal.post('run', { type: 'REPLY' })
      await startRun(journal, 'over', { status: 'limited' })
      expect(await rejection(journal.post('over', { type: 'REPLY' }), 'run_ended')).toMatchObject({ details: { run: 'over', status: 'limited' } })
      await rejection(journal.post('nobody', { type: 'REPLY' }), 'run_not_found')
    })

    test('watchers hear of what was posted to their run once it can be read, until they stop', async () => {
      const { journal } = subject()
      await startRun(journal, 'run')
      await startRun(journal, 'other')
      const heard: string[] = []
      const reads: Promise<number>[] = []
      const stop = journal.watch('run', () => {
        heard.push('first')
        reads.push(journal.inbox('run', 0).then((items) => items.length))
      })
      const stopSecond = journal.watch('run', () => void heard.push('second'))
      await journal.post('run', { type: 'PING' })
      await journal.post('other', { type: 'PING' })
      expect(heard).toStrictEqual(['first', 'second'])
      expect(await Promise.all(reads)).toStrictEqual([1])
      stop()
      stop()
      await journal.post('run', { type: 'PING' })
      expect(heard).toStrictEqual(['first', 'second', 'second'])
      stopSecond()
    })
  })
}
