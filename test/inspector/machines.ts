// Machines for the inspector's tests: every kind of edge, nesting and regions, and a large one.
import { createMachine, type AnyStateMachine } from 'xstate'

/** Nested and parallel states, timers, events, internal and eventless transitions, several targets, history. */
export const orchestra = (): AnyStateMachine =>
  createMachine({
    id: 'orchestra',
    initial: 'tuning',
    on: { STOP: '.stopped' },
    states: {
      tuning: { after: { 500: 'playing' }, on: { HURRY: { target: 'playing', guard: () => true, description: 'early' } } },
      playing: {
        type: 'parallel',
        states: {
          strings: { initial: 'soft', states: { soft: { on: { LOUDER: 'loud' } }, loud: { on: { SOFTER: 'soft', BREAK: { actions: () => {} } } }, hist: { type: 'history' } } },
          winds: { initial: 'resting', states: { resting: { always: { target: 'blowing', guard: 'cued' } }, blowing: { type: 'final' } } },
        },
        on: { SWAP: { target: ['.strings.loud', '.winds.blowing'] }, REST: 'tuning' },
        onDone: 'applause',
      },
      applause: {
        invoke: {
          id: 'clap',
          src: 'clapping',
          onDone: 'stopped',
          onError: [
            { target: 'stopped', description: 'timeout' },
            { target: 'tuning', description: '*' },
          ],
        },
      },
      stopped: { type: 'final' },
    },
  } as never) as unknown as AnyStateMachine

/** A machine of about `count` states: groups of ten with edges inside and between them. */
export const largeMachine = (count: number): AnyStateMachine => {
  const groups = Array.from({ length: Math.floor(count / 10) }, (_, group) => {
    const states = Array.from({ length: 9 }, (_, at) => [`s${at}`, { on: { NEXT: at === 8 ? `#g${group}s0` : `s${at + 1}`, SKIP: `s${(at + 3) % 9}` }, ...(at === 0 ? { id: `g${group}s0` } : {}) }] as const)
    return [`group${group}`, { initial: 's0', states: Object.fromEntries(states), on: { LEAVE: `group${(group + 1) % Math.floor(count / 10)}`, FAIL: `group${(group * 7 + 3) % Math.floor(count / 10)}` } }] as const
  })
  return createMachine({ id: 'large', initial: 'group0', states: Object.fromEntries(groups) } as never) as unknown as AnyStateMachine
}

/** A state named so that it would break out of markup or a diagram, if anything could. */
export const hostileMachine = (name: string): AnyStateMachine =>
  createMachine({ id: 'hostile', initial: name, states: { [name]: { description: name, on: { [`GO ${name}`]: { target: 'end', description: name } } }, end: { type: 'final' } } } as never) as unknown as AnyStateMachine
