import { describe, expect, it, test } from 'vitest'
import { judgeChange, type CaseResult } from '../../src/eval/gate.ts'
import { fullGate } from '../../src/eval/gate-options.ts'
import { look, type Pair } from '../../src/eval/statistics/sequential.ts'
import { summaryOf } from '../../src/eval/summary.ts'
import { caseResult, observation, trial } from './seen.ts'

const many = (count: number, head: string, base?: string, from = 0): readonly CaseResult[] => Array.from({ length: count }, (_, at) => caseResult(`case-${from + at}`, head, base))
const gate = fullGate()

describe('the paired test', () => {
  it('blocks a clear loss, passes none, and asks for more where it cannot tell', () => {
    expect(judgeChange([...many(25, '-', '+'), ...many(25, '+', '+', 25)], gate, 5)).toMatchObject({ verdict: 'regressed', wantsMore: false })
    expect(judgeChange(many(50, '+', '+'), gate, 5)).toMatchObject({ verdict: 'non_inferior', wantsMore: false })
    const mixed = [...many(12, '+', '-'), ...many(15, '-', '+', 12), ...many(23, '+', '+', 27)]
    expect(judgeChange(mixed, gate, 5)).toMatchObject({ verdict: 'inconclusive', wantsMore: true })
  })

  it('prints by how much the product moved and what it could have seen', () => {
    const { look: last, reasons } = judgeChange([...many(5, '-', '+'), ...many(45, '+', '+', 5)], gate, 5)
    expect(last?.change).toBeCloseTo(-0.1, 12)
    expect(last?.detectable).toBeGreaterThan(0.1)
    expect(reasons.join()).toMatch(/the change is −10\.0 points, between −\d+\.\d points and −\d+\.\d points/)
  })

  it('without a base says so and decides nothing', () => {
    expect(judgeChange(many(50, '-'), gate, 1)).toMatchObject({ verdict: 'inconclusive', wantsMore: false, reasons: ['there are no results of a base to compare with'] })
  })

  it('counts unchanged cases as a difference of exactly nothing', () => {
    const unchanged = many(45, '+', '+').map((one) => ({ ...one, unchanged: true }))
    const result = judgeChange([...many(5, '---', '++++++++', 45), ...unchanged], gate, 5)
    expect(result.verdict).toBe('regressed')
    expect(result.look).toMatchObject({ pairs: 5 })
    expect(result.look?.change).toBeCloseTo(-0.1, 12)
    expect(judgeChange(unchanged, gate, 5)).toMatchObject({ verdict: 'non_inferior', reasons: ['nothing that any case touches has changed'] })
  })

  it('does not take a failure in one trial of a single case for certain, but one that stays', () => {
    const pair = (head: readonly number[]): Pair => ({ id: 'a', cluster: 'a', base: [1, 1, 1, 1, 1, 1, 1, 1], head })
    const settings = { margin: 0.1, alpha: 0.05, looks: 5 }
    expect(look([pair([0])], settings).verdict).toBe('inconclusive')
    expect(look([pair([0, 0, 0])], settings).verdict).toBe('regressed')
  })

  it('counts a cluster as one observation', () => {
    const pairs = (cluster: (at: number) => string): readonly Pair[] => Array.from({ length: 60 }, (_, at) => ({ id: String(at), cluster: cluster(at), base: [1], head: [Math.floor(at / 2) % 10 === 0 ? 0 : 1] }))
    const settings = { margin: 0.1, alpha: 0.05, looks: 1 }
    const [alone, together] = [
      look(pairs(String), settings),
      look(
        pairs((at) => String(Math.floor(at / 2))),
        settings,
      ),
    ]
    expect(together.change).toBeCloseTo(alone.change, 12)
    expect(together.interval[0]).toBeLessThan(alone.interval[0])
  })

  it('corrects only the blocking bound for looks', () => {
    const pairs = Array.from({ length: 50 }, (_, at): Pair => ({ id: String(at), cluster: String(at), base: [1], head: [at < 8 ? 0 : 1] }))
    const [once, often] = [1, 8].map((looks) => look(pairs, { margin: 0.1, alpha: 0.05, looks }))
    expect(often?.blockBound).toBeGreaterThan(once?.blockBound ?? 1)
    expect(often?.interval).toEqual(once?.interval)
  })

  it('compares scores where the gate says so', () => {
    const half = (results: readonly CaseResult[]): readonly CaseResult[] => results.map((one) => ({ ...one, trials: one.trials.map((of) => ({ ...of, score: 0.5 })) }))
    expect(judgeChange(half(many(50, '+', '+')), fullGate({ metric: 'score' }), 1).look?.change).toBeCloseTo(-0.5, 12)
    expect(judgeChange(half(many(50, '+', '+')), gate, 1).look?.change).toBe(0)
  })
})

