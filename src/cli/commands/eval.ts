// `stateloop eval`: runs evaluations, compares them with a base and says whether the change may go in. Invariant: the exit
// code is the verdict, and what stood in the way of judging never counts as a regression.
import { systemClock } from '../../clock/index.ts'
import { overallOf, runEvaluation, type EvalReport, type EvaluationResult, type Overall, type ReportedEvaluation, jsonReport } from '../../eval/index.ts'
import type { Journal } from '../../journal/index.ts'
import { JSON_OPTION, type CommandDefinition } from '../command.ts'
import { findEvaluations } from '../eval/find-evaluations.ts'
import { cleanCommit } from '../eval/git.ts'
import { findBase, openAnswers, openEvaluation, openRuns, positive, resultsFolder, runsDatabase, sourceOf, type OpenEvaluation } from '../eval/open-evaluation.ts'
import { progressView, showEvaluation } from '../eval/show-evaluation.ts'
import { watchEvaluations } from '../eval/watch.ts'
import { formatsOf, shownPath, tellGitHub, writeReports } from '../eval/write-reports.ts'
import type { Io } from '../io.ts'
import { openProject, type Project } from '../project.ts'
import { commandLine } from '../shell.ts'
import { defined } from '../../schema/index.ts'

interface EvalOptions {
  readonly json?: boolean
  readonly affected?: boolean
  readonly base?: string
  readonly trials?: string
  readonly concurrency?: string
  readonly budgetUsd?: string
  readonly budgetS?: string
  readonly report?: readonly string[]
  readonly out?: string
  readonly strict?: boolean
  readonly watch?: boolean
  readonly replayOnly?: boolean
}

/** What the process ends with; `inconclusive` only when it was asked to be strict. */
const EXIT_OF: { readonly [K in Overall]: number } = { non_inferior: 0, regressed: 1, infrastructure: 3, inconclusive: 4 }

/** Numbers from the command line; absent ones stay absent. */
const settingsOf = ({ trials, concurrency, budgetUsd, budgetS }: EvalOptions): { readonly trials?: number; readonly concurrency?: number; readonly budgetUsd?: number; readonly budgetMs?: number } => {
  const seconds = positive(budgetS, '--budget-s', false)
  return defined({
    trials: positive(trials, '--trials', true),
    concurrency: positive(concurrency, '--concurrency', true),
    budgetUsd: positive(budgetUsd, '--budget-usd', false),
    budgetMs: seconds === undefined ? undefined : seconds * 1_000,
  })
}

const stopOnSignal = (): { readonly signal: AbortSignal; readonly release: () => void } => {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return { signal: controller.signal, release: () => void process.off('SIGINT', stop).off('SIGTERM', stop) }
}

interface Around {
  readonly io: Io
  readonly project: Project
  readonly options: EvalOptions
  readonly journal: Journal
  readonly commit: string | undefined
  readonly signal: AbortSignal
}

const runOne = async ({ io, project, options, journal, commit, signal }: Around, open: OpenEvaluation, spentUsd: number): Promise<EvaluationResult> => {
  const { evaluation, identity, store, providers, services } = open
  const base = options.base === undefined ? undefined : await findBase(project, store, options.base)
  if (options.base !== undefined && base === undefined && options.json !== true)
    io.err(`${io.style('yellow', `${evaluation.name} has no results for ${options.base}.`)} Run \`stateloop eval\` there and keep .stateloop/evals, or compare with --base last.\n`)
  const view = progressView(io, evaluation.name)
  const { budgetUsd, ...settings } = settingsOf(options)
  try {
    return await runEvaluation(evaluation, {
      ...settings,
      ...(budgetUsd === undefined ? {} : { budgetUsd: Math.max(0, budgetUsd - spentUsd) }),
      identity,
      store,
      answers: await openAnswers(project),
      ...(base === undefined ? {} : { base }),
      affected: options.affected === true,
      replayOnly: options.replayOnly === true,
      providers,
      services,
      journal,
      ...sourceOf(project, identity),
      signal,
      ...(commit === undefined ? {} : { commit }),
      ...(options.json === true ? {} : { onProgress: view.show }),
    })
  } finally {
    view.clear()
  }
}

const runAll = async (io: Io, files: readonly string[], options: EvalOptions): Promise<number> => {
  const formats = formatsOf(options.report)
  const project = await openProject(io)
  const found = await findEvaluations(project, files)
  const openRun = (run: string): string => commandLine(['inspect', run, '--db', shownPath(io, runsDatabase(project))], io)
  const { signal, release } = stopOnSignal()
  const around: Around = { io, project, options, journal: openRuns(project), commit: await cleanCommit(project.root), signal }
  const evaluations: ReportedEvaluation[] = []
  const notes = new Set<string>()
  try {
    let spentUsd = 0
    for (const one of found) {
      const open = await openEvaluation(io, project, one)
      for (const note of open.notes.filter((text) => !notes.has(text))) {
        notes.add(note)
        if (options.json !== true) io.err(`${io.style('dim', note)}\n`)
      }
      if (open.store.damaged > 0 && options.json !== true) io.err(`${io.style('yellow', `${open.store.damaged} lines of ${shownPath(io, open.store.path)} cannot be read and are left out`)}\n`)
      const result = await runOne(around, open, spentUsd)
      spentUsd += result.costUsd ?? 0
      evaluations.push({ result, history: open.store.standings })
      if (options.json !== true) io.out(`${showEvaluation(io, result, openRun)}\n`)
    }
  } finally {
    release()
    await around.journal.close()
  }
  const report: EvalReport = { evaluations, openRun, at: systemClock.now() }
  for (const path of await writeReports(report, formats, options.out ?? resultsFolder(project))) if (options.json !== true) io.out(`wrote ${shownPath(io, path)}\n`)
  if (options.json === true) io.out(`${JSON.stringify(jsonReport(report), null, 2)}\n`)
  else await tellGitHub(io, report)
  const overall = overallOf(report)
  return overall === 'inconclusive' && options.strict !== true ? 0 : EXIT_OF[overall]
}

/** `stateloop eval [files]`. */
export const evalCommand: CommandDefinition<EvalOptions> = {
  name: 'eval',
  about: 'run evaluations and compare them with a base; exit 0 no loss, 1 regressed, 2 usage, 3 infrastructure, 4 inconclusive with --strict',
  args: [{ name: 'files', about: 'evaluation files or folders; default every *.eval.ts of the project', optional: true, many: true }],
  options: [
    JSON_OPTION,
    { flags: '--base <ref>', about: "compare with the stored results of this git ref's commit, or with the `last` run" },
    { flags: '--affected', about: 'reuse stored results that still hold, so that only affected cases run' },
    { flags: '--trials <n>', about: "most trials of a case; default the evaluation's" },
    { flags: '--concurrency <n>', about: 'trials at work at the same time; default 8' },
    { flags: '--budget-usd <usd>', about: 'start no trial once this much was spent' },
    { flags: '--budget-s <seconds>', about: 'start no trial of an evaluation after this time' },
    { flags: '--report <formats>', about: 'write reports: html, md, junit, json, with commas between', many: true },
    { flags: '--out <folder>', about: 'where reports go; default .stateloop/evals' },
    { flags: '--replay-only', about: 'only replay recordings, which needs no network and no model' },
    { flags: '--strict', about: 'exit with 4 when the verdict is inconclusive' },
    { flags: '--watch', about: 'run again whenever a file that results depend on changes' },
  ],
  run: (io, files, options) => (options.watch === true ? watchEvaluations(io, files, options) : runAll(io, files, options)),
}
