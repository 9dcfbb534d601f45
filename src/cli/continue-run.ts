// Takes up a run that another process began: loads its agent again, does something to it and follows it until it rests.
// Invariant: when another process drives the run, what is sent still reaches it through the journal.
import { fail, failureOf } from '../failure/index.ts'
import { isEnded, type RunRow } from '../journal/index.ts'
import type { RunHandle, Runtime } from '../run/index.ts'
import { EXIT } from './exit-code.ts'
import { drainOnSignal, follow } from './follow.ts'
import type { Io } from './io.ts'
import { entriesOf, visitsOf } from './run-tree.ts'
import { agentOfRun, findRun, openRuntime, repeatOptions, type CommonOptions } from './open-runtime.ts'

/** Options of commands that go on with a run. */
export interface ContinueOptions extends CommonOptions {
  readonly events?: boolean
  readonly agent?: string
  readonly acceptChanged?: boolean
}

/** What is done to a run. Called once, after the run was taken up and before it is followed. */
export type Act = (sender: Pick<RunHandle, 'send' | 'cancel'>, row: RunRow) => Promise<void>

const heldElsewhere = (thrown: unknown): undefined => {
  const code = failureOf(thrown)?.code
  if (code === 'lease_held' || code === 'other_engine') return undefined
  throw thrown
}

/** Sends through the journal to whoever drives the run. */
const actFromAfar = async (io: Io, runtime: Runtime, row: RunRow, act: Act, json: boolean): Promise<number> => {
  await act({ send: (event, by) => runtime.send(row.id, event as never, by), cancel: (reason) => runtime.cancel(row.id, reason) }, row)
  if (json) io.out(`${JSON.stringify({ run: row.id, outcome: 'waiting', sent: true }, null, 2)}\n`)
  else io.out(`sent; another process drives run ${row.id}\n`)
  return EXIT.done
}

const refuseEnded = (row: RunRow): void => {
  if (isEnded(row.status)) fail('run_ended', `Run ${row.id} has ended as ${row.status}. \`stateloop show ${row.id}\` shows it; start a new one with \`stateloop run\`.`)
}

/**
 * Goes on with a run. @returns the exit code.
 * @param act undefined just resumes.
 * @throws FailureError `run_not_found`, `run_ended`, `agent_not_found`, `definition_changed`, `lease_held`.
 */
export const continueRun = async (io: Io, run: string, options: ContinueOptions, act?: Act): Promise<number> => {
  const { project, row, journal } = await findRun(io, run, options)
  const entries = await entriesOf(journal, run)
  await journal.close()
  if (act !== undefined) refuseEnded(row)
  const open = isEnded(row.status) ? [] : visitsOf(entries).filter((visit) => visit.leftAt === undefined)
  const loaded = await agentOfRun(project, row, options.agent)
  const { runtime, notes } = await openRuntime(io, project, loaded, options)
  const repeat = repeatOptions(options)
  const stopListening = drainOnSignal(io, runtime, () => run, repeat)
  const json = options.json ?? false
  try {
    const taking = runtime.resume(run, { agent: loaded.agent, acceptChanged: options.acceptChanged ?? false, stream: io.terminal || options.events === true })
    const handle = await (act === undefined ? taking : taking.catch(heldElsewhere))
    if (handle === undefined) return await actFromAfar(io, runtime, row, act as Act, json)
    if (act !== undefined) {
      // A run that waits comes to rest again first, so that the event finds it there.
      if (row.status === 'waiting') await handle.outcome()
      await act(handle, row)
    }
    return await follow(io, handle, { json, events: options.events ?? false, notes, repeat, open })
  } finally {
    stopListening()
    await runtime.close()
  }
}
