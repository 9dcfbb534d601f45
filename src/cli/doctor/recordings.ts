// Replays the recordings beside the agents. Invariant: nothing is called; a folder without recordings is no fault.
import { dirname, join, resolve } from 'node:path'
import { existsSync, readdirSync } from 'node:fs'
import { firstDifference, replayAll, type ReplayReport } from '../../replay/index.ts'
import { count } from '../amounts.ts'
import type { LoadedAgent } from '../load-agent.ts'
import type { Project } from '../project.ts'
import { broken, guarded, ok, warning, type Check } from './check.ts'

/** The folder of an agent's recordings, when it holds some. */
const folderOf = ({ root, config }: Project, name: string): string | undefined => {
  const configured = config.agents?.[name]
  const beside = typeof configured === 'string' ? dirname(resolve(root, configured)) : join(root, 'agents', name)
  const folder = join(beside, 'recordings')
  return existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.jsonl')) ? folder : undefined
}

const checkReport = (agent: string, report: ReplayReport): readonly Check[] => {
  if (report.status === 'same') return []
  const where = `${agent}: recording ${report.name}`
  return [
    report.status === 'stale'
      ? warning('recordings', `${where} is stale: ${firstDifference(report)}. Its answers were given to something else than what is asked today; record it again with \`stateloop record\`.`)
      : broken('recordings', `${where} goes another way than recorded: ${firstDifference(report)}. \`stateloop replay\` shows all of it; correct the agent, or record it again if the change is meant.`),
  ]
}

/** Replays what was recorded of these agents. */
export const checkRecordings = async (project: Project, loaded: ReadonlyMap<string, LoadedAgent>): Promise<readonly Check[]> => {
  const checks: Check[] = []
  for (const [name, { agent }] of loaded) {
    const folder = folderOf(project, name)
    if (folder === undefined) continue
    checks.push(
      ...(await guarded('recordings', async () => {
        const reports = await replayAll(folder, { agent })
        const found = reports.flatMap((report) => checkReport(name, report))
        return found.length > 0 ? found : [ok('recordings', `${name}: ${count(reports.length, 'recording')} went as recorded`)]
      })),
    )
  }
  return checks.length > 0 ? checks : [ok('recordings', 'no recordings beside the agents')]
}
