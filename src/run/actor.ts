// One machine of a run as the fold sees it: its snapshot, its effects under way, its threads and what it used.
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import type { Agent } from '../agent/index.ts'
import type { Failure } from '../failure/index.ts'
import type { Decider } from './decide.ts'
import type { RunningEffect } from './effect.ts'
import type { RepeatWatch } from './repeat.ts'
import type { PendingCalls, Thread } from './thread.ts'
import type { FullLimits, Used } from './usage.ts'

/** Where an invoke sits in its machine. */
export interface InvokePlace {
  /** State path with dots. */
  readonly state: string
  /** Path of the enclosing parallel region; empty outside of any. */
  readonly region: string
}

interface NodeLike {
  readonly path: readonly string[]
  readonly parent?: NodeLike
  readonly type: string
  readonly invoke: readonly { readonly id: string }[]
  readonly states: { readonly [name: string]: NodeLike }
}

const places = new WeakMap<AnyStateMachine, ReadonlyMap<string, InvokePlace>>()

const regionOf = (node: NodeLike): string => {
  for (let inner = node; inner.parent !== undefined; inner = inner.parent) if (inner.parent.type === 'parallel') return inner.path.join('.')
  return ''
}

/** Where each invoke of a machine sits, by invoke id. Walked once per machine. */
export const placesOf = (machine: AnyStateMachine): ReadonlyMap<string, InvokePlace> => {
  const known = places.get(machine)
  if (known !== undefined) return known
  const found = new Map<string, InvokePlace>()
  const walk = (node: NodeLike): void => {
    for (const invoke of node.invoke) found.set(invoke.id, { state: node.path.join('.'), region: regionOf(node) })
    for (const child of Object.values(node.states)) walk(child)
  }
  walk(machine.root)
  places.set(machine, found)
  return found
}

/** An effect under way, with the keys it listens to. */
export interface OpenEffect {
  readonly id: string
  readonly key: string
  readonly state: string
  readonly region: string
  readonly spec: { readonly kind: string }
  live: boolean
  logic: RunningEffect
  /** Suffixes of open steps, as `suffix` → attempt. */
  readonly steps: Map<string, number>
  /** Suffixes of open timers. */
  readonly timers: Set<string>
  /** Suffixes of child actors. */
  readonly children: Set<string>
}

/** A machine at work. */
export interface Actor {
  readonly path: string
  readonly agent: Agent
  readonly decider: Decider
  readonly limits: FullLimits
  readonly used: Used
  readonly repeat: RepeatWatch
  /** The effect, or the plain invoke, that this actor answers to. */
  readonly parent: { readonly actor: Actor; readonly id: string; readonly suffix?: string } | undefined
  snapshot: AnyMachineSnapshot
  /** Effects by invoke id. */
  readonly effects: Map<string, OpenEffect>
  /** Plain child machines by invoke id, as actor paths. */
  readonly machines: Map<string, string>
  /** XState's own delayed events by send id, as timer keys. */
  readonly delays: Map<string, { readonly key: string; readonly event: { readonly type: string } }>
  visits: { readonly [state: string]: number }
  readonly entries: Map<string, number>
  readonly threads: Map<string, Thread>
  readonly pending: PendingCalls[]
  readonly approved: Set<string>
  lastFailure: (Failure & { readonly state: string }) | undefined
}

/** The next key of an invoke or a delay: it counts, so that no two visits of a state share one. */
export const nextKey = ({ path, entries }: Actor, id: string): string => {
  const count = (entries.get(id) ?? 0) + 1
  entries.set(id, count)
  return `${path}/${id}#${count}`
}
