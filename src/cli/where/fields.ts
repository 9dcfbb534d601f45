// What `--where` can ask of a run, field by field. Invariant: a name or value that no run can have is refused with the
// nearest one, so a misspelled filter never looks like an empty list.
import { suggest } from '../../agent/index.ts'
import { fail, FAILURE_CODES } from '../../failure/index.ts'
import { leavesOf, type EntryBody, type RunRow, type StateValue } from '../../journal/index.ts'
import type { Operator, Where } from './parse.ts'

/** A run to be judged; its entries are read only when a field needs them. */
export interface Candidate {
  readonly row: RunRow
  readonly entries: () => Promise<readonly EntryBody[]>
}

type Test = (candidate: Candidate) => boolean | Promise<boolean>

interface Field {
  readonly name: string
  readonly about: string
  readonly test: (operator: Operator, value: string) => Test
}

const OUTCOMES = ['queued', 'running', 'waiting', 'done', 'failed', 'limited', 'cancelled'] as const

const compareNumbers = (a: number, operator: Operator, b: number): boolean => {
  switch (operator) {
    case '=':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
    case '~':
      return false
  }
}

const orderRefused = (name: string, operator: Operator): never => fail('usage', `--where cannot compare ${name} with '${operator}'. Use = or != for the whole text, ~ for a part of it.`)

/** A field of texts, of which a run may have several: `=` and `~` hold when one fits, `!=` when none equals. */
const texts = (name: string, about: string, valuesOf: (candidate: Candidate) => readonly string[] | Promise<readonly string[]>, known?: readonly string[]): Field => ({
  name,
  about,
  test: (operator, value) => {
    if (operator !== '=' && operator !== '!=' && operator !== '~') return orderRefused(name, operator)
    if (operator !== '~' && known !== undefined && !known.includes(value)) return fail('usage', `--where: no run has ${name} ${JSON.stringify(value)}.${suggest(value, known)}`)
    return async (candidate) => {
      const values = await valuesOf(candidate)
      if (operator === '~') return values.some((text) => text.toLowerCase().includes(value.toLowerCase()))
      return values.includes(value) === (operator === '=')
    }
  },
})

/** A field of numbers; undefined fits no comparison. */
const numbers = (name: string, about: string, read: (value: string) => number | undefined, expected: string, valueOf: (row: RunRow) => number | undefined): Field => ({
  name,
  about,
  test: (operator, value) => {
    const wanted = read(value)
    if (wanted === undefined || operator === '~') return fail('usage', `--where: ${name} ${operator} ${JSON.stringify(value)} cannot be compared. ${expected}`)
    return ({ row }) => {
      const actual = valueOf(row)
      return actual !== undefined && compareNumbers(actual, operator, wanted)
    }
  },
})

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `500ms`, `30s`, `2m`, `1.5h`; a bare number is seconds. Milliseconds. */
const readDuration = (text: string): number | undefined => {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)([a-z]+)?$/.exec(text) ?? []
  const factor = UNITS[unit]
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor
}

const readAmount = (text: string): number | undefined => (/^\$?\d+(?:\.\d+)?$/.test(text) ? Number(text.replace('$', '')) : undefined)

const readTime = (text: string): number | undefined => {
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

const present = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value])

/** A state with the states around it: `group.asking` and `group`. */
const withOuter = (state: string): readonly string[] => state.split('.').map((_, index, names) => names.slice(0, index + 1).join('.'))

const statesOf = (value: unknown): readonly string[] => (value === null || value === undefined || value === '' ? [] : leavesOf(value as StateValue).flatMap(withOuter))

const visited = async ({ entries }: Candidate): Promise<readonly string[]> => [...new Set((await entries()).flatMap(({ moves }) => moves.flatMap(({ value }) => statesOf(value))))]

const failures = async ({ row, entries }: Candidate): Promise<readonly string[]> => [
  ...new Set([
    ...present(row.failureCode),
    ...(await entries()).flatMap(({ moves, cause }) => [...moves.flatMap(({ failed }) => present(failed)), ...(cause.type === 'attempt' && !cause.outcome.ok ? [cause.outcome.failure.code] : [])]),
  ]),
]

const prompts = async ({ entries }: Candidate): Promise<readonly string[]> => [
  ...new Set((await entries()).flatMap(({ cause }) => (cause.type === 'attempt' ? (cause.outcome.calls ?? []).flatMap(({ prompt, promptHash }) => [...present(prompt), ...present(promptHash)]) : []))),
]

const FIELDS: readonly Field[] = [
  texts('outcome', 'how it ended, or that it waits', ({ row }) => [row.status], OUTCOMES),
  texts(
    'failure',
    'code of a failure that it met, retried ones included',
    failures,
    Object.values(FAILURE_CODES).flatMap((group) => Object.keys(group)),
  ),
  texts('state', 'where it stands or ended, groups included', ({ row }) => statesOf(row.state)),
  texts('visited', 'a state that it passed through', visited),
  texts('prompt', 'id of a prompt that it used, or its hash', prompts),
  texts('agent', 'id of its agent', ({ row }) => [row.agent]),
  texts('user', 'who it was for', ({ row }) => present(row.user)),
  texts('route', 'where it came from', ({ row }) => present(row.route)),
  texts('tenant', 'whose it is', ({ row }) => present(row.tenant)),
  texts('session', 'the session that it belongs to', ({ row }) => present(row.session)),
  numbers('cost', 'USD; runs with an unknown price fit no comparison', readAmount, 'Give USD as a number: cost > 0.05.', ({ costNano, costUnknown }) => (costUnknown ? undefined : costNano / 1e9)),
  numbers('duration', 'from its start to its last step: 500ms, 30s, 2m', readDuration, 'Give a time with its unit: duration > 30s.', ({ startedAt, updatedAt }) => updatedAt - startedAt),
  numbers('tokens', 'input and output together', readAmount, 'Give a number.', ({ inputTokens, outputTokens }) => inputTokens + outputTokens),
  numbers('modelCalls', 'attempts of model calls', readAmount, 'Give a number.', ({ modelCalls }) => modelCalls),
  numbers('toolCalls', 'tool calls', readAmount, 'Give a number.', ({ toolCalls }) => toolCalls),
  numbers('started', 'when it began: 2026-11-30 or 2026-11-30T12:00Z', readTime, 'Give a date: started >= 2026-11-30.', ({ startedAt }) => startedAt),
]

/** The fields for help. */
export const FIELD_HELP = FIELDS.map(({ name, about }) => `${name} (${about})`).join(', ')

/**
 * What an expression asks, as a test of a run.
 * @throws FailureError `usage` with the nearest name for a field or value that does not exist.
 */
export const testOf = (where: Where): Test => {
  switch (where.type) {
    case 'compare': {
      const field = FIELDS.find(({ name }) => name.toLowerCase() === where.field.toLowerCase())
      if (field === undefined) {
        return fail(
          'usage',
          `--where: runs have no field '${where.field}'.${suggest(
            where.field,
            FIELDS.map(({ name }) => name),
          )}`,
        )
      }
      return field.test(where.operator, where.value)
    }
    case 'not': {
      const inner = testOf(where.inner)
      return async (candidate) => !(await inner(candidate))
    }
    case 'and':
    case 'or': {
      const tests = where.all.map(testOf)
      const enough = where.type === 'or'
      return async (candidate) => {
        for (const test of tests) if ((await test(candidate)) === enough) return enough
        return !enough
      }
    }
  }
}
