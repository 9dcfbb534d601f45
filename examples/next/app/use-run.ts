'use client'
// A React hook over `stateloop/client`: one run, its tokens, the states it passes and how it stands.
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Client, RemoteRun } from 'stateloop/client'

/** What a page shows of a run. */
export interface RunState<O> {
  readonly text: string
  readonly states: readonly string[]
  readonly view: Awaited<ReturnType<RemoteRun<O, unknown>['get']>> | undefined
  readonly error: unknown
}

const nothing = { text: '', states: [], view: undefined, error: undefined } as const

/** Starts runs of an agent and follows the last one. */
export const useRun = <I, O, E>(agent: Client<I, O, E>): RunState<O> & { readonly start: (input: I) => Promise<void>; readonly approve: (hash: string) => Promise<void> } => {
  const [state, setState] = useState<RunState<O>>(nothing)
  const run = useRef<RemoteRun<O, E> | undefined>(undefined)
  const stop = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  const start = useCallback(
    async (input: I) => {
      stop.current?.abort()
      const { signal } = (stop.current = new AbortController())
      setState(nothing)
      try {
        run.current = await agent.start(input, { signal })
        const clear = () => setState((before) => ({ ...before, text: '' }))
        for await (const event of run.current.watch({ signal, onReconnect: clear })) {
          if (event.type === 'token.delta') setState((before) => ({ ...before, text: before.text + event.text }))
          if (event.type === 'attempt.discarded') clear()
          if (event.type === 'state.entered') setState((before) => ({ ...before, states: [...before.states, event.state] }))
          if (event.type !== 'run.waiting' && event.type !== 'run.ended') continue
          const view = await run.current.get()
          setState((before) => ({ ...before, view }))
        }
      } catch (error) {
        if (!signal.aborted) setState((before) => ({ ...before, error }))
      }
    },
    [agent],
  )
  const approve = useCallback(async (hash: string) => {
    await run.current?.approve(hash)
  }, [])
  return { ...state, start, approve }
}
