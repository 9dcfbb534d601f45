// A scripted provider that says given turns one after another, for tests. Invariant: it never makes a turn up; a request
// without a turn left is a bug of the test and stops it with both sides shown.
import type { ModelProvider, ModelRequest } from '../provider.ts'
import type { ScriptedReply } from './reply.ts'
import { lastUserText } from './request.ts'
import { scripted, type ScriptedOptions } from './scripted.ts'

/** One turn: an answer, or a function that makes it from the request. */
export type Turn = ScriptedReply | ((request: ModelRequest) => ScriptedReply)

/** A provider that remembers what it was asked. */
export interface Script extends ModelProvider {
  /** Every request so far, in order. */
  readonly requests: readonly ModelRequest[]
  /** How many turns were not said yet. */
  readonly unused: number
  /** Throws unless every turn was used. */
  readonly assertComplete: () => void
}

/** Name of the state that asks, from the key of its attempt: `answering` in `/answering#2`. */
export const stateOfKey = (key: string): string => /([^/#.]+)#[^/#]*$/.exec(key)?.[1] ?? key

const showTurn = (turn: Turn): string => (typeof turn === 'function' ? 'a function' : JSON.stringify(turn))

type Turns = readonly Turn[] | { readonly [state: string]: readonly Turn[] }

const isList = (turns: Turns): turns is readonly Turn[] => Array.isArray(turns)

/**
 * Makes a provider that says given turns one after the other; a call after the last of them throws, which ends the run as a defect.
 * @param turns one list for all requests in order, or a list per state by its name.
 * @example script([replyCalls({ name: 'lookup', args: { id: 7 } }), replyText('It is on its way.')])
 */
export const script = (turns: Turns, options: Omit<ScriptedOptions, 'rules'> = {}): Script => {
  const perState = !isList(turns)
  const queues = new Map(Object.entries(isList(turns) ? { '': turns } : turns).map(([state, list]) => [state, [...list]]))
  const requests: ModelRequest[] = []
  const unused = (): number => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0)
  const provider = scripted({
    ...options,
    rules: (request, { key }) => {
      requests.push(request)
      const name = perState ? stateOfKey(key) : ''
      const turn = queues.get(name)?.shift()
      if (turn === undefined)
        throw new Error(`The script has no turn left${perState ? ` for the state ${name}` : ''}. Request ${requests.length} asked: ${JSON.stringify(lastUserText(request).slice(0, 200))}. Add a turn to the script.`)
      return typeof turn === 'function' ? turn(request) : turn
    },
  })
  return {
    ...provider,
    requests,
    get unused() {
      return unused()
    },
    assertComplete() {
      if (unused() === 0) return
      const left = [...queues].filter(([, queue]) => queue.length > 0).map(([state, queue]) => `${state === '' ? '' : `${state}: `}${queue.map(showTurn).join(', ')}`)
      throw new Error(`${unused()} turns of the script were not said: ${left.join('; ')}. The run asked ${requests.length} times.`)
    },
  }
}
