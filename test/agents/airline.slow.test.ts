// An oracle from outside: 200 recorded conversations of a real model, replayed with our own tools, must give what theirs
// gave, byte for byte, and leave the database in the states that the benchmark's authors published.
import { beforeAll, describe, expect, it } from 'vitest'
import { airlineAgent } from '../../agents/airline/agent.ts'
import { openDatabase, readData, type AirlineData } from '../../agents/airline/database.ts'
import { databaseHash } from '../../agents/airline/python-text.ts'
import { fakeClock } from '../../src/clock/index.ts'
import type { Agent } from '../../src/agent/index.ts'
import { formatReport, replay, type ReplayReport } from '../../src/replay/index.ts'
import { importAll, tauFolder, tauPolicy, tauRuns, withoutTau, type Imported } from './tau-bench.ts'

const count = <T>(items: readonly T[], holds: (item: T) => boolean): number => items.filter(holds).length

describe.skipIf(withoutTau !== undefined)(`the recorded airline conversations${withoutTau === undefined ? '' : ` (${withoutTau})`}`, () => {
  let agent: Agent
  let policy: string
  let imported: readonly Imported[]
  let data: AirlineData

  beforeAll(async () => {
    const runs = tauRuns()
    policy = tauPolicy(runs)
    agent = airlineAgent({ policy }) as Agent
    imported = await importAll(agent, runs)
    data = readData(tauFolder)
  })

  const replayAll = async (options: { readonly users?: string } = {}): Promise<readonly (ReplayReport & { readonly hash: string })[]> => {
    const used = options.users === undefined ? data : readData(tauFolder, options.users)
    const reports = []
    for (const { recording, name } of imported) {
      const airline = openDatabase(used)
      const report = await replay(agent, recording, { level: 'tools-live', services: { airline }, clock: fakeClock(), name })
      reports.push({ ...report, hash: databaseHash(airline) })
    }
    return reports
  }

  it('are modelled to the last message: every request holds exactly what was said before', () => {
    expect(imported.length).toBe(200)
    expect(imported.flatMap(({ notes }) => notes)).toEqual([])
    expect(count(imported, ({ recording }) => recording.row.status === 'done')).toBe(193)
    expect(count(imported, ({ recording }) => recording.row.status === 'limited')).toBe(7)
  })

  it('complete with tools live: 1,164 results are the same to the byte, and the database ends as it was published', async () => {
    const reports = await replayAll()
    expect(count(reports, ({ status }) => status === 'same')).toBe(200)
    const results = imported.flatMap(({ recording }) => recording.entries.filter(({ body }) => body.cause.type === 'attempt' && !body.cause.key.startsWith('/answering')))
    expect(results.length).toBe(1_164)
    const scored = imported.flatMap(({ run }, index) => {
      const reference = run.info.reward_info?.info?.gt_data_hash
      return reference === undefined ? [] : [{ success: run.reward === 1, equal: reports[index]?.hash === reference }]
    })
    expect([count(scored, ({ success, equal }) => success && equal), count(scored, ({ success }) => success)]).toEqual([81, 81])
    expect([count(scored, ({ success, equal }) => !success && !equal), count(scored, ({ success }) => !success)]).toEqual([101, 101])
  })

  it('show a renamed field of the users where it is first seen: 120 diverge, each at get_user_details', async () => {
    const diverged = (await replayAll({ users: 'users-province-renamed.json' })).filter(({ status }) => status === 'diverged')
    expect(diverged.length).toBe(120)
    for (const { differences } of diverged) expect(differences).toMatchObject([{ kind: 'result', stale: false, blame: { what: 'data', name: 'get_user_details' } }])
    expect(formatReport(diverged[0] as ReplayReport)).toBe(
      `✗ task 0, trial 0  diverged after 6 steps
  result  step 6  acting
  expected  tool get_user_details gives what was recorded
  actual    another result
    - address.province: TX
    + address.state: TX
  because   data get_user_details
    it was performed anew and gave something else: its code or its data changed`,
    )
  })

  it('are replayed from the recording alone as well', async () => {
    const reports = []
    for (const { recording } of imported) reports.push(await replay(agent, recording))
    expect(count(reports, ({ status }) => status === 'same')).toBe(200)
  })

  it('end as limited with fifteen rounds: 67 of them, and the report names the limit', async () => {
    const limited = []
    for (const { recording, name } of imported) {
      const report = await replay(airlineAgent({ policy, rounds: 15 }) as Agent, recording, { name })
      if (report.end?.outcome === 'limited') limited.push(report)
    }
    expect(limited.length).toBe(67)
    for (const { end, differences } of limited) {
      expect(end?.failure?.code).toBe('loop_limit')
      expect(differences).toMatchObject([{ kind: 'transition', blame: { what: 'policy', changes: ['~ states.answering.maxVisits: 30 → 15'] } }])
    }
  })

  it('take another policy as a changed prompt, and show its words', async () => {
    const changed = airlineAgent({ policy: policy.replace('at most five passengers', 'at most six passengers') }) as Agent
    const [first] = imported
    const report = await replay(changed, (first as Imported).recording)
    expect(report.status).toBe('stale')
    expect(formatReport(report)).toMatch(/because {3}prompt airline\.policy [0-9a-f]{12} → [0-9a-f]{12}\n[^]*at most \[-five-\]\{\+six\+\} passengers/)
  })
})
