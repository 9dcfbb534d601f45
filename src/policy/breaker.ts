// A circuit breaker: after too many recent failures calls are refused at once, then one call at a time is let through
// to find out whether the other side is back. Invariant: in half-open exactly one probe is under way, and a result that
// says nothing about the other side (a cancel, a deadline) never moves the state.
// @see Nygard, "Release It!" (2018), chapter 5
import type { Clock } from '../clock/index.ts'
import { codeInfo, FAILURE_CODES, failure, type Failure, type FailureCode } from '../failure/index.ts'
import { callWindow } from './call-window.ts'
import { perKey } from './per-key.ts'

/** When a circuit opens and for how long. */
export interface BreakerPolicy {
  /** How long a call counts, milliseconds. Default 30,000. */
  readonly windowMs?: number
  /** How many of the latest calls count. Default 100. */
  readonly windowCalls?: number
  /** Failures in the window before it may open. Default 5. */
  readonly minFailures?: number
  /** Share of failures among the calls of the window that opens it, 0 to 1. Default 0.5. */
  readonly failureRatio?: number
  /** How long it stays open the first time, milliseconds; doubles with each probe that fails. Default 15,000. */
  readonly openMs?: number
  /** Longest it stays open by itself, milliseconds; a provider's Retry-After is obeyed even above it. Default 120,000. */
  readonly maxOpenMs?: number
}

/** A circuit as people and programs read it. */
export interface BreakerView {
  readonly key: string
  readonly state: 'closed' | 'open' | 'half_open'
  /** Calls and failures that count now. */
  readonly calls: number
  readonly failures: number
  /** The failure that opened it. */
  readonly openedBy?: FailureCode
  /** When the next probe may start, milliseconds UTC. */
  readonly retryAtMs?: number
}

/** A call that was let in. */
export interface BreakerPass {
  readonly ok: true
  /** True for the one call that finds out whether the other side is back. */
  readonly probe: boolean
  /**
   * Reports how the call ended; without a code it succeeded. Must be called once, whatever happens; later calls do nothing.
   * @param retryAfterMs what the provider asked to wait.
   */
  settle(code?: FailureCode, retryAfterMs?: number): void
}

/** A call that was refused. */
export interface BreakerRefusal {
  readonly ok: false
  /** `circuit_open`, with `details.retryAtMs`. */
  readonly failure: Failure
  /** When it is worth asking again, milliseconds UTC. */
  readonly retryAtMs: number
}

/** One circuit. */
export interface Breaker {
  enter(): BreakerPass | BreakerRefusal
  view(): BreakerView
}

/** What a result says about the other side. */
type Verdict = 'answered' | 'failed' | 'opens' | 'unknown'

const verdictOf = (code: FailureCode | undefined): Verdict => {
  if (code === undefined) return 'answered'
  const effect = codeInfo(code)?.breaker
  if (effect === 'opens') return 'opens'
  if (effect === 'counts') return 'failed'
  return Object.hasOwn(FAILURE_CODES.model, code) ? 'answered' : 'unknown'
}

/** What a breaker needs. */
export interface BreakerOptions extends BreakerPolicy {
  readonly clock: Clock
  /** Names the circuit in messages, such as `openai/gpt-5-mini`. */
  readonly key: string
  /** Called after each change of state. Must not throw. */
  readonly onChange?: (view: BreakerView) => void
}

const refusal = ({ key, state, openedBy }: BreakerView, why: string, retryAtMs: number): BreakerRefusal => ({
  ok: false,
  retryAtMs,
  failure: failure('circuit_open', `${key} was not called: ${why}. Route circuit_open to another model; the circuit closes by itself.`, {
    details: { key, state, retryAtMs, ...(openedBy === undefined ? {} : { openedBy }) },
  }),
})

/** Makes one circuit, closed. */
export const breaker = (options: BreakerOptions): Breaker => {
  const { clock, key, onChange, windowMs = 30_000, windowCalls = 100, minFailures = 5, failureRatio = 0.5, openMs = 15_000, maxOpenMs = 120_000 } = options
  const recent = callWindow(clock, windowMs, windowCalls)
  let state: BreakerView['state'] = 'closed'
  let openedBy: FailureCode | undefined
  let openUntil = 0
  let failedProbes = 0
  let probing = false
  /** Counts state changes, so that a call from an earlier state cannot move this one. */
  let era = 0

  const retryAtMs = (): number => Math.ceil(clock.now() + Math.max(0, openUntil - clock.monotonic()))
  const view = (): BreakerView => ({ key, state, ...recent.counts(), ...(openedBy === undefined ? {} : { openedBy }), ...(state === 'open' ? { retryAtMs: retryAtMs() } : {}) })
  const become = (next: BreakerView['state']): void => {
    state = next
    era++
    probing = false
    recent.clear()
    onChange?.(view())
  }
  const open = (code: FailureCode, retryAfterMs: number): void => {
    openedBy = code
    openUntil = clock.monotonic() + Math.max(Math.min(openMs * 2 ** failedProbes, maxOpenMs), retryAfterMs)
    become('open')
  }
  const settleProbe = (verdict: Verdict, code: FailureCode | undefined, retryAfterMs: number): void => {
    if (verdict === 'unknown') {
      probing = false
    } else if (verdict === 'answered' || code === undefined) {
      openedBy = undefined
      failedProbes = 0
      become('closed')
    } else {
      failedProbes++
      open(code, retryAfterMs)
    }
  }
  const settleCall = (verdict: Verdict, code: FailureCode | undefined, retryAfterMs: number): void => {
    if (code === undefined || verdict === 'failed') recent.add(code !== undefined)
    const { calls, failures } = recent.counts()
    const isTooMuch = verdict === 'failed' && failures >= minFailures && failures >= failureRatio * calls
    if (code !== undefined && (verdict === 'opens' || isTooMuch)) open(code, retryAfterMs)
  }
  const pass = (probe: boolean): BreakerPass => {
    const entered = era
    let settled = false
    return {
      ok: true,
      probe,
      settle(code, retryAfterMs = 0) {
        if (settled || entered !== era) return
        settled = true
        const settle = probe ? settleProbe : settleCall
        settle(verdictOf(code), code, retryAfterMs)
      },
    }
  }
  return {
    enter() {
      if (state === 'open' && clock.monotonic() >= openUntil) become('half_open')
      if (state === 'closed') return pass(false)
      if (state === 'open') return refusal(view(), `its circuit is open after ${openedBy ?? 'failures'}, the next try is possible at ${new Date(retryAtMs()).toISOString()}`, retryAtMs())
      if (probing) return refusal(view(), 'its circuit is half-open and one call is already finding out whether it works again', Math.ceil(clock.now()))
      probing = true
      return pass(true)
    },
    view,
  }
}

/** Circuits by key. */
export interface Breakers {
  /** Asks the circuit of a key for one call. */
  enter(key: string): BreakerPass | BreakerRefusal
  /** All circuits that were used. */
  views(): readonly BreakerView[]
}

/** Makes circuits as keys appear, all under one policy. At most 1,000 are kept, quiet ones forgotten first. */
export const breakers = (options: Omit<BreakerOptions, 'key'>): Breakers => {
  const all = perKey(
    (key) => breaker({ ...options, key }),
    (one) => one.view().state === 'closed' && one.view().calls === 0,
  )
  return { enter: (key) => all.of(key).enter(), views: () => all.all().map((one) => one.view()) }
}