describe('errors of infrastructure', () => {
  it('are neither passes nor failures', () => {
    const { look: last } = judgeChange([...many(25, '!', '+'), ...many(25, '+', '+', 25)], gate, 5)
    expect(last).toMatchObject({ pairs: 25, change: 0 })
    expect(summaryOf(many(4, '+!'))).toMatchObject({ passRate: 1, trials: 4, errors: 4 })
  })
})

describe('must-pass cases', () => {
  it('block when one trial fails, base or not', () => {
    const critical = caseResult('no-leak', '++-', undefined, { tags: ['must-pass'] })
    expect(judgeChange([critical, ...many(50, '+', '+')], gate, 5)).toMatchObject({ verdict: 'regressed', mustPassFailures: ['no-leak'], wantsMore: false })
  })

  it('do not block by an error', () => {
    expect(judgeChange([caseResult('no-leak', '+!', undefined, { tags: ['must-pass'] })], gate, 1).mustPassFailures).toEqual([])
  })

  it('are those with a tag of the gate, or all', () => {
    const failing = [caseResult('a', '-', '-', { tags: ['safety'] })]
    expect(judgeChange(failing, gate, 1).mustPassFailures).toEqual([])
    expect(judgeChange(failing, fullGate({ mustPass: ['safety'] }), 1).mustPassFailures).toEqual(['a'])
    expect(judgeChange(failing, fullGate({ mustPass: 'all' }), 1).mustPassFailures).toEqual(['a'])
  })
})

describe('guardrails', () => {
  const costing = (head: number | null, base: number): readonly CaseResult[] =>
    Array.from({ length: 20 }, (_, at) => ({
      case: { id: String(at), input: '' },
      trials: [trial('passed', { observation: observation({ costUsd: head === null ? null : head * (1 + at / 100) }) })],
      base: [trial('passed', { observation: observation({ costUsd: base * (1 + at / 100) }) })],
      unchanged: false,
    }))

  it('block when the whole interval of the ratio is above the limit', () => {
    expect(judgeChange(costing(0.02, 0.01), gate, 1)).toMatchObject({
      verdict: 'regressed',
      reasons: [expect.stringMatching(/^costUsd is 2\.00 times the base's \(at least 2\.00\), over the limit of 1\.5$/), expect.anything()],
    })
    expect(judgeChange(costing(0.014, 0.01), gate, 1).verdict).toBe('non_inferior')
    expect(judgeChange(costing(0.02, 0.01), fullGate({ guardrails: { costUsd: null } }), 1).verdict).toBe('non_inferior')
  })

  it('find nothing where a price is unknown, or nothing was used before', () => {
    expect(judgeChange(costing(null, 0.01), gate, 1).guardrails.map(({ name }) => name)).not.toContain('costUsd')
    expect(judgeChange(costing(0.01, 0), gate, 1).guardrails.map(({ name }) => name)).not.toContain('costUsd')
  })

  test('latency is only reported unless it has a limit', () => {
    const slow = many(20, '+', '+').map((one) => ({ ...one, trials: [trial('passed', { observation: observation({ durationMs: 5_000 }) })] }))
    expect(judgeChange(slow, gate, 1)).toMatchObject({ verdict: 'non_inferior', guardrails: expect.arrayContaining([expect.objectContaining({ name: 'p95LatencyMs', ratio: 10, broken: false })]) })
    expect(judgeChange(slow, fullGate({ guardrails: { p95LatencyMs: 2 } }), 1).verdict).toBe('regressed')
  })
})
