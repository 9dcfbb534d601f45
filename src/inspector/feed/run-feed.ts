// A journaled run as a feed. With its agent the entries are folded again, which gives contexts and messages; without it, or
// when the agent has changed since, the entries alone say where the run moved. Invariant: it only reads the journal.
import { sketchMachine, type Agent } from '../../agent/index.ts'
import { failureOf } from '../../failure/index.ts'
import { isEnded, type Entry, type EntryBody, type Journal, type RunRow, type StartCause } from '../../journal/index.ts'
import { historyOf, type History } from '../../run/index.ts'
import type { Drawing } from '../page/drawing.ts'
import type { RunSummary, Step } from '../page/wire.ts'
import { Drawings } from './drawings.ts'
import type { Feed } from './feed.ts'
import { FoldedSteps, recordedStep } from './steps.ts'
import { summaryOf } from './summary.ts'

/** Entries folded before other work of the process gets its turn. */
const SLICE = 200

type Structure = { readonly [key: string]: unknown }

/** A config again from the structure that a journal keeps. */
const configOf = ({ kind, outcome, states, ...rest }: Structure): Structure => ({
  ...rest,
  meta: { ...(kind === undefined ? {} : { kind }), ...(outcome === undefined ? {} : { outcome }) },
  ...(typeof states === 'object' && states !== null ? { states: Object.fromEntries(Object.entries(states).map(([name, inner]) => [name, configOf(inner as Structure)])) } : {}),
})

/** The machine that a run's journal describes, when it still can be made. */
const recordedMachine = async (journal: Journal, run: string): Promise<Agent['machine'] | undefined> => {
  const [first] = await journal.read(run)
  if (first === undefined) return undefined
  const cause = (JSON.parse(first.text) as EntryBody).cause as StartCause
  const found = cause.agent.definition === undefined ? undefined : await journal.getContent(cause.agent.definition)
  if (found === undefined) return undefined
  try {
    return sketchMachine({ ...configOf((JSON.parse(found.text) as { readonly machine: Structure }).machine), id: cause.agent.id })
  } catch {
    return undefined
  }
}

/** A run as a feed. */
export class RunFeed implements Feed {
  run: RunSummary
  readonly notes: string[] = []
  readonly first = 0
  readonly steps: Step[] = []
  ended = false
  readonly #journal: Journal
  readonly #drawings = new Drawings()
  readonly #folded = new FoldedSteps((machine) => this.#drawings.place(machine))
  readonly #active = new Map<string, readonly string[]>()
  #history: History | undefined
  #refreshing: Promise<void> | undefined

  constructor(journal: Journal, row: RunRow, agent: Agent | undefined, note?: string) {
    this.#journal = journal
    this.run = summaryOf(row)
    this.#history = agent === undefined ? undefined : historyOf(journal, row.id, agent)
    if (agent === undefined) this.notes.push(`${note ?? 'The agent of this run is not at hand'}. States and calls are shown; context and messages need the agent.`)
  }

  get drawings(): readonly Drawing[] {
    return this.#drawings.list
  }

  refresh(): Promise<void> {
    this.#refreshing ??= this.#take().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #take(): Promise<void> {
    if (this.ended) return
    const row = await this.#journal.get(this.run.id)
    if (row === undefined || row.seq < this.steps.length) {
      if (row !== undefined) this.run = summaryOf(row)
      return
    }
    if (this.#history === undefined) await this.#record()
    else await this.#fold(this.#history)
    this.run = summaryOf(row)
    this.ended = isEnded(row.status) && this.steps.length > row.seq
  }

  async #fold(history: History): Promise<void> {
    try {
      const found = await history.next()
      for (const [index, step] of found.entries()) {
        this.steps.push(await this.#folded.step(step))
        if (index % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
      }
    } catch (thrown) {
      if (failureOf(thrown)?.code !== 'definition_changed') throw thrown
      this.#history = undefined
      this.notes.push('The agent has changed since this run was recorded. States and calls are shown; context and messages need the agent as it was.')
      await this.#record()
    }
  }

  async #record(): Promise<void> {
    if (this.steps.length === 0) {
      const machine = await recordedMachine(this.#journal, this.run.id)
      if (machine !== undefined) await this.#drawings.place(machine)
    }
    for (const { seq, at, hash, text } of await this.#journal.read(this.run.id, this.steps.length)) {
      const entry: Entry = { seq, at, hash, body: JSON.parse(text) as EntryBody }
      const step = recordedStep(entry, this.#active, (actor) => (actor === '' && this.drawings.length > 0 ? 0 : -1))
      for (const { path, active } of step.changes) this.#active.set(path, active)
      this.steps.push(step)
    }
  }
}
