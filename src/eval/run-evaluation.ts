// Runs an evaluation: as few trials as decide, reusing what still holds. Invariant: every trial that was run is stored, also
// when the evaluation is stopped, and the verdict says what it rests on.
import type { Agent } from '../agent/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import { memoryJournal, type Journal } from '../journal/index.ts'
import type { ModelProvider } from '../model/index.ts'
import { createRuntime } from '../run/index.ts'
import { Answers } from './answers.ts'
import { caseHash, type EvalCase } from './case.ts'
import { readCases } from './case-file.ts'
import { checkCases, type Evaluation } from './evaluation.ts'
import { judgeChange, judgeRecordings, type CaseResult, type GateResult } from './gate.ts'
import type { Identity } from './identity.ts'
import { inPool } from './pool.ts'
import { replayRecordings, type ReplayedRecording } from './recordings.ts'
import type { Agreement, MeasuredScorer, Scorer, ScoringContext } from './score.ts'
import type { ResultStore, Standing, StoredObservation } from './store.ts'
import { standingOf } from './standing.ts'
import { performTrial, type Performing } from './subject.ts'
import { scoreTrial, type Trial } from './trial.ts'

/** What happens while an evaluation runs. */
export type Progress =
  | { readonly type: 'look'; readonly trials: number; readonly running: number; readonly reused: number }
  | { readonly type: 'trial'; readonly case: EvalCase; readonly trial: Trial; readonly done: number; readonly of: number }

/** How an evaluation is run; every part has a default. */
export interface RunEvaluationOptions {
  /** What results depend on. Without it nothing is reused. */
  readonly identity?: Identity
  /** Where results are kept. Default: nowhere. */
  readonly store?: ResultStore
  /** Where judges' answers are kept. Default: nowhere. */
  readonly answers?: Answers
  /** An earlier standing to compare with, which gates. Default: none, so that the verdict rests on the trials alone. */
  readonly base?: Standing
  /** Earlier results by case, which only stand beside the new ones. Default: none. */
  readonly earlier?: ReadonlyMap<string, readonly StoredObservation[]>
  /** Reuses stored results that still hold, so that only affected cases run. Default false. */
  readonly affected?: boolean
  /** Most trials of a case. Default: the evaluation's. */
  readonly trials?: number
  /** Trials at work at the same time. Default 8. */
  readonly concurrency?: number
  /** No trial starts once this much was spent, USD. Default: no limit. */
  readonly budgetUsd?: number
  /** No trial starts after this time, milliseconds. Default: no limit. */
  readonly budgetMs?: number
  /** Who answers model calls. Default: the evaluation's own. */
  readonly providers?: readonly ModelProvider[]
  /** The application's objects for tools. Default: the evaluation's own. */
  readonly services?: NonNullable<Evaluation['services']>
  /** Where runs of agents are remembered. Default: memory. */
  readonly journal?: Journal
  /** Where the agent is loaded from, kept with its runs so that commands find it again. Default: unknown. */
  readonly source?: string
  /** Time. Default: the system's. */
  readonly clock?: Clock
  /** Stops the evaluation; what was run is kept. Default: nothing does. */
  readonly signal?: AbortSignal
  /** The commit that is run, kept with the standing. Default: none. */
  readonly commit?: string
  /** Only replays recordings. Default false. */
  readonly replayOnly?: boolean
  /** Told what happens; called for each trial. Must not throw. Default: nobody is told. */
  readonly onProgress?: (progress: Progress) => void
}

/** How far a judge can be trusted. */
export interface JudgeReport extends Agreement {
  readonly scorer: string
  readonly hash: string
}

