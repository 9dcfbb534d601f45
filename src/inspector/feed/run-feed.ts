// A journaled run as a feed. With its agent the entries are folded again, which gives contexts and messages; without it, or
// when the agent has changed since, the entries alone say where the run moved. Invariant: it only reads the journal.
import { graphOf, sketchMachine, type Agent } from '../../agent/index.ts'
import { failureOf } from '../../failure/index.ts'
import { isEnded, type EntryBody, type Journal, type RunRow, type StartCause } from '../../journal/index.ts'
import { historyOf, readStructure, recordedHistory, structureAt, type History, type Structure } from '../../run/index.ts'
import type { Drawing } from '../page/drawing.ts'
import type { RunSummary, Step } from '../page/wire.ts'
import { Drawings } from './drawings.ts'
import type { Feed } from './feed.ts'
import { guessEdges } from './guess.ts'
import { FoldedSteps, recordedStep, type Guess } from './steps.ts'
import { summaryOf } from './summary.ts'

/** Entries folded before other work of the process gets its turn. */
const SLICE = 200

type Config = { readonly [key: string]: unknown }

/** A config again from the structure that a journal keeps. */
const configOf = ({ kind, outcome, states, ...rest }: Config): Config => ({
  ...rest,
  meta: { ...(kind === undefined ? {} : { kind }), ...(outcome === undefined ? {} : { outcome }) },
  ...(typeof states === 'object' && states !== null ? { states: Object.fromEntries(Object.entries(states).map(([name, inner]) => [name, configOf(inner as Config)])) } : {}),
})

/** The machine that a structure describes, when it still can be made. */
const sketchOf = ({ machine, id }: Structure): Agent['machine'] | undefined => {
  if (machine === undefined) return undefined
  try {
    return sketchMachine({ ...configOf(machine as Config), id })
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
  /** Set when it is the run's own, which knows what the run accepts. */
  readonly #agent: Agent | undefined
  readonly #drawings = new Drawings()
  readonly #folded = new FoldedSteps((machine) => this.#drawings.place(machine))
  readonly #active = new Map<string, readonly string[]>()
  readonly #sketches = new Map<Structure, Agent['machine']>()
  #history: History | undefined
  #recorded: { readonly history: History; readonly root: Structure } | undefined
  #refreshing: Promise<void> | undefined

  constructor(journal: Journal, row: RunRow, agent: Agent | undefined, note?: string) {
    this.#journal = journal
    this.#agent = agent?.hash === row.agentHash ? agent : undefined
    this.run = summaryOf(row, this.#agent)
    this.#history = agent === undefined ? undefined : historyOf(journal, row.id, agent)
    if (agent === undefined) this.notes.push(`${note ?? 'The agent of this run is not at hand'}. The chart, states, calls and costs are shown from the journal; context and messages need the agent.`)
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
      if (row !== undefined) this.run = summaryOf(row, this.#agent)
      return
    }
    if (this.#history === undefined) await this.#record()
    else await this.#fold(this.#history)
    this.run = summaryOf(row, this.#agent)
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

  /** Takes entries in without the agent: where the machines moved, on the charts that the journal describes. */
  async #record(): Promise<void> {
    const reading = (this.#recorded ??= { history: recordedHistory(this.#journal, this.run.id), root: await this.#rootStructure() })
    // What was folded before the agent turned out to have changed is there already.
    for (const step of (await reading.history.next()).filter(({ entry }) => entry.seq >= this.steps.length)) {
      const places = new Map<string, number>()
      for (const { actor } of step.entry.body.moves) places.set(actor, await this.#sketched(structureAt(reading.root, actor)))
      const graph = this.#sketches.get(reading.root)
      const guess: Guess = (before, event, after) => (graph === undefined ? [] : guessEdges(graphOf(graph), before, event, after))
      const shown = recordedStep(step, { before: this.#active, drawing: (actor) => places.get(actor) ?? -1, guess })
      for (const { path, active } of shown.changes) this.#active.set(path, active)
      this.steps.push(shown)
    }
  }

  async #rootStructure(): Promise<Structure> {
    const [first] = await this.#journal.read(this.run.id)
    const start = first === undefined ? undefined : ((JSON.parse(first.text) as EntryBody).cause as StartCause)
    return readStructure(this.#journal, start?.agent ?? { id: this.run.agent })
  }

  async #sketched(structure: Structure): Promise<number> {
    const machine = this.#sketches.get(structure) ?? sketchOf(structure)
    if (machine === undefined) return -1
    this.#sketches.set(structure, machine)
    return this.#drawings.place(machine)
  }
}
