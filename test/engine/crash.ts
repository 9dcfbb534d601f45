// The crash harness: kills whatever drives runs at random moments, brings it up again, and then looks for what must not be:
// an entry that was said to be durable and is not there, an effect performed again after its result was, a run that ends
// as something else than its entries say.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../../src/clock/index.ts'
import { isEnded, type EntryBody } from '../../src/journal/index.ts'
import { createRuntime, historyOf } from '../../src/run/index.ts'
import { journalAt } from '../journal/journal-at.ts'
import { crashAgent } from './crash-agent.ts'

/** What is killed and how it is begun. */
export interface CrashPlan {
  readonly seed: number
  readonly kills: number
  readonly runs: number
  readonly rounds: number
  /** The journal: a path or a URL. */
  readonly place: string
  readonly ledger: string
  readonly engine: 'embedded' | 'restate'
  readonly port?: number
  readonly ingress?: string
  readonly fault?: 'early' | 'leaseless'
  /** Workers at once. Default 1. */
  readonly workers?: number
  /** What else is killed in turns: a server, with how it comes back. */
  readonly server?: { readonly kill: () => Promise<void>; readonly start: () => Promise<void> }
  /** Starts a run. */
  readonly begin: (name: string) => Promise<string>
  /** How long all may take, milliseconds. With a fault it ends earlier, when an effect is seen to be performed again. */
  readonly withinMs: number
}

/** What was found. */
export interface CrashReport {
  readonly finished: number
  readonly kills: number
  readonly entries: number
  /** Effects that were performed again although their result was durable. */
  readonly repeatedAfterAck: number
  /** Entries that were acknowledged, and are missing or say something else. */
  readonly lost: number
  /** Runs whose entries do not fold again as they were written, or cannot be read. */
  readonly unfoldable: number
  /** Effects performed more than once before a result was durable, which must be allowed. */
  readonly repeatedBefore: number
}

const linesOf = (ledger: string): readonly string[] => (existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').filter(Boolean) : [])

const startWorker = async ({ place, ledger, rounds, engine, port = 0, ingress = '', fault }: CrashPlan): Promise<ChildProcess> => {
  const args = ['--conditions=stateloop-source', join(import.meta.dirname, 'crash-worker.ts'), place, ledger, String(rounds), engine, String(port), ingress, fault ?? 'none']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  return child
}

const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const namesOf = (runs: readonly string[]): ReadonlyMap<string, string> => new Map(runs.map((run, n) => [run, `r${n}`]))

/** Compares what was noted while runs were killed with what their journal says in the end. */
const judge = async (plan: CrashPlan, runs: readonly string[], kills: number): Promise<CrashReport> => {
  const journal = journalAt(plan.place)
  const found = { finished: 0, kills, entries: 0, lost: 0, unfoldable: 0 }
  const moves = new Set<string>()
  for (const run of runs) {
    const row = await journal.get(run)
    if (row?.status === 'done') found.finished += 1
    try {
      const steps = await historyOf(journal, run, crashAgent(plan.ledger, plan.rounds)).next()
      found.entries += steps.length
      for (const { entry } of steps) for (const move of (entry.body satisfies EntryBody).moves) moves.add(`${run} ${entry.seq} ${JSON.stringify([move.actor, move.value])}`)
    } catch {
      found.unfoldable += 1
    }
  }
  await journal.close()
  for (const line of linesOf(plan.ledger)) {
    const [kind, run, seq, move] = line.split(' ')
    if (kind === 'ack' && !moves.has(`${run} ${seq} ${move}`)) found.lost += 1
  }
  return { ...found, ...repeatsIn(plan.ledger, namesOf(runs)) }
}

/**
 * Counts effects that were performed again. A round's call counts as durable once the run was seen in the regions that
 * follow it, and a region's once it was seen resting.
 */
const repeatsIn = (ledger: string, names: ReadonlyMap<string, string>): Pick<CrashReport, 'repeatedAfterAck' | 'repeatedBefore'> => {
  const rounds = new Map<string, number>()
  const performed = new Set<string>()
  const durable = new Set<string>()
  let [repeatedAfterAck, repeatedBefore] = [0, 0]
  for (const line of linesOf(ledger)) {
    const [kind, run = '', what = '', move = ''] = line.split(' ')
    if (kind === 'exec') {
      const key = `${run} ${what}`
      if (durable.has(key)) repeatedAfterAck += 1
      else if (performed.has(key)) repeatedBefore += 1
      performed.add(key)
      continue
    }
    const name = names.get(run) ?? ''
    const round = rounds.get(name) ?? 0
    if (move.includes('"splitting"')) {
      durable.add(`${name} call-${round}`)
      for (const side of ['left', 'middle', 'right']) if (new RegExp(`"${side}":"(resting|ready)"`).test(move)) durable.add(`${name} ${side}-${round}`)
    }
    if (move === '["","counting"]') rounds.set(name, round + 1)
  }
  return { repeatedAfterAck, repeatedBefore }
}

/** Runs a plan. */
export const crash = async (plan: CrashPlan): Promise<CrashReport> => {
  const random = seededRandom(plan.seed)
  const endsAt = Date.now() + plan.withinMs
  const workers = await Promise.all(Array.from({ length: plan.workers ?? 1 }, () => startWorker(plan)))
  const runs: string[] = []
  for (let n = 0; n < plan.runs; n++) runs.push(await plan.begin(`r${n}`))
  const journal = journalAt(plan.place)
  const told = new Set<string>()
  let kills = 0
  const rows = async () => (await Promise.all(runs.map((run) => journal.get(run).catch(() => undefined)))).flatMap((row) => row ?? [])
  /** Waits until runs have moved on by a random number of notes, or for a while when they cannot. */
  const moved = async (): Promise<void> => {
    const before = linesOf(plan.ledger).length
    const enough = 1 + random() * 24
    for (let look = 0; look < 60 && linesOf(plan.ledger).length - before < enough; look++) await pause(20)
  }
  for (;;) {
    await moved()
    const standing = await rows()
    for (const row of standing) {
      if (row.status !== 'waiting' || row.state !== 'asking' || told.has(row.id)) continue
      await journal.post(row.id, { type: 'GO' }).catch(() => {})
      told.add(row.id)
    }
    const done = standing.length === runs.length && standing.every((row) => isEnded(row.status))
    const isNoticed = plan.fault !== undefined && repeatsIn(plan.ledger, namesOf(runs)).repeatedAfterAck > 0
    if (done || isNoticed || Date.now() > endsAt) break
    if (kills >= plan.kills) continue
    const turn = plan.server === undefined ? 0 : kills % 3
    kills += 1
    const index = Math.floor(random() * workers.length)
    if (turn !== 1) await killed(workers[index] as ChildProcess)
    if (turn !== 0) await plan.server?.kill()
    if (turn !== 0) await plan.server?.start()
    if (turn !== 1) workers[index] = await startWorker(plan)
  }
  await journal.close()
  for (const worker of workers) await killed(worker)
  return judge(plan, runs, kills)
}

/** Starts runs of the crash agent from this process, for the workers to drive. */
export const enqueuer = (place: string, ledger: string, rounds: number): ((name: string) => Promise<string>) => {
  const agent = crashAgent(ledger, rounds)
  return async (name) => {
    const runtime = createRuntime({ journal: journalAt(place), agents: [agent] })
    try {
      return (await runtime.enqueue(agent, { run: name })).id
    } finally {
      await runtime.close(0)
    }
  }
}
