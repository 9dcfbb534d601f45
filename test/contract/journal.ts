// The contract suite of journals: every implementation must pass all of it.
import { afterEach, beforeEach, describe } from 'vitest'
import { fakeClock, type Clock, type FakeClock } from '../../src/clock/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { budgetBehaviour } from './journal/budgets.ts'
import { claimBehaviour } from './journal/claims.ts'
import { contentBehaviour } from './journal/content.ts'
import { inboxBehaviour } from './journal/inbox.ts'
import { leaseBehaviour } from './journal/leases.ts'
import { ledgerBehaviour } from './journal/ledger.ts'
import { listBehaviour } from './journal/lists.ts'
import { removalBehaviour } from './journal/removal.ts'
import { runBehaviour } from './journal/runs.ts'

/** What a test of the contract works with: a fresh journal on a fake clock. */
export interface Subject {
  readonly journal: Journal
  readonly clock: FakeClock
}

/**
 * Judges an implementation.
 *
 * @param open Makes an empty journal. The suite closes it.
 */
export const journalContract = (name: string, open: (options: { readonly clock: Clock }) => Promise<Journal>): void => {
  describe(`the ${name} journal`, () => {
    let current: Subject
    beforeEach(async () => {
      const clock = fakeClock()
      current = { clock, journal: await open({ clock }) }
    })
    afterEach(() => current.journal.close())
    const subject = (): Subject => current
    runBehaviour(subject)
    listBehaviour(subject)
    leaseBehaviour(subject)
    claimBehaviour(subject)
    inboxBehaviour(subject)
    removalBehaviour(subject)
    ledgerBehaviour(subject)
    budgetBehaviour(subject)
    contentBehaviour(subject)
  })
}
