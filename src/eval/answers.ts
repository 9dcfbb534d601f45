// Answers of judges, remembered by everything that decides them. Invariant: the same judge is never asked the same thing
// twice, within a run or across runs, as long as its hashes stay.
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Agent } from '../agent/index.ts'
import { shortHash } from '../schema/index.ts'
import type { RunOutcome } from '../run/index.ts'
import { stepsOf } from './steps.ts'

type Answer = RunOutcome<never>

/** What asks a judge that is not remembered. */
export type AskJudge = (agent: Agent, input: unknown) => Promise<Answer>

/** Remembered answers, with what the new ones cost. */
export class Answers {
  readonly #path: string | undefined
  readonly #known: Map<string, Promise<Answer>>
  readonly #lines: string[] = []
  /** Known cost of answers that were not remembered, USD. */
  spentUsd = 0

  private constructor(path: string | undefined, known: Map<string, Promise<Answer>>) {
    this.#path = path
    this.#known = known
  }

  /** Opens the answers of a file, or of this process only. */
  static async open(path?: string): Promise<Answers> {
    const text = path === undefined ? '' : await readFile(path, 'utf8').catch(() => '')
    const known = new Map<string, Promise<Answer>>()
    for (const line of text.split('\n')) {
      try {
        const { key, outcome } = JSON.parse(line) as { readonly key: string; readonly outcome: Answer }
        known.set(key, Promise.resolve(outcome))
      } catch {
        // A line that was cut off is asked again.
      }
    }
    return new Answers(path, known)
  }

  /** The judge's answer; only one that is done is remembered. */
  ask(agent: Agent, input: unknown, askNow: AskJudge): Promise<Answer> {
    const key = shortHash({ steps: stepsOf(agent), input: input ?? null })
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const asked = askNow(agent, input).then((outcome) => {
      this.spentUsd += outcome.costUsd ?? 0
      if (outcome.outcome === 'done') this.#lines.push(`${JSON.stringify({ key, outcome })}\n`)
      else this.#known.delete(key)
      return outcome
    })
    this.#known.set(key, asked)
    asked.catch(() => this.#known.delete(key))
    return asked
  }

  /** Writes new answers. */
  async save(): Promise<void> {
    if (this.#path === undefined || this.#lines.length === 0) return
    await mkdir(dirname(this.#path), { recursive: true })
    await appendFile(this.#path, `\n${this.#lines.splice(0).join('')}`)
  }
}
