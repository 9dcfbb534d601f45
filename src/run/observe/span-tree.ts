// The spans of one run that are open: machines, stays in states, calls. Invariant: a span ends before the one it belongs
// to, whatever order things stop in, and what began in another process gets its span on first sight.
import type { Failure } from '../../failure/index.ts'
import { ATTRIBUTE, type OpenSpan, type TraceIds } from '../../trace/index.ts'
import type { RunInfo } from '../effect.ts'
import { callAttributes, callSpanName, nothingBilled, type Billed, type Named } from './span-attributes.ts'

/** A machine at work. */
export interface ActorSpan {
  readonly span: OpenSpan
  readonly visits: Map<string, VisitSpan>
}

/** A stay in a state. */
export interface VisitSpan {
  readonly span: OpenSpan
  readonly state: string
  readonly since: number
  /** Keys of its calls under way. */
  readonly calls: string[]
  /** Paths of the machines it started. */
  readonly children: string[]
}

/** A call with its attempts. */
export interface CallSpan extends Named {
  readonly span: OpenSpan
  readonly since: number
  readonly visit: VisitSpan
  readonly billed: Billed
  /** The attempt begun last. */
  attempt: number
  /** The last attempt that has a span. */
  performed: number
  /** Its span, while it is performed here. */
  running: OpenSpan | undefined
  /** True once the span says what was asked. */
  described: boolean
}

/** Where a call happens. */
export interface Place {
  /** Actor path. */
  readonly actor: string
  /** State path within the actor. */
  readonly state: string
}

/** Actor and state of an effect, from its key and the state as events write it. */
export const placeOf = (key: string, state: string): Place => {
  const actor = key.slice(0, key.lastIndexOf('/'))
  return { actor, state: actor !== '' && state.startsWith(`${actor}/`) ? state.slice(actor.length + 1) : state }
}

/** The machine that started the actor with this path. */
const parentOf = (path: string): Place => {
  const slash = path.lastIndexOf('/')
  return { actor: path.slice(0, slash), state: path.slice(slash + 1).split('#')[0] ?? '' }
}

const trees = new WeakMap<RunInfo, SpanTree>()

/** Ids of the span in which something happens in a run, for logs. Undefined when the run is not traced. */
export const traceIdsOf = (run: RunInfo, place: Place): TraceIds | undefined => trees.get(run)?.idsAt(place)

/** The open spans of a run. */
export class SpanTree {
  readonly #actors = new Map<string, ActorSpan>()
  readonly #calls = new Map<string, CallSpan>()
  readonly #content: boolean
  readonly root: OpenSpan

  constructor(run: RunInfo, root: OpenSpan, content: boolean) {
    trees.set(run, this)
    this.root = root
    this.#content = content
    this.#actors.set('', { span: root, visits: new Map() })
  }

  /** The span of a machine, begun when it is new. */
  actor(path: string, at: number, agent?: { readonly id: string; readonly state: string }): ActorSpan {
    const known = this.#actors.get(path)
    if (known !== undefined) return known
    const { actor, state } = parentOf(path)
    const visit = this.visit({ actor, state: agent?.state ?? state }, at)
    const name = agent?.id ?? state
    const span = visit.span.child(`invoke_agent ${name}`, { kind: 'internal', at, attributes: { [ATTRIBUTE.operation]: 'invoke_agent', [ATTRIBUTE.agentName]: name, [ATTRIBUTE.actor]: path } })
    const made = { span, visits: new Map<string, VisitSpan>() }
    visit.children.push(path)
    this.#actors.set(path, made)
    return made
  }

  /** The span of a stay, begun when it is new. A nested state belongs to the state around it. */
  visit({ actor, state }: Place, at: number, kind?: string): VisitSpan {
    const { span, visits } = this.actor(actor, at)
    const known = visits.get(state)
    if (known !== undefined) return known
    let outer: OpenSpan | undefined
    for (let dot = state.lastIndexOf('.'); dot > 0 && outer === undefined; dot = state.lastIndexOf('.', dot - 1)) outer = visits.get(state.slice(0, dot))?.span
    const attributes = { [ATTRIBUTE.state]: state, [ATTRIBUTE.stateKind]: kind, [ATTRIBUTE.actor]: actor === '' ? undefined : actor }
    const made = { span: (outer ?? span).child(`state ${state}`, { kind: 'internal', at, attributes }), state, since: at, calls: [], children: [] }
    visits.set(state, made)
    return made
  }

  /** Ids of the span of a stay, or of the machine when it is in no such state. */
  idsAt({ actor, state }: Place): TraceIds | undefined {
    const found = this.#actors.get(actor)
    return (found?.visits.get(state)?.span ?? found?.span ?? this.root).ids
  }

  /** Takes a stay out of the open ones; its span is still to be ended. */
  leave(place: Place, at: number): VisitSpan {
    const visit = this.visit(place, at)
    this.#actors.get(place.actor)?.visits.delete(place.state)
    return visit
  }

  /** The span of a call, begun when it is new. */
  call(named: Named, place: Place, at: number): CallSpan {
    const known = this.#calls.get(named.key)
    if (known !== undefined) return known
    const visit = this.visit(place, at)
    const outside = named.kind !== 'tool' && named.kind !== 'tools' && named.kind !== 'code'
    const span = visit.span.child(callSpanName(named), { kind: outside ? 'client' : 'internal', at, attributes: callAttributes(named, this.#content) })
    const made: CallSpan = { ...named, span, since: at, visit, billed: nothingBilled(), attempt: 0, performed: 0, running: undefined, described: false }
    visit.calls.push(named.key)
    this.#calls.set(named.key, made)
    return made
  }

  /** Takes a call out of the open ones; its span is still to be ended. */
  closeCall(call: CallSpan): void {
    this.#calls.delete(call.key)
    const { calls } = call.visit
    calls.splice(calls.indexOf(call.key), 1)
  }

  /** Ends everything that a stay began and that is still open. */
  abandon(visit: VisitSpan, at: number): void {
    for (const key of visit.calls) {
      const call = this.#calls.get(key)
      this.#calls.delete(key)
      for (const span of [call?.running, call?.span]) {
        span?.set({ [ATTRIBUTE.abandoned]: true })
        span?.end(at)
      }
      if (call !== undefined) call.running = undefined
    }
    for (const path of visit.children) this.closeActor(path, at)
  }

  /** Ends a machine with all that is open in it. */
  closeActor(path: string, at: number, failure?: Failure): void {
    const actor = this.#actors.get(path)
    if (actor === undefined) return
    if (path !== '') this.#actors.delete(path)
    // Inner states were entered after the states around them.
    for (const visit of [...actor.visits.values()].toReversed()) {
      this.abandon(visit, at)
      visit.span.end(at)
    }
    actor.visits.clear()
    actor.span.end(at, failure?.code)
  }
}
