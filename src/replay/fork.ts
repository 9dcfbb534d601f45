// A new run that begins like a recorded one: its entries up to a step, then whatever happens live. Invariant: the old run
// is only read, and nothing of its effects is performed again; what was under way at the step has not begun in the new run.
import type { Agent } from '../agent/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import { fail, type Json } from '../failure/index.ts'
import { isEnded, type Cause, type EntryBody, type Journal, type RowUpdate, type RunRow } from '../journal/index.ts'
import { bodyOf, standingAt, type Commit, type Fold } from '../run/index.ts'
import { toJson } from '../schema/index.ts'
import { identityOf } from './assembly.ts'
import { isObject } from './data.ts'
import { firstDifference } from './print.ts'
import { exportRun } from './record.ts'
import { chained, storedEntries, type Content, type Recording } from './recording.ts'
import { replayWith } from './replay.ts'

/** Where a run forks, and what is different from there. */
export interface ForkOptions {
  /** The last entry that both have, from 0. */
  readonly at: number
  /** Values to change, by path: `input.question`, `output.intent`, `event.text` of that entry, or `context.field`. Default: none. */
  readonly set?: { readonly [path: string]: Json }
  /** Time. Default: the system's. */
  readonly clock?: Clock
  /** The journal for the new run; default: that of the old one. */
  readonly into?: Journal
}

/** A value with another at a path. @throws FailureError `usage` when there is no such place. */
const withValue = (value: Json | undefined, path: readonly string[], replacement: Json, whole: string): Json => {
  const [name, ...rest] = path
  if (name === undefined) return replacement
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === name ? withValue(item, rest, replacement, whole) : item))
  if (!isObject(value)) return fail('usage', `There is no ${whole} at that step: ${JSON.stringify(value ?? null)} has no field ${name}.`)
  return { ...value, [name]: withValue(value[name], rest, replacement, whole) }
}

/** A cause with a changed value. Undefined when the path is not about the cause. */
const withChange = (cause: Cause, path: string, value: Json): Cause | undefined => {
  const [root, ...rest] = path.split('.')
  if (root === 'context') return undefined
  if (root === 'input' && cause.type === 'start') return { ...cause, input: withValue(cause.input, rest, value, path) }
  if (root === 'event' && cause.type === 'event') return { ...cause, event: withValue(cause.event as Json, rest, value, path) as typeof cause.event }
  if (root === 'output' && cause.type === 'attempt' && cause.outcome.ok) {
    const { outcome } = cause
    const wrapped = isObject(outcome.value) && outcome.value['output'] !== undefined
    return { ...cause, outcome: { ...outcome, value: withValue(outcome.value, wrapped ? ['output', ...rest] : rest, value, path) } }
  }
  const roots = { start: 'input', attempt: 'output', event: 'event' } as const
  const possible = cause.type in roots ? `${roots[cause.type as keyof typeof roots]}.… or context.…` : 'context.…'
  return fail('usage', `--set ${path} does not fit that step, which is ${cause.type === 'attempt' ? 'the result of an effect' : `a ${cause.type}`}. There it can be ${possible}.`)
}

const cut = (recording: Recording, at: number, changes: ForkOptions['set'] = {}): Recording => {
  const last = recording.entries[at]
  if (last === undefined) return fail('usage', `The run has no step ${at}; its steps are 0 to ${recording.entries.length - 1}. \`stateloop diff <run> <run>\` numbers them.`)
  const cause = Object.entries(changes).reduce((changed, [path, value]) => withChange(changed, path, value) ?? changed, last.body.cause)
  return { ...recording, entries: chained([...recording.entries.slice(0, at), { ...last, body: { ...last.body, cause } }]) }
}

/** The fold at the step, with the bodies that led there. */
const foldTo = async (agent: Agent, recording: Recording, changed: boolean): Promise<{ readonly fold: Fold; readonly commits: readonly Commit[] }> => {
  let fold: Fold | undefined
  const commits: Commit[] = []
  const last = recording.entries.length - 1
  const report = await replayWith(
    agent,
    recording,
    { all: true },
    {
      onReplayed: (folded, commit) => {
        fold = folded
        commits.push(commit)
      },
    },
  )
  const bent = report.differences.find(({ kind, stale, step }) => !stale && kind !== 'request' && kind !== 'unanswered' && !(changed && step === last))
  if (bent !== undefined || fold === undefined) {
    return fail(
      'definition_changed',
      `The run cannot be forked at step ${last} with this agent, because it no longer gets there: ${firstDifference({ ...report, differences: bent === undefined ? [] : [bent] })}. Fork at an earlier step.`,
    )
  }
  return { fold, commits }
}

