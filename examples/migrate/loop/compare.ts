// Plays the same clean-up to the program by hand, to the same loop recorded, and to the agent: first with a model in good
// health, then with one that writes half of its report.
import { memoryJournal, scripted, type RunOutcome } from 'stateloop'
import { scriptedServer } from 'stateloop/testing'
import { openAccounts, type Work } from './accounts.ts'
import * as after from './after.ts'
import * as before from './before.ts'
import { cleanerRules, halfOfReports } from './model.ts'
import { openRuntime } from './parts.ts'
import * as recorded from './recorded.ts'

let rules = cleanerRules
await using server = await scriptedServer({ provider: scripted({ rules: (request) => rules(request) }) })

const REQUEST = 'Delete the trial accounts that nobody used for a year.'
const endpoint = { baseURL: server.url, apiKey: 'none' }
// A person who lets account 11 go and keeps the others.
const work = (): Work => ({ endpoint, accounts: openAccounts(), confirm: async (question) => Promise.resolve(question.includes('11')) })
const show = (outcome: RunOutcome): string => (outcome.outcome === 'done' ? JSON.stringify(outcome.output) : 'failure' in outcome ? `${outcome.outcome}: ${outcome.failure.code}` : outcome.outcome)

const play = async (): Promise<void> => {
  console.log('  before:', await before.cleanUp(REQUEST, work()).then(JSON.stringify, (error: Error) => `threw ${error.message}`))
  for (const [name, { cleanUp }] of Object.entries({ recorded, after })) {
    await using runtime = openRuntime(work(), memoryJournal())
    const outcome = await cleanUp(REQUEST, work(), { runtime, key: 'november', user: 'ada', route: '/clean-up' })
    console.log(`  ${name}:`, show(outcome), `for ${outcome.costUsd?.toFixed(6)} USD`)
  }
}

console.log('all is well')
await play()
console.log('half of a report')
rules = halfOfReports
await play()

// prints:
// all is well
// cost 0.000213 USD
//   before: {"deleted":[11],"note":"A person kept some."}
//   recorded: {"deleted":[11],"note":"A person kept some."} for 0.000180 USD
//   after: {"deleted":[11],"note":"A person kept some."} for 0.000215 USD
// half of a report
// cost 0.000195 USD
//   before: threw not a report: {"deleted":[
//   recorded: failed: code_failed for 0.000162 USD
//   after: {"deleted":[11],"note":"A person kept some."} for 0.000292 USD
