// The spans of a run from its events alone, as plain data: the tree that OpenTelemetry would get, for those who read a
// journal. Invariant: what is shown here and what is exported come from the same code.
import type { Attributes, OpenSpan } from '../../trace/index.ts'
import type { RunEvent } from '../run-event.ts'
import { callSpanName } from './span-attributes.ts'
import { TracedRun } from './trace-runs.ts'

/** A span that is over, with those inside of it in the order in which they began. */
export interface RunSpan {
  /** As in a trace: `state asking`, `chat gpt-5-mini`, `attempt`. */
  readonly name: string
  readonly startedAt: number
  readonly endedAt: number
  readonly attributes: Attributes
  /** Failure code. */
  readonly failed?: string
  readonly inside: readonly RunSpan[]
}

class KeptSpan implements OpenSpan, RunSpan {
  readonly ids = undefined
  readonly recording = true
  readonly name: string
  readonly startedAt: number
  endedAt: number
  attributes: Attributes
  failed?: string
  readonly inside: KeptSpan[] = []

  constructor(name: string, at: number, attributes: Attributes) {
    this.name = name
    this.startedAt = at
    this.endedAt = at
    this.attributes = attributes
  }

  set(attributes: Attributes): void {
    this.attributes = { ...this.attributes, ...attributes }
  }

  end(at: number, failed?: string): void {
    this.endedAt = at
    if (failed !== undefined) this.failed = failed
  }

  within<T>(work: () => T): T {
    return work()
  }

  child(name: string, { at, attributes }: { readonly at: number; readonly attributes: Attributes }): OpenSpan {
    const made = new KeptSpan(name, at, attributes)
    this.inside.push(made)
    return made
  }

  log(): void {}
}

/** The spans of a run. @param agent its id. @param events all of its events so far, in order. */
export const spansOf = (agent: string, events: readonly RunEvent[]): RunSpan => {
  const since = events[0]?.at ?? 0
  const root = new KeptSpan(callSpanName({ kind: 'agent', name: agent, key: '' }), since, {})
  const tracing = { span: () => root, measure: () => {}, measures: false, logs: false }
  const traced = new TracedRun({ id: events[0]?.run ?? '', agent, seed: 0 }, { tracing, root, since, agent }, { now: () => events.at(-1)?.at ?? 0 }, undefined)
  for (const event of events) traced.event(event)
  traced.released('parked')
  return root
}
