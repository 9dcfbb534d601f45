// What an entry settles, in SQL. Invariant: the ledger and the budgets are told of a charge together, in the entry's transaction.
import type { Settlement } from '../../cost/index.ts'
import { settle } from './budgets.ts'
import { addCharges } from './ledger.ts'
import type { Script } from './script.ts'

/** Adds the charges of an entry to the ledger and counts them against budgets. */
export function* settleEntry(settlement: Settlement, run: string, atMs: number): Script<void> {
  // Budgets first: an account that is made later begins with what the ledger has.
  yield* settle(settlement, run, atMs)
  yield* addCharges(settlement.charges)
}
