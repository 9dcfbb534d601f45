// What happened in a run, in a few words: the same in logs and in log events. Invariant: they name states, models, tools
// and codes, never what any of them said.
import type { RunEvent } from '../run-event.ts'
import { stateText } from './span-attributes.ts'

type Event<T extends RunEvent['type']> = Extract<RunEvent, { readonly type: T }>

/** `searching → answering`. */
export const transitionSentence = ({ from, to }: Event<'transition.taken'>): string => (stateText(from) === '' ? `enters ${stateText(to)}` : `${stateText(from)} → ${stateText(to)}`)

/** `openai/gpt-5-mini failed: rate_limited, trying again`. */
export const attemptSentence = ({ name, failure, retryInMs }: Event<'attempt.ended'>): string =>
  failure === undefined ? `${name} answered` : `${name} failed: ${failure.code}${retryInMs === undefined ? '' : ', trying again'}`

/** `circuit open: openai/gpt-5-mini`. */
export const circuitSentence = ({ to, circuit }: Event<'breaker.changed'>): string => `circuit ${to}: ${circuit}`
