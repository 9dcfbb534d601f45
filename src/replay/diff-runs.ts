// Two runs side by side: their steps aligned by the way each took, and for steps that both have, what came in and what it
// cost. Reads entries only, so runs of agents that no longer exist can be compared.
import { diffSequence } from '../prompt/index.ts'
import type { Json } from '../failure/index.ts'
import type { Cause, Entry, Move } from '../journal/index.ts'
import { brief, isObject } from './data.ts'
import { edgeText, valueLines } from './place.ts'
import type { Recording } from './recording.ts'

/** A step of one run or of both. */
export interface StepDiff {
  /** Whether both have the step, and whether it is the same. */
  readonly kind: 'same' | 'changed' | 'removed' | 'added'
  /** Entry of the earlier run, from 0; absent where it does not have the step. */
  readonly before?: number
  /** Entry of the later run, from 0; absent where it does not have the step. */
  readonly after?: number
  /** What came in and where it led: `answering done → sent`. */
  readonly text: string
  /** How a step that both have differs, one line a place. */
  readonly places: readonly string[]
}

/** What a run came to. */
export interface RunTotals {
  /** How it ended, or where it stands. */
  readonly outcome: string
  /** Attempts of model calls. */
  readonly modelCalls: number
  /** Tool calls. */
  readonly toolCalls: number
  /** Input tokens of all model calls. */
  readonly inputTokens: number
  /** Output tokens of all model calls. */
  readonly outputTokens: number
  /** What it cost, USD; null when a price is unknown. */
  readonly costUsd: number | null
  /** From the first entry to the last, milliseconds. */
  readonly durationMs: number
}

/** The difference of two runs. */
export interface RunDiff {
  /** True when both took the same way with the same values. */
  readonly same: boolean
  /** Steps of both, in order. */
  readonly steps: readonly StepDiff[]
  /** How the outputs differ, one line a place. */
  readonly output: readonly string[]
  /** What each came to. */
  readonly totals: readonly [before: RunTotals, after: RunTotals]
}

/** An effect's key without its counters: `/answering#2:0` is `/answering`. */
const effectOf = (key: string): string => key.replace(/#\d+/g, '').replace(/[:~].*$/, '')

const causeText = (cause: Cause): string => {
  switch (cause.type) {
    case 'attempt':
      return `${effectOf(cause.key)}${cause.outcome.ok ? '' : ` failed (${cause.outcome.failure.code})`}`
    case 'timer':
      return `${effectOf(cause.key)} timer`
    case 'event':
      return cause.event.type
    case 'start':
    case 'resumed':
    case 'migrated':
      return cause.type
  }
}

const stepText = ({ body: { cause, moves } }: Entry): string => (moves.length === 0 ? causeText(cause) : moves.map((move: Move) => `${move.actor === '' ? '' : `${move.actor} `}${edgeText(move)}`).join(', '))

/** What came in with a step, as data. */
const dataOf = (cause: Cause): Json => {
  if (cause.type === 'start') return cause.input
  if (cause.type === 'event') return cause.event as Json
  if (cause.type !== 'attempt') return null
  if (!cause.outcome.ok) return { failure: cause.outcome.failure.message }
  const { value } = cause.outcome
  return isObject(value) && Object.keys(value).length === 1 && value['output'] !== undefined ? value['output'] : value
}

const ROOTS = { start: 'input', event: 'event', attempt: 'output' } as const

/** Fields of the context that a step left with other values, where what came in does not say it already. */
const contextLines = (before: Entry, after: Entry): readonly string[] =>
  after.body.moves.flatMap((move, index) => {
    const was = before.body.moves[index]?.changed ?? {}
    return Object.entries(move.changed ?? {}).flatMap(([field, hash]) => (was[field] === hash ? [] : [`~ context.${field}: ${was[field] ?? 'unchanged'} → ${hash}`]))
  })

const placesOf = (before: Entry, after: Entry): readonly string[] => {
  const [a, b] = [before.body.cause, after.body.cause]
  const root = a.type in ROOTS ? ROOTS[a.type as keyof typeof ROOTS] : ''
  // Providers give every call another id.
  const values = valueLines(root, dataOf(a), dataOf(b)).filter((line) => !/^~ output\.calls\[\d+\]\.id: /.test(line))
  return values.length > 0 ? values : contextLines(before, after)
}

const totalsOf = ({ row, entries }: Recording): RunTotals => ({
  outcome: `${row.status}${row.failureCode === undefined ? '' : ` (${row.failureCode})`}`,
  modelCalls: row.modelCalls,
  toolCalls: row.toolCalls,
  inputTokens: row.inputTokens,
  outputTokens: row.outputTokens,
  costUsd: row.costUnknown ? null : row.costNano / 1e9,
  durationMs: (entries.at(-1)?.at ?? 0) - (entries[0]?.at ?? 0),
})

/** Compares two runs. */
export const diffRuns = (before: Recording, after: Recording): RunDiff => {
  let [a, b] = [0, 0]
  const steps = diffSequence(before.entries, after.entries, stepText).map(({ kind, value }): StepDiff => {
    const text = stepText(value)
    if (kind === 'removed') return { kind, before: a++, text, places: [] }
    if (kind === 'added') return { kind, after: b++, text, places: [] }
    const [old, now] = [before.entries[a], after.entries[b]]
    const places = old === undefined || now === undefined ? [] : placesOf(old, now)
    return { kind: places.length === 0 ? 'same' : 'changed', before: a++, after: b++, text, places }
  })
  const output = valueLines('output', before.row.output ?? null, after.row.output ?? null)
  return { same: output.length === 0 && steps.every(({ kind }) => kind === 'same'), steps, output, totals: [totalsOf(before), totalsOf(after)] }
}

const MARKS = { same: ' ', changed: '~', removed: '-', added: '+' } as const

/** A total of both runs, with an arrow where they differ. */
const totalText = (name: string, before: number | string | null, after: number | string | null): string => `${name} ${before ?? 'unknown'}${before === after ? '' : ` → ${after ?? 'unknown'}`}`

/** A difference as text: one line a step, its places below, and the totals. */
export const formatRunDiff = ({ steps, output, totals: [before, after] }: RunDiff): string => {
  const number = (step: number | undefined): string => String(step ?? '').padStart(4)
  const lines = steps.flatMap(({ kind, before: was, after: is, text, places }) => [`${MARKS[kind]}${number(was)}${number(is)}  ${brief(text, 110)}`, ...places.map((place) => `            ${place}`)])
  const totals = [
    totalText('outcome', before.outcome, after.outcome),
    totalText('model calls', before.modelCalls, after.modelCalls),
    totalText('tool calls', before.toolCalls, after.toolCalls),
    totalText('tokens', before.inputTokens + before.outputTokens, after.inputTokens + after.outputTokens),
    totalText('cost', before.costUsd, after.costUsd),
    totalText('time', `${before.durationMs} ms`, `${after.durationMs} ms`),
  ]
  return [...lines, ...(output.length === 0 ? [] : ['output', ...output.map((line) => `  ${line}`)]), totals.join(' · ')].join('\n')
}
