// What attempts asked for, noted while a run is folded. Invariant: nothing is noted that the entries say already.
import type { Agent } from '../agent/index.ts'
import { hashesOf, stepDocument, type ModelAsk, type StepRequest } from '../run/index.ts'
import { canonical, sha256 } from '../schema/index.ts'
import { scrubber, type Scrubber } from '../trace/index.ts'
import { policyOf } from './agent-facts.ts'
import { argsHashOf, idOf, type Ask, type Content, type Recording } from './recording.ts'
import { renderedReader } from './rendered.ts'

/** Notes requests as they begin. */
export class AskNotes {
  readonly #asks = new Map<string, Ask>()
  readonly #steps = new Map<string, Content>()
  /** Shown hashes of the steps that are kept. */
  readonly #known = new Set<string>()
  readonly #rendered = renderedReader()

  /** Notes a request. To be called when it begins. */
  take(request: StepRequest): void {
    const { kind, name, args } = request
    const ask = request.call?.()
    const argsHash = argsHashOf(args)
    this.#asks.set(idOf(request), {
      kind,
      name,
      ...(args === undefined || kind === 'tools' ? {} : { args }),
      ...(argsHash === undefined ? {} : { argsHash }),
      ...(ask === undefined ? {} : this.#model(ask)),
    })
  }

  /** A recording with what was noted, and with the limits of its agent. The agent rendered its prompts anew, so secrets are taken out again. */
  addTo(recording: Recording, agent: Agent, { data, text: clean }: Scrubber = scrubber([])): Recording {
    const said = new Set(recording.entries.flatMap(({ body: { cause } }) => (cause.type === 'attempt' && cause.outcome.calls?.[0]?.requestHash !== undefined ? [idOf(cause)] : [])))
    const asks = [...this.#asks].map(([id, { hashes, ...ask }]) => [id, hashes === undefined || said.has(id) ? data(ask) : { ...data(ask), hashes }] as const)
    const policy = canonical(policyOf(agent))
    return {
      ...recording,
      asks: new Map(asks),
      contents: new Map([...recording.contents, ...[...this.#steps].map(([hash, step]) => [hash, { ...step, text: clean(step.text) }] as const), [sha256(policy), { kind: 'policy', text: policy }]]),
    }
  }

  #model(ask: ModelAsk): Pick<Ask, 'messages' | 'hashes'> {
    const hashes = hashesOf(ask)
    if (!this.#known.has(hashes.stepHash)) {
      const text = canonical(stepDocument(ask))
      const full = sha256(text)
      this.#known.add(hashes.stepHash)
      this.#steps.set(full, { kind: 'step', text })
    }
    const messages = this.#rendered(ask)
    return { hashes, ...(messages.length === 0 ? {} : { messages }) }
  }
}
