// Attempts of one call: perform, and on a retryable failure wait and perform again, within the time the state has.
// The decision is pure; the waiting is a timer of the journal.
import type { RetryPolicy, TimeoutPolicy } from '../../policy/index.ts'
import { retryDelay, timeoutsOf } from '../../policy/index.ts'
import { failure, type Failure } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import type { EffectContext, StepRequest } from '../effect.ts'
import type { About } from '../usage.ts'

/** What is attempted. */
export interface AttemptPlan {
  readonly context: EffectContext
  /** Distinguishes calls of one effect; empty when there is just one. */
  readonly suffix: string
  readonly about: About
  readonly name: string
  /** Default: the effect's. */
  readonly kind?: StepRequest['kind']
  readonly args?: StepRequest['args']
  readonly safety: StepRequest['safety']
  readonly retry: RetryPolicy
  readonly defaultAttempts: number
  readonly timeout: TimeoutPolicy | undefined
  /** What a model is asked, for attempts that ask one. */
  readonly call?: StepRequest['call']
  readonly perform: StepRequest['perform']
  /** The final outcome, once. */
  readonly done: (outcome: Outcome) => void
  /** Looks at a failed outcome before the retry policy does; true when it went on itself with `again()`. */
  readonly repair?: (outcome: Outcome & { readonly ok: false }) => boolean
}

/** Attempts under way. */
export interface Attempts {
  readonly begin: () => void
  /** Performs one more attempt now, outside the retry count. */
  readonly again: () => void
  readonly settle: (attempt: number, outcome: Outcome) => void
  /** The back-off timer fired. */
  readonly wake: () => void
}

const RETRY = '~retry'

/** Suffix of the back-off timer of a call. */
const retryTimerOf = (suffix: string): string => `${suffix}${RETRY}`
/** The call a back-off timer belongs to. */
export const callOfTimer = (timer: string): string => timer.slice(0, -RETRY.length)

/** The earlier of the state's own end and the run's. */
const deadlineOf = (context: EffectContext, endsAt: number, totalMs: number): StepRequest['deadline'] => {
  const own = {
    at: endsAt,
    failure: failure('timeout', `State ${context.state} took longer than its ${totalMs} ms, retries included. Raise timeout.totalMs or route timeout.`, {
      details: { totalMs },
    }),
  }
  const run = context.runDeadline()
  return run !== undefined && run.at < own.at ? run : own
}

/** Plans the attempts of one call. */
export const attempts = (plan: AttemptPlan): Attempts => {
  const { context, suffix } = plan
  const totalMs = timeoutsOf(plan.timeout).totalMs
  const endsAt = context.now() + totalMs
  let number = 0
  let repairs = 0
  const refuse = (refused: Failure): void => plan.done({ ok: false, failure: refused, durationMs: 0 })
  const again = (): void => {
    const refused = context.admit(plan.about)
    if (refused !== undefined) return refuse(refused)
    number += 1
    context.step({
      suffix,
      attempt: number,
      name: plan.name,
      kind: plan.kind,
      ...(plan.args === undefined ? {} : { args: plan.args }),
      safety: plan.safety,
      deadline: deadlineOf(context, endsAt, totalMs),
      ...(plan.call === undefined ? {} : { call: plan.call }),
      perform: plan.perform,
    })
  }
  const settle = (attempt: number, outcome: Outcome): void => {
    if (outcome.ok) return plan.done(outcome)
    const before = number
    if (plan.repair?.(outcome) === true) {
      repairs += number - before
      return
    }
    const leftMs = (deadlineOf(context, endsAt, totalMs)?.at ?? Infinity) - context.now()
    const random = context.random(`${suffix}.${attempt}`)
    const delay = retryDelay({
      policy: plan.retry,
      attempt: attempt - repairs,
      failure: outcome.failure,
      leftMs,
      random,
      defaultAttempts: plan.defaultAttempts,
    })
    if (delay === undefined) return plan.done(outcome)
    context.timer(retryTimerOf(suffix), context.now() + delay)
  }
  return { begin: again, again, settle, wake: again }
}
