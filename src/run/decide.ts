// The pure half of a run: asks XState for the next snapshot and turns what it wants done into commands.
// One inert scope serves a whole actor: building an XState actor per step costs several times as much.
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'
import { edgeId, withThreads, type ReadThread } from '../agent/index.ts'
import type { Json } from '../failure/index.ts'
import type { StateValue } from '../journal/index.ts'

/** What a machine wants done after a transition. */
export type Command =
  | { readonly type: 'start'; readonly id: string; readonly logic: unknown; readonly input: unknown }
  | { readonly type: 'stop'; readonly id: string }
  | { readonly type: 'delay'; readonly id: string; readonly event: EventObject; readonly delayMs: number }
  | { readonly type: 'cancel'; readonly id: string }
  | { readonly type: 'send'; readonly to: string; readonly event: EventObject }
  | { readonly type: 'emit'; readonly event: EventObject }
  | { readonly type: 'act'; readonly name: string; readonly exec: () => void }

/** A snapshot and what the machine wants done. */
export interface Decision {
  readonly snapshot: AnyMachineSnapshot
  readonly commands: readonly Command[]
  /** Ids of the edges taken, as in the machine's graph, in order. */
  readonly edges: readonly string[]
}

/** Commands that can be carried out again; what the others stop or speak to is not there any more. */
export type Recalled = { readonly type: 'start'; readonly id: string; readonly input?: Json } | Extract<Command, { readonly type: 'delay' | 'cancel' }>

/** Where a machine stands and what it wants done, as data. */
export interface MachineStanding {
  readonly value: StateValue
  /** Ids of the active state nodes, in XState's order. */
  readonly nodes: readonly string[]
  /** Ids of the state nodes that history states remember. */
  readonly history: { readonly [node: string]: readonly string[] }
  /** Without the view of the run. */
  readonly context: { readonly [field: string]: Json }
  readonly commands: readonly Recalled[]
}

interface ScopeAction {
  readonly type: string
  readonly info: unknown
  readonly params: unknown
  readonly exec: ((info: unknown, params: unknown) => void) | undefined
}

interface ActorRefLike {
  readonly id: string
  readonly logic: unknown
}

interface InspectionLike {
  readonly type: string
  readonly _transitions?: readonly Parameters<typeof edgeId>[0][]
}

interface StateNodeLike {
  readonly id: string
  readonly invoke: readonly { readonly id: string; readonly src: unknown; readonly input?: unknown }[]
  readonly after: readonly { readonly delay: unknown; readonly eventType: string }[]
}

const nothing = (): void => {}
const inertSystem = {
  _relay: nothing,
  _sendInspectionEvent: nothing,
  _register: (_id: string, ref: unknown) => ref,
  _unregister: nothing,
  _set: nothing,
  get: nothing,
  getAll: () => ({}),
  inspect: nothing,
  _bookId: () => 'inert',
  _snapshot: { _scheduledEvents: {} },
  _logger: nothing,
  _clock: { setTimeout: nothing, clearTimeout: nothing },
  scheduler: { schedule: nothing, cancel: nothing, cancelAll: nothing },
}

const toCommand = ({ type, info, params, exec }: ScopeAction): Command | undefined => {
  const fields = (params ?? {}) as { readonly [name: string]: unknown }
  switch (type) {
    case 'xstate.spawnChild':
      return { type: 'start', id: fields['id'] as string, logic: (fields['actorRef'] as ActorRefLike).logic, input: fields['input'] }
    case 'xstate.stopChild':
      return { type: 'stop', id: (params as ActorRefLike).id }
    case 'xstate.raise':
      return { type: 'delay', id: fields['id'] as string, event: fields['event'] as EventObject, delayMs: fields['delay'] as number }
    case 'xstate.cancel':
      return { type: 'cancel', id: (fields['sendId'] ?? fields['id']) as string }
    case 'xstate.sendTo':
      return { type: 'send', to: (fields['targetId'] ?? (fields['to'] as ActorRefLike | undefined)?.id) as string, event: fields['event'] as EventObject }
    case 'xstate.emit':
      return { type: 'emit', event: fields['event'] as EventObject }
    default:
      return exec === undefined ? undefined : { type: 'act', name: type, exec: () => exec(info, params) }
  }
}

const idsOf = (nodes: readonly unknown[]): readonly string[] => (nodes as readonly StateNodeLike[]).map(({ id }) => id)

/** A machine's snapshot and commands as data. */
export const machineStanding = (snapshot: AnyMachineSnapshot, commands: readonly Command[]): MachineStanding => {
  const { $run: _view, ...context } = snapshot.context as { readonly [field: string]: Json }
  const history = Object.entries(snapshot.historyValue as unknown as { readonly [node: string]: readonly unknown[] })
  return {
    value: snapshot.value as StateValue,
    nodes: idsOf(snapshot._nodes),
    history: Object.fromEntries(history.map(([node, nodes]) => [node, idsOf(nodes)])),
    context,
    commands: commands.flatMap((command): readonly Recalled[] => {
      if (command.type === 'start') return [{ type: 'start', id: command.id, ...(command.input === undefined ? {} : { input: command.input as Json }) }]
      return command.type === 'delay' || command.type === 'cancel' ? [command] : []
    }),
  }
}

