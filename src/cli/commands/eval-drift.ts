// `stateloop eval drift`: runs pinned cases anew and says whether the provider or our own change moved them. Invariant:
// nothing stored is taken for new, so the provider is really asked.
import { findDrift, percent, pointsRange, type DriftGroup, type DriftResult } from '../../eval/index.ts'
import { fail } from '../../failure/index.ts'
import { JSON_OPTION, type CommandDefinition } from '../command.ts'
import { showUsd } from '../amounts.ts'
import { findEvaluations } from '../eval/find-evaluations.ts'
import { openAnswers, openEvaluation, openRuns, positive, sourceOf } from '../eval/open-evaluation.ts'
import { progressView } from '../eval/show-evaluation.ts'
import { plain, type Io } from '../io.ts'
import { openProject } from '../project.ts'

interface DriftOptions {
  readonly json?: boolean
  readonly since?: string
  readonly trials?: string
  readonly concurrency?: string
}

const sinceOf = (text: string | undefined): number => {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? fail('usage', `--since must be a date, such as 2026-09-01, not ${JSON.stringify(text ?? '')}. Results from then on are compared with.`) : time
}

const TITLES: { readonly [K in DriftGroup['kind']]: string } = { provider: 'unchanged hashes: a difference is the provider’s', ours: 'changed hashes: a difference is at least in part our own' }

const ratio = ({ before, after, interval }: DriftGroup['length']): string => `${(after / before).toFixed(2)} times (${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`

const showGroup = (io: Io, group: DriftGroup): readonly string[] => {
  const { kind, cases, trialsBefore, trialsAfter, passRate, paths, refusals, length, costUsd, findings } = group
  return [
    `  ${TITLES[kind]} (${cases} cases, ${trialsBefore} trials before, ${trialsAfter} now)`,
    `    pass rate  ${percent(passRate.before)} → ${percent(passRate.after)} (${pointsRange(passRate.interval)})`,
    `    paths      divergence ${paths.divergence.toFixed(3)}, by chance ${percent(paths.chance)}`,
    `    refusals   ${percent(refusals.before)} → ${percent(refusals.after)}`,
    `    length     ${ratio(length)}`,
    ...(costUsd === null ? [] : [`    cost       ${ratio(costUsd)}, now ${showUsd(costUsd.after)} a trial`]),
    ...(findings.length === 0 ? [`    ${io.style('green', 'nothing beyond noise')}`] : findings.map((finding) => `    ${io.style('red', plain(finding))}`)),
  ]
}

const show = (io: Io, { name, groups, unknown }: DriftResult): string =>
  `${[
    io.style(
      groups.some(({ findings }) => findings.length > 0) ? 'red' : 'green',
      `${name}: ${groups.length === 0 ? 'nothing to compare with' : groups.some(({ findings }) => findings.length > 0) ? 'drifted' : 'steady'}`,
    ),
    ...groups.flatMap((group) => showGroup(io, group)),
    ...(unknown.length === 0 ? [] : [`  no earlier results of ${unknown.length} cases since then, such as ${unknown.slice(0, 3).join(', ')}`]),
  ].join('\n')}\n`

const drift = async (io: Io, files: readonly string[], options: DriftOptions): Promise<number> => {
  const since = sinceOf(options.since)
  const trials = positive(options.trials, '--trials', true)
  const concurrency = positive(options.concurrency, '--concurrency', true)
  const project = await openProject(io)
  const found = await findEvaluations(project, files)
  const journal = openRuns(project)
  const results: DriftResult[] = []
  try {
    for (const one of found) {
      const { evaluation, identity, store, providers, services } = await openEvaluation(io, project, one)
      const view = progressView(io, evaluation.name)
      const settings = { ...(trials === undefined ? {} : { trials }), ...(concurrency === undefined ? {} : { concurrency }), ...(options.json === true ? {} : { onProgress: view.show }) }
      const result = await findDrift(evaluation, { ...settings, since, identity, store, providers, services, journal, ...sourceOf(project, identity), answers: await openAnswers(project) })
      view.clear()
      results.push(result)
      if (options.json !== true) io.out(show(io, result))
    }
  } finally {
    await journal.close()
  }
  if (options.json === true) io.out(`${JSON.stringify({ drift: results }, null, 2)}\n`)
  return results.some(({ groups }) => groups.some(({ findings }) => findings.length > 0)) ? 1 : 0
}

/** `stateloop eval drift [files]`. */
export const evalDriftCommand: CommandDefinition<DriftOptions> = {
  name: 'eval drift',
  about: 'run pinned cases anew and compare them with earlier results; exit 1 when they moved by more than noise',
  args: [{ name: 'files', about: 'evaluation files or folders; default every *.eval.ts of the project', optional: true, many: true }],
  options: [
    JSON_OPTION,
    { flags: '--since <date>', about: 'compare with results from this date on' },
    { flags: '--trials <n>', about: "trials of each case; default the evaluation's" },
    { flags: '--concurrency <n>', about: 'trials at work at the same time; default 8' },
  ],
  run: drift,
}
