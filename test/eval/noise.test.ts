// The noise study: how often gates block, on pass rates of 50 tasks measured over 200 recorded runs of a real agent. Skips
// where the recordings are not beside the repository.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { fullGate } from '../../src/eval/gate-options.ts'
import { look, type Verdict } from '../../src/eval/statistics/sequential.ts'

const file = join(import.meta.dirname, '..', '..', '..', 'shared', 'tau-bench', 'gpt-4o-airline.json')
const present = existsSync(file)
const SEED = 20_261_130
const ROUNDS = 4_000
const BASE_TRIALS = 8

/** Pass rate of each task. */
const passRates = (): readonly number[] => {
  const runs = JSON.parse(readFileSync(file, 'utf8')) as readonly { readonly task_id: number; readonly reward: number }[]
  const tasks = Map.groupBy(runs, (run) => run.task_id)
  return [...tasks.values()].map((own) => own.filter(({ reward }) => reward === 1).length / own.length)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

type Draw = (rates: readonly number[], trials: number) => number[][]
const drawing =
  (random: () => number): Draw =>
  (rates, trials) =>
    rates.map((rate) => Array.from({ length: trials }, () => (random() < rate ? 1 : 0)))

/** Our gate, with the base's eight trials in store. */
const gated = (base: readonly number[][], head: readonly number[], draw: Draw): { readonly verdict: Verdict; readonly headRuns: number } => {
  const { looks, margin, alpha } = fullGate()
  const trials: number[][] = head.map(() => [])
  let verdict: Verdict = 'inconclusive'
  let headRuns = 0
  for (const upTo of looks) {
    for (const [at, more] of draw(head, upTo - (trials[0]?.length ?? 0)).entries()) trials[at]?.push(...more)
    headRuns = upTo * head.length
    ;({ verdict } = look(
      trials.map((own, at) => ({ id: String(at), cluster: String(at), base: base[at] ?? [], head: own })),
      { margin, alpha, looks: looks.length },
    ))
    if (verdict !== 'inconclusive') break
  }
  return { verdict, headRuns }
}

/** Shares of rounds in which each gate blocks, and the head runs that ours needs, when every task loses the same share. */
const study = (rates: readonly number[], loss: number): { readonly ours: number; readonly headRuns: number; readonly anyCase: number; readonly lowerMean: number; readonly fivePoints: number } => {
  const head = rates.map((rate) => rate * (1 - loss / mean(rates)))
  const draw = drawing(seededRandom(SEED))
  const blocked = { ours: 0, anyCase: 0, lowerMean: 0, fivePoints: 0 }
  let headRuns = 0
  for (let round = 0; round < ROUNDS; round++) {
    const result = gated(draw(rates, BASE_TRIALS), head, draw)
    headRuns += result.headRuns
    if (result.verdict === 'regressed') blocked.ours += 1
    const [before, after] = [draw(rates, 1).flat(), draw(head, 1).flat()]
    if (before.some((passed, at) => passed > (after[at] ?? 0))) blocked.anyCase += 1
    if (mean(after) < mean(before)) blocked.lowerMean += 1
    if (mean(after) < mean(before) - 0.05) blocked.fivePoints += 1
  }
  const shareOf = (count: number): number => count / ROUNDS
  return { ours: shareOf(blocked.ours), headRuns: headRuns / ROUNDS, anyCase: shareOf(blocked.anyCase), lowerMean: shareOf(blocked.lowerMean), fivePoints: shareOf(blocked.fivePoints) }
}

const show = (share: number): string => `${(share * 100).toFixed(1).padStart(6)} %`

describe.skipIf(!present)(`the gate on real noise (skips without ../shared/tau-bench; seed ${SEED})`, () => {
  test('blocks at most 5 % of changes that change nothing, and at least 80 % of losses of 13 points', { timeout: 120_000 }, () => {
    const rates = passRates()
    expect(rates).toHaveLength(50)
    expect(mean(rates)).toBeCloseTo(0.42, 10)
    const [same, worse] = [study(rates, 0), study(rates, 0.13)]
    const row = (name: string, of: (result: typeof same) => number): string => `${name.padEnd(36)}${show(of(same))}   ${show(of(worse))}`
    const table = [
      `share of runs blocked, 50 cases             no change   −13 points`,
      row('any case that passed and now fails', (result) => result.anyCase),
      row('the mean is lower', (result) => result.lowerMean),
      row('the mean is lower by 5 points', (result) => result.fivePoints),
      row('this gate', (result) => result.ours),
      `mean head runs of this gate         ${same.headRuns.toFixed(0).padStart(8)}   ${worse.headRuns.toFixed(0).padStart(8)}`,
    ]
    process.stdout.write(`\n${table.join('\n')}\n\n`)
    expect(same.ours).toBeLessThanOrEqual(0.05)
    expect(worse.ours).toBeGreaterThanOrEqual(0.8)
    expect(same.headRuns).toBeLessThanOrEqual(120)
    expect(same.anyCase).toBeGreaterThan(0.95)
    expect(same.lowerMean).toBeGreaterThan(0.4)
    expect(same.fivePoints).toBeGreaterThan(0.15)
  })
})