/** The entry that puts the fork on changed context. */
const contextEntry = (agent: Agent, fold: Fold, changes: NonNullable<ForkOptions['set']>): Cause | undefined => {
  const paths = Object.entries(changes).filter(([path]) => path.startsWith('context.'))
  if (paths.length === 0) return undefined
  const standing = standingAt(fold) ?? fail('usage', 'The context cannot be changed there, because the run has ended or a child agent is at work. Fork at another step.')
  const context = paths.reduce<Json>((value, [path, replacement]) => withValue(value, path.split('.').slice(1), replacement, path), standing.context)
  const { agent: identity, prompts } = identityOf(agent)
  return { type: 'migrated', agent: identity, ...prompts, standing: { ...standing, context: context as typeof standing.context } }
}

/** An entry on its way into the new run, with the row that goes with it. */
interface Step {
  readonly at: number
  readonly body: EntryBody
  readonly update: RowUpdate
}

const stepOf = (commit: Commit): Step => ({ at: commit.arrival.at, body: toJson(bodyOf(commit)) as unknown as EntryBody, update: commit.row })

/** The step that stands on changed context. */
const standOn = async (agent: Agent, recording: Recording, cause: Cause, at: number): Promise<readonly Step[]> => {
  const steps: Step[] = []
  const entries = chained([...recording.entries, { at, body: { v: 1, cause, moves: [] } }])
  await replayWith(agent, { ...recording, entries }, { all: true }, { onReplayed: (_fold, commit) => void steps.push(stepOf(commit)) })
  return steps
}

/** Writes the run, its content first; the outside events too, so that later ones get the positions after them. */
const write = async (into: Journal, row: RunRow, steps: readonly Step[], contents: Iterable<Content>): Promise<void> => {
  for (const { kind, text } of contents) await into.putContent(kind, text)
  const [first, ...rest] = storedEntries({ entries: chained(steps) })
  if (first === undefined) return
  const created = await into.create({ ...row, ...steps[0]?.update, agentHash: row.agentHash, seq: 0, hash: first.hash }, first, row.id, 30_000)
  if (!created.created) return fail('usage', `Run ${row.id} exists already.`)
  for (const [index, entry] of rest.entries()) await into.append(created.lease, entry, steps[index + 1]?.update as RowUpdate)
  for (const { body } of isEnded(row.status) ? [] : steps) if (body.cause.type === 'event') await into.post(row.id, body.cause.event, body.cause.by)
  await into.release(created.lease)
}

/**
 * Writes a new run that begins like an old one. Go on with it as with any run: `runtime.resume(id, { agent })`.
 * @returns the new run's id.
 * @throws FailureError `run_not_found`, `usage` for a step or path that is not there, `definition_changed` when the agent
 * no longer gets to that step.
 * @example const id = await forkRun(journal, 'run id', agent, { at: 4, set: { 'output.intent': 'order' } })
 */
export const forkRun = async (journal: Journal, run: string, agent: Agent, { at, set = {}, clock = systemClock, into = journal }: ForkOptions): Promise<string> => {
  const id = clock.id()
  const old = await exportRun(journal, run)
  const recording = cut({ ...old, row: { ...old.row, id } }, at, set)
  const { fold, commits } = await foldTo(agent, recording, Object.keys(set).length > 0)
  const { agent: identity, prompts, contents } = identityOf(agent)
  const [first, ...rest] = commits.map(stepOf)
  if (first === undefined || first.body.cause.type !== 'start') return fail('usage', `Run ${run} was migrated before step ${at}. Fork it before the migration, with the code of that time.`)
  const begun: Step = { ...first, body: { ...first.body, cause: { ...first.body.cause, agent: identity, ...prompts, forkedFrom: { run, seq: at } } } }
  const moved = contextEntry(agent, fold, set)
  const steps = [begun, ...rest, ...(moved === undefined ? [] : await standOn(agent, recording, moved, rest.at(-1)?.at ?? first.at))]
  const { session: _session, key: _key, waiting: _waiting, dueAt: _due, output: _output, failureCode: _code, defect: _defect, ...row } = recording.row
  const last = steps.at(-1)?.update ?? row
  await write(into, { ...row, status: last.status, agentHash: agent.hash, ...(agent.version === undefined ? {} : { agentVersion: agent.version }), startedAt: clock.now() }, steps, [
    ...contents.values(),
    ...recording.contents.values(),
  ])
  return id
}
