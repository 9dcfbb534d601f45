// An author's own function as a state: it runs once, its result is journaled, and on replay it is not run again.
import type { CodeSpec } from '../../agent/index.ts'
import { seededRandom } from '../../clock/index.ts'
import { failure, failureOf } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import type { EffectContext, OpenEffect, StepIo } from '../effect.ts'
import { attempts } from './attempts.ts'
import { openKeyed } from './keyed.ts'
import { checkResult, outcomeOf, scopeOf, underTimeLimit } from './perform-tool.ts'

/** Largest result of an author's function, bytes of JSON. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024

const perform = async (spec: CodeSpec, context: EffectContext, args: unknown, io: StepIo): Promise<Outcome> => {
  const scope = scopeOf(context, context.state, io)
  const started = io.acting.clock.monotonic()
  const { run } = context
  const secrets = io.acting.secrets.of(run.id)
  try {
    const result = await underTimeLimit(io, timeoutsOf(spec.timeout).totalMs, `Code of state ${context.state}`, (signal) =>
      spec.run(args as never, {
        signal,
        services: io.acting.services,
        key: `${run.id}${context.key}`,
        ...(run.user === undefined ? {} : { user: run.user }),
        ...(run.tenant === undefined ? {} : { tenant: run.tenant }),
        now: io.acting.clock.now(),
        reveal: secrets.reveal,
        random: seededRandom(Math.floor(context.random('code') * 2 ** 32)),
      }),
    )
    const checked = await checkResult(`Code of state ${context.state}`, result, spec.output, MAX_RESULT_BYTES, 'code_failed')
    return outcomeOf(scope, started, 'value' in checked ? { value: secrets.hide(spec.output, checked.value) } : checked)
  } catch (thrown) {
    const own = failureOf(thrown)
    if (own !== undefined && (own.code === 'timeout' || own.code === 'deadline_exceeded')) return outcomeOf(scope, started, { failure: own })
    const message = own?.message ?? (thrown instanceof Error ? thrown.message : String(thrown))
    return outcomeOf(scope, started, {
      failure: failure('code_failed', `Code of state ${context.state} failed: ${message}`, { cause: thrown, retryable: own?.retryable ?? false }),
    })
  }
}

export const openCode: OpenEffect<CodeSpec> = (spec, context) => {
  if (spec.keyed !== undefined) return openKeyed({ ...spec, keyed: spec.keyed }, context)
  const args = context.args()
  const call = attempts({
    context,
    suffix: '',
    about: 'other',
    name: context.state,
    safety: spec.idempotent ? 'repeat' : 'ask',
    retry: spec.retry ?? {},
    defaultAttempts: 1,
    timeout: spec.timeout,
    perform: (io) => perform(spec, context, args, io),
    done: (outcome) => {
      if (!outcome.ok) return context.fail(outcome.failure)
      context.noteRepeat(context.state, null, outcome.value)
      context.complete(outcome.value)
    },
  })
  call.begin()
  return { attempt: (_suffix, attempt, outcome) => call.settle(attempt, outcome), timer: () => call.wake() }
}
