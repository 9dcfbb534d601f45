// The way in to a provider: a turn at the limiter, then the circuit's leave. Invariant: whoever was let in settles exactly
// once, so that no permit and no probe is ever lost.
import { FailureError, type Failure } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import type { ModelProvider, RateLimits } from '../../model/index.ts'
import type { BreakerView, Permit } from '../../policy/index.ts'
import type { StepIo } from '../effect.ts'
import type { ModelAsk } from './ask.ts'
import { tokenBoundOf } from './bill.ts'

/** Leave to make one call. */
export interface Admission {
  /** What the way in decided, for the journal; undefined when there is nothing to say. */
  readonly gate: Outcome['gate']
  readonly observe: (limits: RateLimits) => void
  /** Ends the call. @param failed how it failed. @param usedTokens what it used, when known. */
  readonly settle: (failed: Failure | undefined, usedTokens: number | undefined) => void
}

/** Names a circuit and a limiter: who is called, for which model, and where. */
export const gateKey = (provider: ModelProvider, model: string): string => `${provider.id}/${model}${provider.baseUrl === undefined ? '' : ` at ${provider.baseUrl}`}`

const announce = (io: StepIo, ask: ModelAsk, view: BreakerView | undefined): void => {
  if (view === undefined) return
  const { key, state: circuit, openedBy, retryAtMs } = view
  io.emit({ type: 'breaker.changed', key: ask.key, state: ask.state, circuit: key, to: circuit, ...(openedBy === undefined ? {} : { openedBy }), ...(retryAtMs === undefined ? {} : { retryAtMs }) })
}

/**
 * Waits for a turn and asks the circuit.
 * @throws FailureError `saturated`, `circuit_open`; and the signal's reason when it aborts first.
 */
export const enterGate = async (ask: ModelAsk, provider: ModelProvider, io: StepIo): Promise<Admission> => {
  const key = gateKey(provider, ask.model.model)
  const { policies, clock } = io.acting
  const leftMs = io.deadlineAt === undefined ? {} : { leftMs: io.deadlineAt - clock.now() }
  const permit: Permit | undefined = await policies.limiters(ask.limiter)?.enter(key, { signal: io.signal, tokens: tokenBoundOf(ask).total, ...leftMs })
  const circuits = policies.breakers(ask.breaker)
  const state = (): BreakerView | undefined => circuits?.views().find((view) => view.key === key)
  const pass = circuits?.enter(key)
  if (pass?.ok === false) {
    permit?.release(0)
    throw new FailureError(pass.failure)
  }
  const waitedMs = permit?.waitedMs ?? 0
  const probe = pass?.probe === true
  return {
    gate: waitedMs === 0 && !probe ? undefined : { ...(waitedMs === 0 ? {} : { waitedMs }), ...(probe ? { probe } : {}) },
    observe: (limits) => permit?.observe(limits),
    settle: (failed, usedTokens) => {
      const before = failed === undefined && !probe ? undefined : state()?.state
      pass?.settle(failed?.code, failed?.provider?.retryAfterMs)
      if (before !== undefined && before !== state()?.state) announce(io, ask, state())
      permit?.release(usedTokens)
    },
  }
}
