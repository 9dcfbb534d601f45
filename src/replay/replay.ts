// Replays a recording: the same fold over the same causes as in production, with the recording as the one who answers.
// Invariant: at level `recorded` nothing outside is touched: no network, no clock, no randomness.
import type { Agent } from '../agent/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import type { Entry } from '../journal/index.ts'
import { actingOf, drive, openFold, performAttempt, type ActingOptions, type Commit, type Fold, type StepRequest } from '../run/index.ts'
import type { PromptChooser } from '../prompt/index.ts'
import { Answers, type AnswersOptions } from './answers.ts'
import { Comparison, type Match } from './compare.ts'
import type { Difference, ReplayReport } from './difference.ts'
import { contentStore } from './content-store.ts'
import { firstFolded, storedEntries, type Recording } from './recording.ts'
import { twinOf } from './twin.ts'
import { versionsFor } from './versions.ts'

/**
 * What is performed anew. `pure`: nothing, and only transitions are compared. `recorded`: nothing. `tools-live`: tools,
 * code and retrieval, whose results must be the recorded ones. `model-live`: model calls; what they lead to is not compared.
 */
export type ReplayLevel = 'pure' | 'recorded' | 'tools-live' | 'model-live'

/** How to replay. Providers, services and prices are for what is performed anew. */
export interface ReplayOptions extends ActingOptions {
  /** Default `recorded`. */
  readonly level?: ReplayLevel
  /** What counts as the same; default `strict`. */
  readonly match?: Match
  /** Differences before this entry are left out. Default 0. */
  readonly from?: number
  /** Go on after a difference as far as the recording can answer, to see all of them. Default false. */
  readonly all?: boolean
  /** Chooses versions of prompts as a runtime would; default: those in the code. Variants of experiments stay as recorded. */
  readonly prompts?: PromptChooser
  /** For what is performed anew; default: the machine's own. */
  readonly clock?: Clock
  /**
   * Evaluate guards, save, vars and args a second time, as if a year later: what then differs reads the clock, randomness
   * or a variable of its own, and would break resuming. Default false; the matcher of `stateloop/testing` sets it.
   */
  readonly twice?: boolean
  /** What the report calls the recording; default its run id. */
  readonly name?: string
}

const LIVE: { readonly [level in ReplayLevel]: ReadonlySet<StepRequest['kind']> } = {
  pure: new Set(),
  recorded: new Set(),
  'tools-live': new Set(['tools', 'tool', 'code', 'retrieve', 'rerank'] as const),
  'model-live': new Set(['model', 'decide'] as const),
}

/** Who performs attempts anew. */
const performer = (level: ReplayLevel, options: ReplayOptions, contents: ReturnType<typeof contentStore>): AnswersOptions['perform'] => {
  if (LIVE[level].size === 0) return () => undefined
  const acting = actingOf({ breaker: false, limiter: false, ...options }, options.clock ?? systemClock, contents, [])
  return (request) => (LIVE[level].has(request.kind) ? performAttempt(acting, request) : undefined)
}

/** Ends a replay at its first difference. */
class Stop extends Error {}

/** Called with each folded step; `entry` is the recorded one it came from. */
export type OnReplayed = (fold: Fold, commit: Commit, entry: Entry | undefined) => void

/** What a replay needs beside its options. */
interface ReplayHooks {
  /** Which prompts the run renders: those of today, or those it was recorded with. Default `current`. */
  readonly versions?: 'recorded' | 'current'
  readonly onRequest?: (request: StepRequest) => void
  readonly onReplayed?: OnReplayed
}

const sameChange = (a: Difference, b: Difference): boolean => a.stale && b.stale && a.blame.what === b.blame.what && a.blame.name === b.blame.name && a.blame.after === b.blame.after

const statusOf = (differences: readonly Difference[]): ReplayReport['status'] => {
  if (differences.length === 0) return 'same'
  return differences.every(({ stale }) => stale) ? 'stale' : 'diverged'
}

/** Replays, with hooks for what else is made of it. */
export const replayWith = async (agent: Agent, recording: Recording, options: ReplayOptions, hooks: ReplayHooks): Promise<ReplayReport> => {
  const { level = 'recorded', match = 'strict', from = 0, all = false, name = recording.row.id } = options
  const contents = contentStore(recording.contents)
  const versions = hooks.versions === 'recorded' ? undefined : versionsFor(agent, recording, options.prompts)
  const open = async (): Promise<Fold> => (await openFold(contents, agent, recording.row.id, storedEntries(recording), versions)).fold
  const fold = await open()
  const evaluateAgain = options.twice === true ? twinOf(fold, await open()) : undefined
  const [first, ...entries] = recording.entries.slice(firstFolded(recording))
  if (first === undefined) throw new Error(`Recording ${name} has no entries.`)
  const differences: Difference[] = []
  const found = (difference: Difference): void => {
    if (difference.step < from || differences.some((known) => sameChange(known, difference))) return
    differences.push(difference)
    if (!difference.stale && !all) throw new Stop()
  }
  const compare = new Comparison({ recording, agent, fold, match: level === 'pure' ? 'none' : match, free: level === 'model-live', found })
  let steps = 0
  const port = new Answers({
    entries,
    asks: recording.asks,
    findBy: level === 'model-live' ? 'call' : all || match === 'sequence' ? 'name' : 'key',
    perform: performer(level, options, contents),
    onRequest: (request, answer) => {
      hooks.onRequest?.(request)
      compare.request(request, answer)
    },
    onPerformed: (request, answer, outcome) => compare.result(request, answer, outcome),
    onCommit: (commit, entry, inOrder) => {
      // Actions of the author's machine were performed then; a replay does not perform them again.
      fold.takeActs()
      steps += 1
      hooks.onReplayed?.(fold, commit, entry)
      const unstable = evaluateAgain?.(commit)
      if (unstable !== undefined) compare.unstable(unstable, entry)
      compare.commit(commit, entry, inOrder)
    },
  })
  try {
    await drive(fold, port, () => {}, port.begin(first))
    compare.rest(port.unused(), port.open())
  } catch (error) {
    if (!(error instanceof Stop)) throw error
  }
  return { name, status: statusOf(differences), steps, differences, ...(fold.end === undefined ? {} : { end: fold.end }) }
}

/**
 * Replays a recording against an agent and says where it first differs.
 * @throws FailureError `journal_corrupt` when content that the run needs is not in the recording.
 * @example const report = await replay(agent, await readRecording('recordings/refund.jsonl')); console.log(report.status)
 */
export const replay = (agent: Agent, recording: Recording, options: ReplayOptions = {}): Promise<ReplayReport> => replayWith(agent, recording, options, {})
