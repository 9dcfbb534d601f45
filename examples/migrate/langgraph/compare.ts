// Plays the same questions to both programs over the same wire: first with a model in good health, then with one that
// breaks off in the middle of its answers.
import { MemorySaver } from '@langchain/langgraph'
import { memoryJournal, reportCosts, scripted } from 'stateloop'
import { scriptedServer } from 'stateloop/testing'
import * as after from './after.ts'
import * as before from './before.ts'
import { cutOff, deskRules } from './model.ts'
import { openShop } from './shop.ts'

let healthy = true
await using server = await scriptedServer({ provider: scripted({ rules: (request) => (healthy ? deskRules(request) : cutOff(deskRules(request))) }) })
const endpoint = { baseURL: server.url, apiKey: 'none' }
const journal = memoryJournal()
const desks = {
  before: before.openDesk({ endpoint, shop: openShop(), checkpointer: new MemorySaver() }),
  after: after.openDesk({ endpoint, shop: openShop(), journal }),
}
await using _closed = desks.after.runtime

const ask = async (question: string, conversation: string): Promise<void> => {
  console.log(question)
  for (const [name, desk] of Object.entries(desks)) {
    const turn = await desk.ask(question, { customer: 'ada', conversation }).catch((error: Error) => ({ threw: error.message.split('. ')[0] }))
    console.log(`  ${name}:`, JSON.stringify(turn))
    if (healthy && 'toApprove' in turn) console.log(`  ${name}, approved:`, JSON.stringify(await desk.decide(conversation, true)))
  }
}

for (const question of ['How do I descale the kettle?', 'Refund order 7, please.', 'Which order was it?']) await ask(question, 'monday')
const { groups } = await reportCosts(journal.ledger!, { by: ['user', 'route'], sinceMs: 0, untilMs: Date.now() })
for (const { key, calls, costUsd } of groups) console.log(`after: ${key.user} at ${key.route}, ${calls} calls, ${costUsd?.toFixed(6)} USD`)

healthy = false
await ask('Refund order 8, please.', 'tuesday')

// prints:
// How do I descale the kettle?
//   before: {"answer":"Descale the kettle with two spoons of citric acid."}
//   after: {"answer":"Descale the kettle with two spoons of citric acid."}
// Refund order 7, please.
//   before: {"toApprove":{"order":7,"amountUsd":30}}
//   before, approved: {"answer":"Order 7: 30 USD paid back."}
//   after: {"toApprove":{"order":7,"amountUsd":30}}
//   after, approved: {"answer":"Order 7: 30 USD paid back."}
// Which order was it?
//   before: {"answer":"We spoke about order 7."}
//   after: {"answer":"We spoke about order 7."}
// after: ada at /desk, 8 calls, 0.000349 USD
// Refund order 8, please.
//   before: {"threw":"Failed to parse"}
//   after: {"answer":"A person will answer you today."}