/** Decides for one actor. Not reentrant. */
export class Decider {
  readonly machine: AnyStateMachine
  readonly #actions: ScopeAction[] = []
  #edges: string[] = []
  readonly #scope: never

  readonly #read: ReadThread

  /** @param read messages of a thread, for callbacks that run inside a decision. */
  constructor(machine: AnyStateMachine, path: string, read: ReadThread = () => []) {
    this.machine = machine
    this.#read = read
    const system = { ...inertSystem, _sendInspectionEvent: (event: InspectionLike): void => void (event.type === '@xstate.microstep' && this.#edges.push(...(event._transitions ?? []).map(edgeId))) }
    const self = { id: path === '' ? machine.id : path, sessionId: path, system, send: nothing, _send: nothing, _parent: undefined }
    this.#scope = {
      self,
      id: self.id,
      sessionId: path,
      system,
      logger: nothing,
      defer: nothing,
      stopChild: nothing,
      emit: nothing,
      actionExecutor: (action: ScopeAction) => void this.#actions.push(action),
    } as never
  }

  /** The first snapshot. A factory or initial action that throws gives a snapshot with status `error`. */
  initial(input: unknown): Decision {
    this.#begin()
    return this.#decision(withThreads(this.#read, () => this.machine.getInitialSnapshot(this.#scope, input)))
  }

  /** The next snapshot. @throws what guards, actions and mappers throw: a defect. */
  next(snapshot: AnyMachineSnapshot, event: EventObject): Decision {
    this.#begin()
    return this.#decision(withThreads(this.#read, () => this.machine.transition(snapshot, event, this.#scope) as AnyMachineSnapshot))
  }

  /**
   * Stands at a state without having taken the way there, as a migration does: its effects and timers start anew,
   * entry actions do not run.
   * @throws Error when the machine has no such state.
   */
  standAt(value: unknown, context: object): Decision {
    const snapshot = this.machine.resolveState({ value, context } as never) as AnyMachineSnapshot
    const nodes = snapshot._nodes as unknown as readonly StateNodeLike[]
    const starts = nodes.flatMap((node) =>
      node.invoke.map(({ id, src, input }) => ({
        type: 'start' as const,
        id,
        logic: this.#actor(src),
        input: typeof input === 'function' ? (input as (args: object) => unknown)({ context, event: { type: 'xstate.init' } }) : input,
      })),
    )
    const delays = nodes.flatMap((node) => node.after.flatMap(({ delay, eventType }): Command[] => (typeof delay === 'number' ? [{ type: 'delay', id: eventType, event: { type: eventType }, delayMs: delay }] : [])))
    // What leaves a state is looked up here by id; nothing else is asked of it.
    const children = snapshot.children as { [id: string]: unknown }
    for (const start of starts) children[start.id] = { id: start.id }
    return { snapshot, commands: [...delays, ...starts], edges: [] }
  }

  /** The decision that led to where a machine stood. @throws Error when the machine has no such states. */
  recall({ value, nodes, history, context, commands }: MachineStanding): Decision {
    const byId = (id: string): unknown => this.machine.getStateNodeById(id)
    const historyValue = Object.fromEntries(Object.entries(history).map(([node, ids]) => [node, ids.map(byId)]))
    const snapshot = this.machine.resolveState({ value, context, historyValue } as never) as AnyMachineSnapshot
    const active = nodes.map(byId) as readonly StateNodeLike[]
    ;(snapshot as { _nodes: unknown })._nodes = active
    const invokes = new Map(active.flatMap(({ invoke }) => invoke.map(({ id, src }) => [id, src])))
    const children = snapshot.children as { [id: string]: unknown }
    const again = commands.map((command): Command => {
      if (command.type !== 'start') return command
      children[command.id] = { id: command.id }
      return { type: 'start', id: command.id, logic: this.#actor(invokes.get(command.id)), input: command.input }
    })
    return { snapshot, commands: again, edges: [] }
  }

  #actor(src: unknown): unknown {
    return typeof src === 'string' ? (this.machine.implementations.actors as { readonly [name: string]: unknown })[src] : src
  }

  #begin(): void {
    this.#actions.length = 0
    this.#edges = []
  }

  #decision(snapshot: AnyMachineSnapshot): Decision {
    const commands: Command[] = []
    for (const action of this.#actions) {
      const command = toCommand(action)
      if (command !== undefined) commands.push(command)
    }
    return { snapshot, commands, edges: this.#edges }
  }
}
