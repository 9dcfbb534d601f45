// The compiler's only door to XState: it builds machines and turns saves into assignments.
import { assign, createMachine, type AnyStateMachine } from 'xstate'
import type { Guard, NodeConfig, Save } from './build.ts'
import { guards as sharedGuards } from './implementations.ts'

/** Most steps without an event before XState gives up: its own default is none. */
const MAX_ITERATIONS = 1000

/** What a machine is made of. */
export interface MachineParts {
  readonly config: NodeConfig
  readonly actors: { readonly [source: string]: unknown }
  readonly guards: { readonly [name: string]: Guard }
  readonly saves: { readonly [name: string]: Save }
}

/** Builds a machine from compiled parts. @throws Error for a target that does not exist. */
export const buildMachine = ({ config, actors, guards, saves }: MachineParts): AnyStateMachine => {
  const actions = Object.fromEntries(Object.entries(saves).map(([name, save]) => [name, assign(save as never)]))
  return createMachine({ ...config, options: { maxIterations: MAX_ITERATIONS } } as never, { actors, guards: { ...sharedGuards, ...guards }, actions } as never)
}

/** The same machine with a limit on steps without an event. */
export const limitIterations = (machine: AnyStateMachine): AnyStateMachine =>
  machine.options.maxIterations === Infinity || machine.options.maxIterations === undefined
    ? (createMachine({ ...machine.config, options: { ...machine.config.options, maxIterations: MAX_ITERATIONS } } as never, machine.implementations as never) as AnyStateMachine)
    : machine

/** Tells whether actor logic is a machine. */
export const isMachine = (logic: unknown): logic is AnyStateMachine => typeof logic === 'object' && logic !== null && '__xstatenode' in logic && 'implementations' in logic

/**
 * A machine from a config alone, to be looked at and never run: guards, actions and actors are names without bodies.
 * @throws Error for a target that does not exist.
 */
export const sketchMachine = (config: { readonly [key: string]: unknown }): AnyStateMachine => createMachine(config as never) as unknown as AnyStateMachine
