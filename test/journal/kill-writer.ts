// Appends to twenty runs at once until it is killed, and prints `run seq` once an append has resolved. Started by the kill
// test; never imported.
import { writeSync } from 'node:fs'
import { journalAt } from './journal-at.ts'
import { entryAfter, sampleUpdate, startRun } from '../contract/journal/sample.ts'

const [, , path = '', prefix = ''] = process.argv
const journal = journalAt(path)

const appendForEver = async (id: string): Promise<void> => {
  const { lease, first } = await startRun(journal, id)
  for (let head = first; ;) {
    writeSync(1, `${id} ${head.seq}\n`)
    head = entryAfter(head, JSON.stringify({ id, pad: 'x'.repeat(head.seq % 700) }))
    await journal.append(lease, head, sampleUpdate())
  }
}

await Promise.all(Array.from({ length: 20 }, (_, n) => appendForEver(`${prefix}-${n}`)))
