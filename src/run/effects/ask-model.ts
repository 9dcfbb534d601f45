// Performs one attempt of a model call: budget, request, call under its time limits, judgement of the reply, cost.
// Every expected fault is an outcome that keeps what was billed.
import { inputTokenBound, nanoOf, worstCaseNano, type Cost, type Price } from '../../cost/index.ts'
import { failure, failureOf, type Failure, type Json } from '../../failure/index.ts'
import type { CallRecord, Outcome } from '../../journal/index.ts'
import { checkReply, ModelCallError, type ModelProvider, type ModelReply } from '../../model/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import { hashesOf, requestOf, type ModelAsk } from '../call/ask.ts'
import type { StepIo } from '../effect.ts'

const costOf = (io: StepIo, ask: ModelAsk, provider: ModelProvider, answered: string, usage: ModelReply['usage']): Cost => {
  if (usage === null) return { nano: null, source: 'unknown' }
  const own = ask.model.price ?? provider.price
  if (own !== undefined) return { nano: nanoOf(own, usage), source: ask.model.price === undefined ? provider.id : 'agent' }
  const { prices, clock } = io.acting
  return prices.cost(provider.id, ask.model.model, usage, clock.now(), answered)
}

const reserve = (io: StepIo, ask: ModelAsk, provider: ModelProvider): Failure | (() => void) => {
  if (ask.budget === undefined) return () => {}
  const bound = inputTokenBound({ messages: ask.thread.messages, tools: ask.tools, ...(ask.output === undefined ? {} : { output: ask.output }) })
  const price: Price | undefined = ask.model.price ?? provider.price ?? io.acting.prices.price(provider.id, ask.model.model, io.acting.clock.now(), bound)
  if (price === undefined) {
    return failure('budget_exceeded', `The run has a USD limit, but the price of ${provider.id}/${ask.model.model} is unknown, so nothing was sent. Give the model a price, or remove limits.costUsd.`, {
      details: { scope: 'run', reason: 'unknown_price' },
    })
  }
  const worst = worstCaseNano(price, bound, ask.model.params.maxOutputTokens)
  return io.acting.reserve(ask.run.id, ask.budget.capNano, ask.budget.spentNano, worst)
}

const send = async (ask: ModelAsk, provider: ModelProvider, io: StepIo, onFirst: () => void): Promise<ModelReply> => {
  const watch = io.watched
    ? {
        onDelta: (delta: { readonly type: string; readonly text?: string }): void => {
          onFirst()
          if (delta.type === 'text' && delta.text !== undefined) io.emit({ type: 'token.delta', key: ask.key, state: ask.state, text: delta.text })
        },
      }
    : {}
  return provider.call(requestOf(ask), { signal: io.signal, timeouts: timeoutsOf(ask.timeout), key: `${ask.run.id}${ask.key}`, ...watch })
}

/** Value of a successful attempt: the message, with content left out where the output says the same. */
const valueOf = (checked: Exclude<ReturnType<typeof checkReply>, { readonly kind: 'failed' }>): Json => {
  const { content, calls } = checked.message
  if (checked.kind === 'calls') {
    const problems = Object.fromEntries(checked.calls.flatMap(({ call, problem }) => (problem === undefined ? [] : [[call.id, problem as unknown as Json]])))
    return { content: content as Json, calls: (calls ?? []) as unknown as Json, ...(Object.keys(problems).length === 0 ? {} : { problems }) }
  }
  if (checked.kind === 'text') return { content: content as Json }
  const output = checked.value as Json
  return JSON.stringify(output) === content ? { output } : { content: content as Json, output }
}

/** Performs one attempt. Resolves with an outcome; throws only defects. */
export const askModel = async (ask: ModelAsk, io: StepIo): Promise<Outcome> => {
  const { clock } = io.acting
  const started = clock.monotonic()
  const durationMs = (): number => Math.round(clock.monotonic() - started)
  let provider: ModelProvider
  let release: () => void
  try {
    provider = io.acting.provider(ask.model.provider)
    const reserved = reserve(io, ask, provider)
    if (typeof reserved !== 'function') return { ok: false, failure: reserved, durationMs: durationMs() }
    release = reserved
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    return { ok: false, failure: known, durationMs: durationMs() }
  }
  const hashes = hashesOf(ask)
  let firstTokenMs: number | undefined
  const record = (answered: string | undefined, usage: ModelReply['usage'], failed?: string, requestId?: string): CallRecord => {
    const cost = costOf(io, ask, provider, answered ?? ask.model.model, usage)
    return {
      provider: provider.id,
      model: ask.model.model,
      ...(answered === undefined || answered === ask.model.model ? {} : { answered }),
      usage,
      costNano: cost.nano,
      priceSource: cost.source,
      latencyMs: durationMs(),
      ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
      prompt: ask.prompt.id,
      ...hashes,
      ...(requestId === undefined ? {} : { requestId }),
      ...(failed === undefined ? {} : { failed }),
    }
  }
  try {
    const reply = await send(ask, provider, io, () => {
      firstTokenMs ??= durationMs()
    })
    const checked = checkReply(reply, ask.expected)
    if (checked.kind === 'failed') {
      return {
        ok: false,
        failure: checked.failure,
        reply: checked.message,
        durationMs: durationMs(),
        calls: [record(reply.model, reply.usage, checked.failure.code, reply.requestId)],
      }
    }
    return { ok: true, value: valueOf(checked), durationMs: durationMs(), calls: [record(reply.model, reply.usage, undefined, reply.requestId)] }
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    const billed = thrown instanceof ModelCallError && thrown.attempt.usage != null
    return {
      ok: false,
      failure: known,
      durationMs: durationMs(),
      ...(billed ? { calls: [record(thrown.attempt.model, thrown.attempt.usage ?? null, known.code)] } : {}),
    }
  } finally {
    release()
  }
}
