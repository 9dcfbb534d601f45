// `stateloop prompts log`: what each version of a prompt did: when it ran first and last, calls, cost, failures, latency.
// Read from the ledger, so it answers at once however many runs there were.
import { systemClock } from '../../../clock/index.ts'
import { addTotal, emptyTotal, quantile, RUN_DIMENSIONS, type Total } from '../../../cost/index.ts'
import { fail } from '../../../failure/index.ts'
import { count, showDuration, showTime, showTokens, showUsd } from '../../amounts.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import type { Io } from '../../io.ts'
import { knownVersions, short } from '../../prompts/known.ts'
import { PROMPT_ARGUMENT, PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'
import { timeOf } from '../../period.ts'
import { table } from '../../table.ts'

interface LogOptions extends PromptOptions {
  readonly since?: string
}

/** What one version did. */
interface VersionLog {
  readonly hash: string
  readonly where: readonly string[]
  readonly firstAt: number
  readonly lastAt: number
  readonly runs: number
  /** Billed ones. */
  readonly calls: number
  /** Billed ones that failed. */
  readonly failed: number
  /** Sent and failed without being billed. */
  readonly unbilled: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** null when nothing had a known price. */
  readonly costUsd: number | null
  readonly unpriced: number
  readonly latencyMsP50: number | null
  readonly latencyMsP95: number | null
}

/** Counts of runs by this grouping are those of runs by version. */
const BY_VERSION = 1 << RUN_DIMENSIONS.indexOf('promptHash')

const logOf = (total: Total, hash: string, where: readonly string[]): VersionLog => ({
  hash,
  where,
  firstAt: total.firstAt,
  lastAt: total.lastAt,
  runs: total.runs[BY_VERSION] ?? 0,
  calls: total.calls,
  failed: total.failed,
  unbilled: total.unbilled,
  inputTokens: total.inputTokens,
  outputTokens: total.outputTokens,
  costUsd: total.calls > 0 && total.unpriced === total.calls ? null : total.costNano / 1e9,
  unpriced: total.unpriced,
  latencyMsP50: quantile(total.latencies, 0.5),
  latencyMsP95: quantile(total.latencies, 0.95),
})

/** What every version did, the one that ran last first. */
const readLog = async (workspace: Workspace, id: string, sinceMs: number): Promise<readonly VersionLog[]> => {
  const { journal } = workspace
  if (journal?.ledger === undefined) return []
  const totals = new Map<string, Total>()
  for (const { key, total } of await journal.ledger.read({ sinceMs, untilMs: systemClock.now() + 1, where: { prompt: id } })) {
    const hash = key.promptHash ?? ''
    const sum = totals.get(hash) ?? emptyTotal()
    addTotal(sum, total)
    totals.set(hash, sum)
  }
  const known = (await knownVersions(workspace)).filter((version) => version.id === id)
  const logs = [...totals].map(([hash, total]) => {
    const version = known.find((one) => one.hash.startsWith(hash))
    return logOf(total, version?.hash ?? hash, version?.where ?? ['a function'])
  })
  return logs.toSorted((a, b) => b.lastAt - a.lastAt)
}

const share = (part: number, whole: number): string => (whole === 0 ? '' : `${((part * 100) / whole).toFixed(1)} %`)
const duration = (ms: number | null): string => (ms === null ? '' : showDuration(ms))

const rowOf = (log: VersionLog): readonly string[] => [
  short(log.hash),
  log.where.filter((where) => where !== 'ran' && where !== 'released').join(', '),
  showTime(log.firstAt),
  showTime(log.lastAt),
  String(log.runs),
  String(log.calls),
  share(log.failed + log.unbilled, log.calls + log.unbilled),
  showTokens(log.inputTokens, log.outputTokens),
  `${showUsd(log.costUsd)}${log.costUsd !== null && log.unpriced > 0 ? ` + ${count(log.unpriced, 'call')} unpriced` : ''}`,
  duration(log.latencyMsP50),
  duration(log.latencyMsP95),
]

const HEAD = ['version', 'is', 'first', 'last', 'runs', 'calls', 'failed', 'tokens', 'cost', 'p50', 'p95'] as const

const log = (io: Io, id: string, options: LogOptions): Promise<number> =>
  withWorkspace(io, options, async (workspace) => {
    const sinceMs = options.since === undefined ? 0 : timeOf(options.since, systemClock.now(), '--since')
    const logs = await readLog(workspace, id, sinceMs)
    const known = await knownVersions(workspace)
    if (logs.length === 0 && !known.some((version) => version.id === id)) fail('usage', `There is no prompt ${JSON.stringify(id)}. \`stateloop prompts list\` lists those of the agents.`)
    if (options.json === true) io.out(`${JSON.stringify({ prompt: id, versions: logs }, null, 2)}\n`)
    else if (logs.length === 0) io.out(`${id} made no calls${options.since === undefined ? '' : ` since ${showTime(sinceMs)}`}\n`)
    else io.out(`${table([HEAD, ...logs.map(rowOf)])}\n`)
    return EXIT.done
  })

/** `stateloop prompts log <id>`. */
export const logPromptCommand: CommandDefinition<LogOptions> = {
  name: 'prompts log',
  about: 'what each version did: first and last run, calls, cost, failures, latency',
  args: [PROMPT_ARGUMENT],
  options: [...PROMPT_OPTIONS, { flags: '--since <time>', about: 'how long ago (7d, 24h, 2w) or a date; default: from the beginning' }],
  run: (io, [id = ''], options) => log(io, id, options),
}
