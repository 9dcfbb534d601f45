// Results of an evaluation in one append-only file of JSON lines: what was seen, under the hashes it depends on, and how
// the evaluation stood at a commit. Invariant: a line is written whole or not at all, and a line that cannot be read is
// skipped and counted, so a file that two processes or an interrupted one wrote stays usable.
import { appendFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { shortHash } from '../schema/index.ts'
import { caseHash, type EvalCase } from './case.ts'
import type { Identity } from './identity.ts'
import type { Observation } from './observation.ts'
import { touchedBy } from './steps.ts'

/** An observation with what it depends on. */
export interface StoredObservation {
  readonly type: 'observation'
  /** Hash of the key, what was touched, and the time: unique. */
  readonly id: string
  /** Hash of code, structure, case and trial. */
  readonly key: string
  /** Hash of the case. */
  readonly case: string
  readonly trial: number
  /** Hashes of the states that the run went through. */
  readonly touched: { readonly [state: string]: string }
  readonly observation: Observation
}

/** How one case stood. */
export interface CaseStanding {
  /** Hash of the case. */
  readonly hash: string
  /** Ids of the observations, one for each trial. */
  readonly observations: readonly string[]
}

/** How an evaluation stood when it was run. */
export interface Standing {
  readonly type: 'standing'
  /** The commit, when all files were as in it. */
  readonly commit?: string
  /** Milliseconds UTC. */
  readonly at: number
  /** Hash of the code, the data and who answers; null when something of it was unknown. */
  readonly code: string | null
  /** Hash of the agent's structure. */
  readonly structure: string
  /** Hash of each state that the agent asks a model in, by its path. */
  readonly states: { readonly [state: string]: string }
  /** How each case stood, by its id. */
  readonly cases: { readonly [id: string]: CaseStanding }
  /** Share of counted trials that passed, 0 to 1; null when none was counted. */
  readonly passRate: number | null
  /** Ends of a 95 % interval. */
  readonly interval: readonly [number, number] | null
  /** Cost of the trials, USD; null when a price was unknown. */
  readonly costUsd: number | null
}

type Line = StoredObservation | Standing
type Kept = { readonly [key: string]: string }

/** When a file is rewritten without what is too old. */
export interface StoreLimits {
  /** Standings that stay, with the results they name. */
  readonly standings: number
  /** Size from which a file with more of them is rewritten. */
  readonly sizeBytes: number
}

const LIMITS: StoreLimits = { standings: 200, sizeBytes: 32 * 1024 * 1024 }

const parseLine = (text: string): Line | undefined => {
  try {
    const value = JSON.parse(text) as Partial<Line>
    return value.type === 'observation' || value.type === 'standing' ? (value as Line) : undefined
  } catch {
    return undefined
  }
}

const same = (a: Kept, b: Kept): boolean => Object.entries(a).every(([state, hash]) => b[state] === hash)

/** Results of one evaluation. */
export class ResultStore {
  /** The file that it is in. */
  readonly path: string
  /** Lines that could not be read. */
  readonly damaged: number
  readonly #byId = new Map<string, StoredObservation>()
  readonly #byKey = new Map<string, StoredObservation[]>()
  readonly #standings: Standing[] = []
  readonly #unwritten: Line[] = []
  readonly #limits: StoreLimits
  /** What the file needs before another line: an end of the last one, when that was cut off. */
  #gap: string

  private constructor(path: string, text: string, limits: StoreLimits) {
    this.path = path
    this.#limits = limits
    this.#gap = text === '' || text.endsWith('\n') ? '' : '\n'
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map(parseLine)
    this.damaged = lines.filter((line) => line === undefined).length
    for (const line of lines) if (line !== undefined) this.#add(line)
  }

  /** Opens the results of an evaluation; a file that is not there has none. @param folder of all results. */
  static async open(folder: string, evaluation: string, limits: StoreLimits = LIMITS): Promise<ResultStore> {
    const path = join(folder, `${evaluation}.jsonl`)
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    return new ResultStore(path, text, limits)
  }

  #add(line: Line): void {
    if (line.type === 'standing') return void this.#standings.push(line)
    this.#byId.set(line.id, line)
    this.#byKey.set(line.key, [...(this.#byKey.get(line.key) ?? []), line])
  }

  /** Every standing, oldest first. */
  get standings(): readonly Standing[] {
    return this.#standings
  }

  /** The observation with this id; undefined when there is none. */
  get(id: string): StoredObservation | undefined {
    return this.#byId.get(id)
  }

  /** The key of a trial; undefined when nothing can be told about what it depends on. */
  static key(identity: Identity, one: EvalCase, trial: number): string | undefined {
    return identity.code === undefined ? undefined : shortHash({ code: identity.code, structure: identity.structure, case: caseHash(one), trial })
  }

  /** The newest result of a trial that still holds: same key, and every state it went through has the same hash. */
  find(identity: Identity, one: EvalCase, trial: number): StoredObservation | undefined {
    const key = ResultStore.key(identity, one, trial)
    return key === undefined ? undefined : this.#byKey.get(key)?.findLast(({ touched }) => same(touched, identity.states))
  }

  /** All results of a case that were made in a span of time, milliseconds UTC. */
  between(one: EvalCase, fromMs: number, toMs: number): readonly StoredObservation[] {
    const hash = caseHash(one)
    return [...this.#byId.values()].filter((line) => line.case === hash && line.observation.at >= fromMs && line.observation.at < toMs)
  }

  /** Whether a stored result depends on nothing that has changed since. */
  static holds(identity: Identity, one: EvalCase, { key, trial, touched }: StoredObservation): boolean {
    return key !== '' && key === ResultStore.key(identity, one, trial) && same(touched, identity.states)
  }

  /** Adds what was seen; written by `save`. */
  put(identity: Identity, one: EvalCase, trial: number, observation: Observation): StoredObservation {
    const touched = touchedBy(identity, observation.states)
    const key = ResultStore.key(identity, one, trial) ?? ''
    const line: StoredObservation = {
      type: 'observation',
      id: shortHash({ key, touched, case: caseHash(one), trial, at: observation.at, run: observation.run ?? null }),
      key,
      case: caseHash(one),
      trial,
      touched,
      observation,
    }
    this.#add(line)
    this.#unwritten.push(line)
    return line
  }

  /** Adds how the evaluation stands; written by `save`. */
  stand(standing: Standing): void {
    this.#add(standing)
    this.#unwritten.push(standing)
  }

  /** Writes what was added. */
  async save(): Promise<void> {
    if (this.#unwritten.length === 0) return
    await mkdir(dirname(this.path), { recursive: true })
    const lines = this.#unwritten.splice(0).map((line) => `${JSON.stringify(line)}\n`)
    await appendFile(this.path, `${this.#gap}${lines.join('')}`)
    this.#gap = ''
    if (this.#standings.length > this.#limits.standings && (await stat(this.path)).size > this.#limits.sizeBytes) await this.#rewrite()
  }

  /** Leaves out what only standings refer to that are too old. */
  async #rewrite(): Promise<void> {
    const standings = this.#standings.slice(-this.#limits.standings)
    const needed = new Set(standings.flatMap(({ cases }) => Object.values(cases).flatMap(({ observations }) => observations)))
    const lines = [...[...this.#byId.values()].filter(({ id }) => needed.has(id)), ...standings]
    const next = `${this.path}.next`
    await writeFile(next, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    await rename(next, this.path)
  }
}
