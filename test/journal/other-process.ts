// A journal in a process of its own, driven by messages: `{ id, method, args }` is answered by `{ id, value }` or
// `{ id, failure }`. Started by the tests; never imported.
import { failureOf } from '../../src/failure/index.ts'
import { chainOf, sampleUpdate, startRun } from '../contract/journal/sample.ts'
import { journalAt } from './journal-at.ts'

const journal = journalAt(process.argv[2] as string)

/** Work that is many calls, so that two processes really overlap. */
const work = {
  /** Posts `count` events at once. */
  postMany: (run: string, count: number): Promise<number[]> => Promise.all(Array.from({ length: count }, (_, n) => journal.post(run, { type: 'PING', n }))),
  /** Runs one run to `length` entries, each append awaited. */
  runTo: async (id: string, length: number): Promise<void> => {
    const { lease } = await startRun(journal, id)
    for (const entry of chainOf(length).slice(1)) await journal.append(lease, entry, sampleUpdate())
  },
}

process.on('message', ({ id, method, args }: { readonly id: number; readonly method: string; readonly args: readonly unknown[] }) => {
  const methods = { ...journal, ...work } as unknown as Readonly<Record<string, (...all: readonly unknown[]) => Promise<unknown>>>
  const answer = async (): Promise<unknown> => methods[method]?.(...args)
  answer().then(
    (value) => process.send?.({ id, value }),
    (thrown: unknown) => process.send?.({ id, failure: failureOf(thrown) ?? { code: 'defect', message: String(thrown), retryable: false } }),
  )
})