/** What running an evaluation gave. */
export interface EvaluationResult {
  /** Name of the evaluation. */
  readonly name: string
  /** What became of each case. */
  readonly cases: readonly CaseResult[]
  /** What became of recordings. */
  readonly recordings: readonly ReplayedRecording[]
  /** The verdict against the base, with what it rests on. */
  readonly gate: GateResult
  /** When the base was run, milliseconds UTC, and its commit. */
  readonly base?: Pick<Standing, 'at' | 'commit'>
  /** How far the judges can be trusted, for those with labelled rows. */
  readonly judges: readonly JudgeReport[]
  /** Trials that were run, and those that were taken from earlier runs. */
  readonly ran: number
  /** Trials that were taken from earlier runs. */
  readonly reused: number
  /** Cost of what was run, judges included, USD; null when a price is unknown. */
  readonly costUsd: number | null
  /** How long it took, milliseconds. */
  readonly durationMs: number
  /** Milliseconds UTC. */
  readonly at: number
  /** What kept it from running more. */
  readonly stoppedBy?: 'budget-usd' | 'budget-s' | 'signal'
  /** Why stored results could not be reused, as sentences. */
  readonly unknown: readonly string[]
}

type Filled<T, K extends keyof T> = T & { readonly [P in K]-?: NonNullable<T[P]> }
type Settings = Filled<RunEvaluationOptions, 'clock' | 'trials' | 'concurrency' | 'journal' | 'signal' | 'answers' | 'providers'>

const isMeasured = (scorer: Scorer): scorer is MeasuredScorer & { readonly hash: string } => 'agreement' in scorer

/** The state of one evaluation while it runs. */
class Running {
  readonly #evaluation: Evaluation
  readonly #cases: readonly EvalCase[]
  readonly #settings: Settings
  readonly #performing: Performing
  readonly #context: ScoringContext
  readonly #trials = new Map<string, Trial[]>()
  readonly #base = new Map<string, readonly Trial[]>()
  readonly #startedAt: number
  #spentUsd = 0
  #costUnknown = false
  #ran = 0
  #stoppedBy: EvaluationResult['stoppedBy']

  constructor(evaluation: Evaluation, cases: readonly EvalCase[], settings: Settings) {
    this.#evaluation = evaluation
    this.#cases = cases
    this.#settings = settings
    this.#startedAt = settings.clock.monotonic()
    const { providers, journal, clock, signal, source } = settings
    this.#performing = { evaluation, providers, services: settings.services ?? {}, journal, clock, signal, source }
    this.#context = { run: ((agent: Agent, input: unknown) => settings.answers.ask(agent, input, (judge, asked) => this.#askJudge(judge, asked))) as ScoringContext['run'] }
  }

