// `stateloop cache suggest`: the calls of past runs that a cache would have answered, by the time and money it would have saved.
import { fail, FailureError } from '../../failure/index.ts'
import type { Agent } from '../../agent/index.ts'
import type { Journal, RunRow } from '../../journal/index.ts'
import { historyOf } from '../../run/index.ts'
import { showDuration, showUsd } from '../amounts.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { agentOfRun, openExisting, type CommonOptions } from '../open-runtime.ts'
import { openProject, type Project } from '../project.ts'
import { callsOf, type RunCall } from '../trace/calls.ts'
import { suggestCaches, toolsWithEffect, type CacheSuggestion } from '../trace/suggest-cache.ts'

interface SuggestOptions extends CommonOptions {
  readonly agent?: string
  readonly limit: string
}

interface Looked {
  readonly calls: readonly RunCall[]
  /** Runs that could be read, of those that were looked at. */
  readonly read: number
  readonly of: number
}

/** Reads the calls of runs; those whose agent is gone or has changed are left out. */
const look = async (project: Project, journal: Journal, rows: readonly RunRow[]): Promise<Looked> => {
  const agents = new Map<string, Promise<Agent | undefined>>()
  const agentOf = (row: RunRow): Promise<Agent | undefined> => {
    const known =
      agents.get(row.source ?? '') ??
      agentOfRun(project, row, undefined).then(
        ({ agent }) => agent,
        () => undefined,
      )
    agents.set(row.source ?? '', known)
    return known
  }
  const calls: RunCall[] = []
  let read = 0
  for (const row of rows) {
    const agent = await agentOf(row)
    if (agent === undefined || agent.hash !== row.agentHash) continue
    try {
      const changing = toolsWithEffect(agent)
      calls.push(...callsOf(row.agent, await historyOf(journal, row.id, agent).next()).filter(({ kind, name }) => !kind.startsWith('tool') || !changing.has(name)))
      read += 1
    } catch (error) {
      if (!(error instanceof FailureError)) throw error
    }
  }
  return { calls, read, of: rows.length }
}

const lineOf = ({ agent, state, kind, name, calls, repeats, savedMs, savedUsd, withinMs }: CacheSuggestion): string => {
  const where = kind === 'tools' ? `the tool ${name}` : `state ${state}`
  const money = savedUsd === 0 ? '' : ` and ${showUsd(savedUsd)}`
  return `${oneLine(agent)} · ${oneLine(name)}: ${repeats} of ${calls} calls were repeats, ${showDuration(savedMs)}${money}. Put cache: { ttlMs } on ${oneLine(where)}; equal calls came within ${showDuration(withinMs)}.`
}

const suggest = async (io: Io, options: SuggestOptions): Promise<number> => {
  if (!/^[1-9]\d{0,4}$/.test(options.limit)) fail('usage', `--limit must be a number from 1 to 99999, not ${JSON.stringify(options.limit)}.`)
  const project = await openProject(io)
  const journal = openExisting(io, project, options)
  const rows = (await journal?.list({ limit: Number(options.limit), ...(options.agent === undefined ? {} : { agent: options.agent }) })) ?? []
  const { calls, read, of } = journal === undefined ? { calls: [], read: 0, of: 0 } : await look(project, journal, rows)
  await journal?.close()
  const suggestions = suggestCaches(calls)
  if (options.json === true) io.out(`${JSON.stringify({ suggestions, runs: { read, of } }, null, 2)}\n`)
  else
    io.out(
      `${suggestions.length === 0 ? `nothing to cache: no call was made twice in ${read} of ${of} runs\n` : `${suggestions.map(lineOf).join('\n')}\n`}${read === of ? '' : `${of - read} of ${of} runs were left out, because their agent is gone or has changed\n`}`,
    )
  return EXIT.done
}

/** `stateloop cache suggest`. */
export const cacheSuggestCommand: CommandDefinition<SuggestOptions> = {
  name: 'cache suggest',
  about: 'rank calls by the time and cost that a cache would have saved',
  args: [],
  options: [...COMMON, { flags: '--agent <id>', about: 'only runs of this agent' }, { flags: '--limit <n>', about: 'the newest runs to look at', default: '200' }],
  run: (io, _args, options) => suggest(io, options),
}
