// Ten million attempts, priced and added up as the ledger does it, beside whole-number arithmetic that cannot round.
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { addCharge, emptyTotal, nanoOf, toUsd } from '../../src/cost/index.ts'

const ATTEMPTS = 10_000_000

it('ten million attempts add up without drift', () => {
  const seed = 11
  const random = seededRandom(seed)
  const price = { inputUsd: 0.15, outputUsd: 0.6, cachedUsd: 0.075 }
  const total = emptyTotal()
  let exact = 0n
  let asDollars = 0
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const usage = { inputTokens: 100 + Math.floor(random() * 20_000), outputTokens: Math.floor(random() * 2_000), cachedTokens: 100 }
    const costNano = nanoOf(price, usage)
    addCharge(total, { agent: 'a', state: 's', model: 'm', at: 0, usage, costNano, latencyMs: 5, isCall: true, failed: false, firstOf: 0 })
    const pico = BigInt(usage.inputTokens - 100) * 150_000n + 100n * 75_000n + BigInt(usage.outputTokens) * 600_000n
    exact += (pico + 500n) / 1000n
    asDollars += costNano / 1e9
  }
  expect(total.calls).toBe(ATTEMPTS)
  expect(BigInt(total.costNano), `seed ${seed}`).toBe(exact)
  // The same as dollars in floating point, which is why it is not done so.
  expect(asDollars).not.toBe(toUsd(total.costNano))
})
