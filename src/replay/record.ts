// Exports a run from its journal. With its agent the run is folded once more, to note what each attempt asked for and to
// keep the prompts and schemas of that day. Invariant: a run that does not fold as recorded is not exported as if it did.
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import type { EntryBody, Journal, RunRow, StartCause } from '../journal/index.ts'
import { environmentSecrets, REDACTED, scrubber } from '../trace/index.ts'
import { AskNotes } from './ask-notes.ts'
import { firstDifference } from './print.ts'
import type { Content, Recording } from './recording.ts'
import { replayWith } from './replay.ts'

/** Content that entries name: the agent's structure, its prompts, and the threads a session brought along. */
const contentsOf = async (journal: Journal, start: StartCause, prompts: readonly StartCause['prompts'][]): Promise<Map<string, Content>> => {
  const contents = new Map<string, Content>()
  const keep = async (hash: string | undefined): Promise<Content | undefined> => {
    const found = hash === undefined || contents.has(hash) ? undefined : await journal.getContent(hash)
    if (hash !== undefined && found !== undefined) contents.set(hash, found)
    return found
  }
  await keep(start.agent.definition)
  for (const versions of prompts) for (const { hash } of Object.values(versions ?? {})) await keep(hash)
  for (const newest of Object.values(start.threads ?? {})) {
    for (let hash: string | null = newest; hash !== null;) {
      const part: Content | undefined = await keep(hash)
      hash = part === undefined ? null : (JSON.parse(part.text) as { readonly previous: string | null }).previous
    }
  }
  return contents
}

/** Exports a run as its journal has it. @throws FailureError `run_not_found`, `journal_corrupt`, `journal_rolled_back`. */
export const exportRun = async (journal: Journal, run: string): Promise<Recording> => {
  const row: RunRow = (await journal.get(run)) ?? fail('run_not_found', `The journal has no run ${run}. List runs with \`stateloop runs\`.`)
  const stored = await journal.read(run)
  const entries = stored.map(({ seq, at, hash, text }) => ({ seq, at, hash, body: JSON.parse(text) as EntryBody }))
  const start = entries[0]?.body.cause
  if (start?.type !== 'start') return fail('journal_corrupt', `Run ${run} does not begin with a start.`)
  const prompts = entries.flatMap(({ body: { cause } }) => (cause.type === 'start' || cause.type === 'migrated' ? [cause.prompts] : []))
  return { row, entries, asks: new Map(), contents: await contentsOf(journal, start, prompts), redacted: false }
}

/**
 * Exports a run with what its agent asked for.
 * @param secrets values to take out beside those of environment variables that are named like secrets.
 * @throws FailureError `run_not_found`, `definition_changed` when the agent does not fold the run as it went.
 */
export const recordRun = async (journal: Journal, run: string, agent: Agent, secrets: readonly string[] = []): Promise<Recording> => {
  const exported = await exportRun(journal, run)
  const notes = new AskNotes()
  const report = await replayWith(agent, exported, {}, { versions: 'recorded', onRequest: (request) => notes.take(request) })
  if (report.status !== 'same') {
    fail('definition_changed', `Run ${run} cannot be recorded with this agent, because it does not go as it went: ${firstDifference(report)}. Record it with the code that it ran with, or export it as it is.`, {
      details: { run, status: report.status },
    })
  }
  const known = [...secrets, ...environmentSecrets(process.env)].map((value) => ({ value, replacement: REDACTED }))
  return notes.addTo(exported, agent, scrubber(known))
}
