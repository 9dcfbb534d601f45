// `stateloop prompts compare`: the variants of an experiment beside each other, each figure with its interval. Without an
// experiment the versions are compared as they ran, and the output says that nobody was assigned to them by chance.
import { join } from 'node:path'
import { systemClock } from '../../../clock/index.ts'
import { fail } from '../../../failure/index.ts'
import { percent, percentRange, scoresOf, signedPoints, type VersionScore } from '../../../eval/index.ts'
import { CONTROL, lockedOf } from '../../../prompt/index.ts'
import { showDuration, showUsd } from '../../amounts.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { oneLine, type Io } from '../../io.ts'
import { loadAgent } from '../../load-agent.ts'
import { promptRuns, type PromptRun } from '../../prompts/calls.ts'
import { short } from '../../prompts/known.ts'
import { differenceFrom, measure, type Difference, type Measured, type Measures } from '../../prompts/measure.ts'
import { PROMPT_ARGUMENT, PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'
import { timeOf } from '../../period.ts'
import { table } from '../../table.ts'

interface CompareOptions extends PromptOptions {
  readonly experiment?: string
  readonly since?: string
}

/** One side of a comparison. */
interface Side {
  readonly variant: string
  readonly hash: string
  readonly measures: Measures
  readonly scores: readonly VersionScore[]
  /** Against control; absent for control itself. */
  readonly difference?: Difference
}

const scoresFor = async ({ project, inCode }: Workspace, id: string, hash: string): Promise<readonly VersionScore[]> => {
  const folder = join(project.root, '.stateloop', 'evals')
  const scores: VersionScore[] = []
  for (const name of inCode.get(id)?.agents ?? []) scores.push(...(await scoresOf(folder, (await loadAgent(project, name)).agent, id, hash)))
  return [...new Map(scores.map((score) => [score.evaluation, score])).values()]
}

const sidesOf = async (workspace: Workspace, id: string, runs: readonly PromptRun[], named: boolean): Promise<readonly Side[]> => {
  const groups = Map.groupBy(runs, ({ assignment: { variant, hash } }) => (named ? `${variant ?? ''} ${hash}` : hash))
  const control = runs.filter(({ assignment }) => assignment.variant === CONTROL)
  const sides = await Promise.all(
    [...groups.values()].map(async (group): Promise<Side> => {
      const { variant, hash } = group[0]?.assignment ?? { hash: '' }
      const isVariant = named && variant !== CONTROL && control.length > 0
      return {
        variant: named ? (variant ?? '') : short(hash),
        hash,
        measures: measure(group),
        scores: await scoresFor(workspace, id, hash),
        ...(isVariant ? { difference: differenceFrom(measure(control), measure(group)) } : {}),
      }
    }),
  )
  return sides.toSorted((a, b) => Number(b.variant === CONTROL) - Number(a.variant === CONTROL) || (a.variant < b.variant ? -1 : 1))
}

const figure = ({ value, interval }: Measured, show: (value: number) => string): string => {
  if (value === null) return ''
  return interval === null ? show(value) : `${show(value)} [${show(interval[0])}, ${show(interval[1])}]`
}

const money = (usd: number): string => (usd < 0 ? `−${showUsd(-usd)}` : showUsd(usd))
const milliseconds = (ms: number): string => (ms < 0 ? `−${showDuration(-ms)}` : showDuration(ms))
const shareText = ({ value, interval }: Measured): string => (value === null ? '' : `${percent(value)}${interval === null ? '' : ` [${percentRange(interval)}]`}`)
const scoreText = (scores: readonly VersionScore[]): string => scores.map(({ evaluation, passRate, interval }) => `${evaluation} ${percent(passRate)}${interval === null ? '' : ` [${percentRange(interval)}]`}`).join(', ')

const rowOf = ({ variant, hash, measures, scores }: Side): readonly string[] => [
  oneLine(variant),
  short(hash),
  String(measures.units),
  String(measures.runs),
  String(measures.calls),
  figure(measures.costUsdPerRun, money),
  figure(measures.latencyMsP50, showDuration),
  shareText(measures.failedCalls),
  shareText(measures.failedRuns),
  scoreText(scores),
]

const verdictOf = ({ value, interval }: Measured, more: string, less: string): string =>
  value === null || interval === null || (interval[0] <= 0 && interval[1] >= 0) ? 'no difference that is sure' : value > 0 ? more : less

const differenceText = ({ variant, difference }: Side): readonly string[] => {
  if (difference === undefined) return []
  const { costUsdPerRun: cost, latencyMsP50: latency, failedRuns: failed } = difference
  return [
    `${oneLine(variant)} against ${CONTROL}: cost per run ${figure(cost, money)}, ${verdictOf(cost, 'dearer', 'cheaper')}; latency p50 ${figure(latency, milliseconds)}, ${verdictOf(latency, 'slower', 'faster')}; failed runs, points ${figure(failed, (share) => signedPoints(share))}, ${verdictOf(failed, 'worse', 'better')}`,
  ]
}

const HEAD = ['variant', 'version', 'units', 'runs', 'calls', 'cost per run', 'latency p50', 'failed calls', 'failed runs', 'eval score'] as const

const experimentOf = ({ lock }: Workspace, id: string, named: string | undefined, runs: readonly PromptRun[]): string | undefined =>
  named ?? lockedOf(lock, id)?.rollout?.experiment ?? runs.findLast(({ assignment }) => assignment.experiment !== undefined)?.assignment.experiment

const compare = (io: Io, id: string, options: CompareOptions): Promise<number> =>
  withWorkspace(io, options, async (workspace) => {
    const since = options.since === undefined ? 0 : timeOf(options.since, systemClock.now(), '--since')
    const all = workspace.journal === undefined ? [] : await promptRuns(workspace.journal, id, since)
    const experiment = experimentOf(workspace, id, options.experiment, all)
    const inIt = experiment === undefined ? [] : all.filter(({ assignment }) => assignment.experiment === experiment)
    const named = inIt.length > 0
    if (options.experiment !== undefined && !named) fail('usage', `No run took part in the experiment ${JSON.stringify(options.experiment)} of ${id}. Leave --experiment out to compare what ran.`)
    const sides = await sidesOf(workspace, id, named ? inIt : all, named)
    const note = named ? undefined : 'not an experiment: these versions ran at different times or for different users, so a difference need not come from the prompt'
    if (options.json === true) io.out(`${JSON.stringify({ prompt: id, ...(named ? { experiment } : { note }), level: 0.95, sides }, null, 2)}\n`)
    else if (sides.length === 0) io.out(`${id} made no calls that could be compared\n`)
    else {
      io.out(`${oneLine(id)}${named ? ` · experiment ${oneLine(experiment ?? '')} by ${inIt[0]?.assignment.unit ?? ''}` : ''} · intervals hold 95 %\n${table([HEAD, ...sides.map(rowOf)])}\n`)
      for (const line of sides.flatMap(differenceText)) io.out(`${line}\n`)
      if (note !== undefined) io.out(`${note}\n`)
    }
    return EXIT.done
  })

/** `stateloop prompts compare <id>`. */
export const comparePromptCommand: CommandDefinition<CompareOptions> = {
  name: 'prompts compare',
  about: 'compare the variants of an experiment: cost, latency, failures and eval scores, with intervals',
  args: [PROMPT_ARGUMENT],
  options: [
    ...PROMPT_OPTIONS,
    { flags: '--experiment <name>', about: 'default: the one under way, else the last one' },
    { flags: '--since <time>', about: 'only runs started since: how long ago (7d, 24h, 2w) or a date' },
  ],
  run: (io, [id = ''], options) => compare(io, id, options),
}