  async #askJudge(agent: Agent, input: unknown): ReturnType<Parameters<Answers['ask']>[2]> {
    const { providers, clock } = this.#settings
    const runtime = createRuntime({ providers, clock })
    try {
      return (await (await runtime.start(agent, input, { user: this.#evaluation.user, route: `eval/${this.#evaluation.name}/judge` })).outcome()) as never
    } finally {
      await runtime.close(0)
    }
  }

  get #spent(): number {
    return this.#spentUsd + this.#settings.answers.spentUsd
  }

  /** Whether another trial may start. */
  #mayGoOn(): boolean {
    const { budgetUsd, budgetMs, clock, signal } = this.#settings
    if (signal.aborted) this.#stoppedBy = 'signal'
    else if (budgetUsd !== undefined && this.#spent >= budgetUsd) this.#stoppedBy = 'budget-usd'
    else if (budgetMs !== undefined && clock.monotonic() - this.#startedAt >= budgetMs) this.#stoppedBy = 'budget-s'
    return this.#stoppedBy === undefined
  }

  /** Whether so many more trials fit into what is left, going by those before. */
  #fits(more: number): boolean {
    const { budgetUsd, budgetMs, clock } = this.#settings
    if (this.#ran === 0) return true
    const tookMs = clock.monotonic() - this.#startedAt
    if (budgetUsd !== undefined && this.#spent + (this.#spent / this.#ran) * more > budgetUsd) this.#stoppedBy = 'budget-usd'
    else if (budgetMs !== undefined && tookMs + (tookMs / this.#ran) * more > budgetMs) this.#stoppedBy = 'budget-s'
    return this.#stoppedBy === undefined
  }

  /** What there is of a case to compare with. */
  #earlier(one: EvalCase): readonly StoredObservation[] {
    const { base, earlier, store } = this.#settings
    const standing = base?.cases[one.id]
    if (standing === undefined || standing.hash !== caseHash(one)) return earlier?.get(one.id) ?? []
    return standing.observations.flatMap((id) => store?.get(id) ?? [])
  }

  /** Scores what is compared with by today's scorers, so that both sides are judged alike. */
  async scoreBase(): Promise<void> {
    for (const one of this.#cases) {
      const trials = await Promise.all(this.#earlier(one).map(({ id, observation }, trial) => scoreTrial(this.#evaluation, one, { trial, observation, stored: id, reused: true }, this.#context)))
      if (trials.length > 0) this.#base.set(one.id, trials)
    }
  }

  async #add(one: EvalCase, seen: Pick<Trial, 'trial' | 'observation' | 'stored' | 'reused'>): Promise<Trial> {
    const trial = await scoreTrial(this.#evaluation, one, seen, this.#context)
    this.#trials.set(
      one.id,
      [...(this.#trials.get(one.id) ?? []), trial].toSorted((a, b) => a.trial - b.trial),
    )
    return trial
  }

  /** Whether all trials so far are the base's own, because nothing that the case touches has changed. */
  #isUnchanged(one: EvalCase): boolean {
    const own = new Set(this.#base.get(one.id)?.map(({ stored }) => stored))
    const trials = this.#trials.get(one.id) ?? []
    return trials.length > 0 && trials.every(({ stored }) => own.has(stored))
  }

  /** Takes what is stored of the first trials of each case. @returns what is left to run: nothing for unchanged cases. */
  async #reuse(trials: number): Promise<readonly { readonly one: EvalCase; readonly trial: number }[]> {
    const { affected = false, store, identity } = this.#settings
    const missing: { readonly one: EvalCase; readonly trial: number }[] = []
    for (let trial = 0; trial < trials; trial++) {
      for (const one of this.#cases) {
        if (this.#trials.get(one.id)?.some((known) => known.trial === trial) === true) continue
        const stored = affected && identity !== undefined ? store?.find(identity, one, trial) : undefined
        if (stored === undefined && !this.#isUnchanged(one)) missing.push({ one, trial })
        else if (stored !== undefined) await this.#add(one, { trial, observation: stored.observation, stored: stored.id, reused: true })
      }
    }
    return missing
  }

  async #perform(one: EvalCase, at: number): Promise<Trial> {
    const { store, identity } = this.#settings
    const observation = await performTrial(one, this.#performing)
    this.#ran += 1
    if (observation.costUsd === null) this.#costUnknown = true
    else this.#spentUsd += observation.costUsd
    const probe = await scoreTrial(this.#evaluation, one, { trial: at, observation, stored: '', reused: false }, this.#context)
    const stored = probe.status === 'error' || store === undefined || identity === undefined ? '' : store.put(identity, one, at, observation).id
    const trial: Trial = { ...probe, stored }
    this.#trials.set(
      one.id,
      [...(this.#trials.get(one.id) ?? []).filter((known) => known.trial !== at), trial].toSorted((a, b) => a.trial - b.trial),
    )
    return trial
  }

  /** Brings every case to so many trials, as far as budgets allow. @returns false when something kept it from that. */
  async upTo(trials: number): Promise<boolean> {
    const missing = await this.#reuse(trials)
    const { onProgress, concurrency } = this.#settings
    onProgress?.({ type: 'look', trials, running: missing.length, reused: [...this.#trials.values()].flat().filter((known) => known.reused).length })
    if (missing.length > 0 && !this.#fits(missing.length)) return false
    let done = 0
    const tasks = missing.map(({ one, trial }) => async (): Promise<void> => {
      const result = await this.#perform(one, trial)
      done += 1
      onProgress?.({ type: 'trial', case: one, trial: result, done, of: missing.length })
    })
    await inPool(tasks, concurrency, () => this.#mayGoOn())
    return this.#stoppedBy === undefined
  }

  results(): readonly CaseResult[] {
    return this.#cases.map((one) => {
      const base = this.#base.get(one.id)
      return { case: one, trials: this.#trials.get(one.id) ?? [], ...(base === undefined ? {} : { base }), unchanged: this.#isUnchanged(one) }
    })
  }

  async judges(): Promise<readonly JudgeReport[]> {
    const measured = Object.entries(this.#evaluation.scorers).filter((entry): entry is [string, MeasuredScorer & { readonly hash: string }] => isMeasured(entry[1]))
    const reports = await Promise.all(measured.map(async ([scorer, judge]) => ({ scorer, hash: judge.hash, ...(await judge.agreement(this.#context)) })))
    return reports.filter(({ rows }) => rows > 0)
  }

  end(gate: GateResult, judges: readonly JudgeReport[], recordings: readonly ReplayedRecording[]): EvaluationResult {
    const { base, clock, identity } = this.#settings
    const cases = this.results()
    return {
      name: this.#evaluation.name,
      cases,
      recordings,
      gate,
      ...(base === undefined ? {} : { base: { at: base.at, ...(base.commit === undefined ? {} : { commit: base.commit }) } }),
      judges,
      ran: this.#ran,
      reused: cases.reduce((sum, { trials }) => sum + trials.filter(({ reused }) => reused).length, 0),
      costUsd: this.#costUnknown ? null : this.#spent,
      durationMs: Math.round(clock.monotonic() - this.#startedAt),
      at: clock.now(),
      ...(this.#stoppedBy === undefined ? {} : { stoppedBy: this.#stoppedBy }),
      unknown: identity?.unknown ?? [],
    }
  }
}

/** Numbers of trials at which to look: the gate's up to the most, which is always one of them. */
const looksUpTo = (looks: readonly number[], most: number): readonly number[] => [...looks.filter((trials) => trials < most), most]

/** Runs as few trials as decide. */
const lookUntilDecided = async (running: Running, evaluation: Evaluation, settings: Settings): Promise<GateResult> => {
  await running.scoreBase()
  const looks = settings.base === undefined ? [settings.trials] : looksUpTo(evaluation.gate.looks, settings.trials)
  let gate: GateResult | undefined
  for (const trials of looks) {
    const complete = await running.upTo(trials)
    gate = judgeChange(running.results(), evaluation.gate, looks.length)
    if (!complete || !gate.wantsMore) break
  }
  return gate ?? judgeChange([], evaluation.gate, 1)
}

/** Runs an evaluation to its verdict: recordings first, and nothing more when one of them goes another way. @throws FailureError `usage` when a case or a scorer is wrong. */
export const runEvaluation = async (evaluation: Evaluation, options: RunEvaluationOptions = {}): Promise<EvaluationResult> => {
  const cases = 'kind' in evaluation.cases ? await readCases(evaluation.cases) : evaluation.cases
  checkCases(evaluation.name, cases)
  const { clock = systemClock } = options
  const settings: Settings = {
    ...options,
    clock,
    trials: options.trials ?? evaluation.trials,
    concurrency: options.concurrency ?? 8,
    journal: options.journal ?? memoryJournal({ clock }),
    signal: options.signal ?? new AbortController().signal,
    answers: options.answers ?? (await Answers.open()),
    providers: [...(evaluation.providers ?? []), ...(options.providers ?? [])],
  }
  const running = new Running(evaluation, cases, settings)
  try {
    const recordings = await replayRecordings(evaluation)
    const blocked = judgeRecordings(recordings, options.replayOnly === true)
    if (blocked !== undefined) return running.end(blocked, [], recordings)
    const gate = await lookUntilDecided(running, evaluation, settings)
    const result = running.end(gate, await running.judges(), recordings)
    if (options.store !== undefined && options.identity !== undefined && options.earlier === undefined) options.store.stand(standingOf(result, options.identity, options.commit))
    return result
  } finally {
    await options.store?.save()
    await options.answers?.save()
  }
}
