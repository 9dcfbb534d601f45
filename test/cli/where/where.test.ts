import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testOf, type Candidate } from '../../../src/cli/where/fields.ts'
import { parseWhere } from '../../../src/cli/where/parse.ts'
import { FailureError } from '../../../src/failure/index.ts'
import type { EntryBody, RunRow } from '../../../src/journal/index.ts'

const row: RunRow = {
  id: 'r1',
  agent: 'desk',
  agentHash: 'h',
  engine: 'embedded',
  user: 'ada',
  route: '/help',
  status: 'failed',
  startedAt: Date.UTC(2026, 10, 30, 12),
  updatedAt: Date.UTC(2026, 10, 30, 12) + 45_000,
  seq: 3,
  hash: 'c',
  state: { group: 'asking' },
  modelCalls: 3,
  toolCalls: 1,
  inputTokens: 900,
  outputTokens: 100,
  costNano: 120_000_000,
  costUnknown: false,
  failureCode: 'overloaded',
  taken: 0,
}

const attempt = (outcome: object): EntryBody => ({
  v: 1,
  cause: { type: 'attempt', key: '/asking#1', attempt: 1, outcome: { durationMs: 5, ...outcome } as never },
  moves: [{ actor: '', event: 'e', value: 'searching' }],
})
const entries: readonly EntryBody[] = [
  attempt({ ok: false, failure: { code: 'rate_limited', message: 'm', retryable: true } }),
  attempt({ ok: true, value: 1, calls: [{ provider: 'p', model: 'm', usage: null, costNano: 0, priceSource: 's', latencyMs: 1, prompt: 'desk/asking', promptHash: '0123456789abcdef' }] }),
]

const fits = async (expression: string, changed: Partial<RunRow> = {}): Promise<boolean> => {
  const candidate: Candidate = { row: { ...row, ...changed }, entries: () => Promise.resolve(entries) }
  return testOf(parseWhere(expression))(candidate)
}

const refusal = (expression: string): string => {
  try {
    testOf(parseWhere(expression))
    return ''
  } catch (error) {
    return error instanceof FailureError ? error.failure.message : 'not a failure'
  }
}

describe('an expression of --where', () => {
  it.each([
    ['outcome = failed', true],
    ['outcome != failed', false],
    ['failure = overloaded', true],
    ['failure = rate_limited', true],
    ['failure = refused', false],
    ['state = group', true],
    ['state = group.asking', true],
    ['state = asking', false],
    ['state ~ asking', true],
    ['visited = searching', true],
    ['prompt = 0123456789abcdef', true],
    ['prompt ~ 0123', true],
    ['prompt = desk/asking', true],
    ['user = ada and route = "/help"', true],
    ["user = ada and route = '/other'", false],
    ['tenant = acme', false],
    ['tenant != acme', true],
    ['cost > 0.1', true],
    ['cost > $0.12', false],
    ['cost <= 0.12', true],
    ['duration = 45s', true],
    ['duration > 1m', false],
    ['duration >= 45000ms', true],
    ['duration < 0.5h', true],
    ['tokens >= 1000', true],
    ['modelCalls = 3', true],
    ['toolcalls == 1', true],
    ['started >= 2026-11-30', true],
    ['started > 2026-12-01', false],
    ['not outcome = done', true],
    ['not (outcome = failed or user = bob)', false],
    ['user = bob or user = ada and outcome = done', false],
    ['(user = bob or user = ada) and outcome = failed', true],
    ['USER = ada AND NOT user = bob', true],
  ])('%s: %s', async (expression, expected) => {
    expect(await fits(expression)).toBe(expected)
  })

  it('finds no run of unknown cost by its cost', async () => {
    expect(await fits('cost >= 0', { costUnknown: true })).toBe(false)
    expect(await fits('cost < 100', { costUnknown: true })).toBe(false)
  })

  it.each([
    ['cots > 1', "runs have no field 'cots'. Did you mean 'cost'?"],
    ['outcome = faild', 'no run has outcome "faild". Did you mean \'failed\'?'],
    ['failure = rate_limted', 'no run has failure "rate_limted". Did you mean \'rate_limited\'?'],
    ['cost > cheap', 'Give USD as a number'],
    ['duration > 3 parsecs', "expected 'and' or 'or', found 'parsecs'"],
    ['duration > 3parsecs', 'Give a time with its unit'],
    ['user > ada', "cannot compare user with '>'"],
    ['cost ~ 1', 'cannot be compared'],
    ['outcome =', "expected a value after 'outcome ='"],
    ['outcome', "expected a comparison after 'outcome'"],
    ['', 'expected a field, found the end'],
    ['(outcome = done', "expected ')'"],
    ['outcome = done)', "found ')'"],
    ['user = "ada', 'Put text with such characters in quotes'],
    [`${'not '.repeat(100)}user = ada`, "more than 50 'not'"],
    [`${'('.repeat(100)}user = ada`, 'more than 50 parentheses'],
  ])('%s is refused: %s', (expression, message) => {
    expect(refusal(expression)).toContain(message)
  })

  it('shows where it stops', () => {
    expect(refusal('outcome = done or')).toBe('--where stops at character 18: expected a field, found the end.\n  outcome = done or\n                   ^')
  })

  it('is parsed or refused, whatever is written', () => {
    const word = fc.constantFrom('outcome', 'cost', '=', '~', '(', ')', 'and', 'or', 'not', '"', 'failed', '3s', '__proto__', 'constructor', '\\', '\u0000')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 60 }),
          fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
        ),
        (text) => {
          expect(refusal(text)).not.toBe('not a failure')
        },
      ),
      { numRuns: 2_000, seed: 7 },
    )
  })
})
