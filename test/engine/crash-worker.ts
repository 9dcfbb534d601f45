// A process that the crash tests kill: it drives runs of the crash agent on a journal or on Restate, and notes each entry
// once it was told that it is durable. `fault` breaks it on purpose, so that the tests can show that they would notice.
import { appendFileSync } from 'node:fs'
import { serve } from '@restatedev/restate-sdk'
import { restate, restateClient } from '../../src/engine/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { createRuntime, type Observer } from '../../src/run/index.ts'
import { journalAt } from '../journal/journal-at.ts'
import { crashAgent } from './crash-agent.ts'

const [place = '', ledger = '', rounds = '1', engine = 'embedded', port = '0', ingress = '', fault = 'none'] = process.argv.slice(2)

/** Says that an entry is durable before it is, or hands out leases that somebody holds. */
const broken = (journal: Journal): Journal => {
  if (fault === 'early') {
    const tails = new Map<string, Promise<unknown>>()
    return {
      ...journal,
      append: async (...entry) => {
        const { run } = entry[0]
        const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))
        tails.set(
          run,
          (tails.get(run) ?? Promise.resolve()).then(later).then(() => journal.append(...entry)),
        )
      },
    }
  }
  if (fault === 'leaseless') {
    return {
      ...journal,
      acquire: async (run, owner, leaseMs) => {
        const row = await journal.get(run)
        return journal.acquire(run, owner, leaseMs).catch(() => ({ run, owner, epoch: row?.seq ?? 0, expiresAt: 0 }))
      },
      append: async (...entry) => journal.append(...entry).catch(() => {}),
      claimable: async (query) => ({ runs: (await journal.list({ status: ['queued', 'running'], limit: query.limit })).filter((row) => row.engine === query.engine) }),
    }
  }
  return journal
}

/** Notes what became durable, and with which state and context. */
const observer: Observer = {
  run: ({ info }) => ({
    event: (event) => {
      if (event.type === 'transition.taken') appendFileSync(ledger, `ack ${info.id} ${event.seq} ${JSON.stringify([event.actor, event.to])}\n`)
    },
  }),
}

const main = async (): Promise<void> => {
  const journal = broken(journalAt(place))
  const agent = crashAgent(ledger, Number(rounds))
  const runtime = createRuntime({ journal, agents: [agent], leaseMs: 150, observers: [observer] })
  if (engine === 'restate') {
    const { services, sweep } = restate(runtime, { holdMs: 200, sweepMs: 100 })
    await serve({ services: [...services], port: Number(port), logger: () => {} })
    sweep(restateClient(runtime, { ingress }).wake)
    process.stdout.write('ready\n')
  } else {
    process.stdout.write('ready\n')
    await runtime.drive({ whenIdle: 'wait', pollMs: 25, concurrency: 50 })
  }
}
void main()
