// What is printed when a run rests: its output, how it ended, what it used and which command goes on with it.
// Invariant: every waiting run is printed with a command that can be pasted.
import type { RunRow, Waiting } from '../journal/index.ts'
import type { Json } from '../failure/index.ts'
import type { RunOutcome } from '../run/index.ts'
import { count, showTime, showTokens, showUsd } from './amounts.ts'
import { oneLine, plain, type Io } from './io.ts'
import { commandLine } from './shell.ts'

const isText = (value: unknown): value is string => typeof value === 'string'

/** An output as people read it: text as it is, an answer with its sources as text, anything else as JSON. */
export const showOutput = (output: unknown): string => {
  if (isText(output)) return plain(output)
  const { answer, sources, ...rest } = (typeof output === 'object' && output !== null ? output : {}) as {
    readonly answer?: unknown
    readonly sources?: unknown
  }
  const asAnswer = isText(answer) && Object.keys(rest).length === 0 && (sources === undefined || (Array.isArray(sources) && sources.every(isText)))
  if (!asAnswer) return plain(JSON.stringify(output, null, 2) ?? '')
  const listed = (sources as readonly string[] | undefined) ?? []
  return plain(listed.length === 0 ? answer : `${answer}\n\nSources:\n${listed.map((source) => `  ${source}`).join('\n')}`)
}

/** How commands that go on with a run must name it. */
export interface RunReference {
  readonly run: string
  /** Options to repeat, such as `--db path`. */
  readonly options: readonly string[]
}

const MOST_ARGS = 500

const short = (value: Json): string => {
  const text = oneLine(JSON.stringify(value))
  return text.length <= MOST_ARGS ? text : `${text.slice(0, MOST_ARGS)}…`
}

const nextSteps = (waiting: Waiting, { run, options }: RunReference, io: Io): readonly string[] => {
  const line = (...args: readonly string[]): string => `    ${commandLine([...args, ...options], io)}`
  switch (waiting.for) {
    case 'approval':
      return (waiting.calls ?? []).flatMap(({ hash, name, args, effect }) => [
        `  ${oneLine(name)} ${short(args)} (${effect})`,
        line('approve', run, '--hash', hash),
        line('reject', run, '--hash', hash, '--reason', 'why'),
      ])
    case 'event':
      return waiting.accepts.map((type) => line('send', run, JSON.stringify({ type })))
    case 'in_doubt':
      return (waiting.keys ?? []).flatMap((key) => [
        `  ${oneLine(key)} may or may not have happened; find out, then retry, or settle it with "done" or "fail":`,
        line('send', run, JSON.stringify({ type: 'RESOLVE', key, action: 'retry' })),
      ])
    case 'timer':
      return [line('resume', run)]
  }
}

const WAITS_FOR = {
  approval: 'waits for approval',
  event: 'waits for an event',
  in_doubt: 'waits because a call is in doubt',
  timer: 'waits for its time',
} as const

/** What a waiting run waits for, and how to go on. */
export const showWaiting = (waiting: readonly Waiting[], reference: RunReference, io: Io): string =>
  waiting
    .flatMap((one) => {
      const due = one.dueAt === undefined ? '' : one.for === 'timer' ? `, due ${showTime(one.dueAt)}` : `, expires ${showTime(one.dueAt)}`
      const show = one.show === undefined ? [] : [`  ${short(one.show)}`]
      return [io.style('yellow', `${oneLine(one.state)} ${WAITS_FOR[one.for]}${due}`), ...show, ...nextSteps(one, reference, io)]
    })
    .join('\n')

/** What a run used, on one line. */
export const showUsed = (used: Pick<RunOutcome, 'modelCalls' | 'toolCalls' | 'inputTokens' | 'outputTokens' | 'costUsd'>): string =>
  [count(used.modelCalls, 'model call'), count(used.toolCalls, 'tool call'), showTokens(used.inputTokens, used.outputTokens), showUsd(used.costUsd)].filter((part) => part !== '').join(' · ')

const COLOURS = { done: 'green', waiting: 'yellow', failed: 'red', limited: 'red', cancelled: 'yellow' } as const

/** Prints where a run stands. */
export const printOutcome = (io: Io, outcome: RunOutcome, reference: RunReference): void => {
  if ('output' in outcome && outcome.output !== undefined && outcome.output !== null) io.out(`\n${showOutput(outcome.output)}\n`)
  io.out(`\n${io.style(COLOURS[outcome.outcome], outcome.outcome)} · ${showUsed(outcome)}\n`)
  if ('failure' in outcome) io.out(`${io.style('red', outcome.failure.code)}: ${plain(outcome.failure.message)}\n`)
  io.out(`run ${outcome.run}\n`)
  if (outcome.outcome === 'waiting')
    io.out(`${showWaiting(outcome.waiting, reference, io) || `It is at work elsewhere, or was left; go on with it:\n    ${commandLine(['resume', outcome.run, ...reference.options], io)}`}\n`)
}

/** A row as commands print it in JSON: money in dollars. */
export const publicRow = ({ costNano, costUnknown, ...row }: RunRow): Omit<RunRow, 'costNano' | 'costUnknown'> & { readonly costUsd: number | null } => ({
  ...row,
  costUsd: costUnknown ? null : costNano / 1e9,
})
