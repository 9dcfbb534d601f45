// The contract of journals that processes share: leases, keys and the inbox hold between them, and no commit is lost or
// counted twice. A place is a file or a URL.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { FailureError, type Failure } from '../../src/failure/index.ts'
import type { Journal, Lease } from '../../src/journal/index.ts'
import { chainOf, entryAfter, rejection, sampleRow, sampleUpdate, startRun } from './journal/sample.ts'

const closers: (() => Promise<unknown>)[] = []
interface Other {
  call(method: string, ...args: readonly unknown[]): Promise<unknown>
  signal(name: NodeJS.Signals): void
}

/** Starts a process with its own journal. */
const otherProcess = (place: string): Other => {
  const child = fork(join(import.meta.dirname, '../journal/other-process.ts'), [place], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  child.on('message', ({ id, value, failure }: { readonly id: number; readonly value?: unknown; readonly failure?: Failure }) => {
    if (failure === undefined) waiting.get(id)?.resolve(value)
    else waiting.get(id)?.reject(new FailureError(failure))
  })
  const call: Other['call'] = (method, ...args) => {
    const answer = Promise.withResolvers<unknown>()
    waiting.set(calls, answer)
    child.send({ id: calls++, method, args })
    return answer.promise
  }
  closers.push(async () => {
    await call('close')
    child.disconnect()
    await once(child, 'exit')
  })
  return { call, signal: (name) => void child.kill(name) }
}

/**
 * Judges an implementation that processes share.
 *
 * @param newPlace Gives an empty place; `other-process.ts` knows how to open it.
 */
export const sharedJournalContract = (name: string, newPlace: () => Promise<string>, open: (place: string) => Journal): void => {
  const ownJournal = (place: string): Journal => {
    const journal = open(place)
    closers.push(() => journal.close())
    return journal
  }
  describe(`two processes on one ${name} journal`, { timeout: 30_000 }, () => {
    afterEach(async () => {
      for (const close of closers.splice(0)) await close()
    })

    test('a run that one of them runs is refused to the other until it is given back', async () => {
      const place = await newPlace()
      const [journal, other] = [ownJournal(place), otherProcess(place)]
      const { lease, first } = await startRun(journal, 'run')
      const refused = await rejection(other.call('acquire', 'run', 'worker-2', 60_000), 'lease_held')
      expect(refused.details).toMatchObject({ run: 'run', owner: 'worker-1' })
      await journal.release(lease)
      const taken = (await other.call('acquire', 'run', 'worker-2', 60_000)) as Lease
      await other.call('append', taken, entryAfter(first), sampleUpdate())
      await rejection(journal.acquire('run', 'worker-1', 60_000), 'lease_held')
      expect(await journal.read('run')).toHaveLength(2)
    })

    test.skipIf(process.platform === 'win32')('an owner that was paused past its lease is fenced when it wakes', async () => {
      const place = await newPlace()
      const [journal, other] = [ownJournal(place), otherProcess(place)]
      const first = entryAfter(undefined)
      const { lease } = (await other.call('create', sampleRow('run'), first, 'sleeper', 0)) as { readonly lease: Lease }
      other.signal('SIGSTOP')
      const late = other.call('append', lease, entryAfter(first), sampleUpdate())
      const next = await journal.acquire('run', 'worker-1', 60_000)
      await journal.append(next, entryAfter(first), sampleUpdate())
      other.signal('SIGCONT')
      await rejection(late, 'lease_lost')
      expect(await journal.read('run')).toStrictEqual(chainOf(2))
    })

    test('what both post arrives once each, in one order', async () => {
      const place = await newPlace()
      const [journal, other] = [ownJournal(place), otherProcess(place)]
      await startRun(journal, 'run')
      const [theirs, ours] = await Promise.all([other.call('postMany', 'run', 300), Promise.all(Array.from({ length: 300 }, (_, n) => journal.post('run', { type: 'PONG', n })))])
      const numbers = [...(theirs as number[]), ...ours].toSorted((a, b) => a - b)
      expect(numbers).toStrictEqual(Array.from({ length: 600 }, (_, n) => n))
      expect(await other.call('inbox', 'run', 0)).toStrictEqual(await journal.inbox('run', 0))
    })

    test('a key that both start with at once makes one run', async () => {
      const place = await newPlace()
      const [journal, other] = [ownJournal(place), otherProcess(place)]
      for (let round = 0; round < 20; round++) {
        const create = (id: string): [unknown, ...unknown[]] => [sampleRow(`${id}-${round}`, { key: `k${round}` }), entryAfter(undefined), id, 60_000]
        const outcomes = await Promise.all([other.call('create', ...create('theirs')), journal.create(...(create('ours') as Parameters<Journal['create']>))])
        expect(outcomes.filter((outcome) => (outcome as { readonly created: boolean }).created)).toHaveLength(1)
      }
      expect(await journal.list()).toHaveLength(20)
    })

    test('runs of four processes that open a new file at the same moment are all whole', async () => {
      const place = await newPlace()
      const others = Array.from({ length: 4 }, () => otherProcess(place))
      await Promise.all(others.map((other, n) => other.call('runTo', `run-${n}`, 150)))
      const journal = ownJournal(place)
      for (let n = 0; n < 4; n++) expect(await journal.read(`run-${n}`)).toStrictEqual(chainOf(150))
      for (const other of others) expect(await other.call('read', 'run-0')).toHaveLength(150)
    })
  })
}
