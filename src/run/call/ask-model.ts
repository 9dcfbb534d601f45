// Performs one attempt of a model call: cache, budget, limiter, circuit, the call under its time limits, judgement of the
// reply, cost. Every expected fault is an outcome that keeps what was billed.
import { failureOf, type Failure, type Json } from '../../failure/index.ts'
import type { CallRecord, Outcome } from '../../journal/index.ts'
import { checkReply, ModelCallError, type CheckedReply, type ModelDelta, type ModelProvider, type ModelReply } from '../../model/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import type { StepIo } from '../effect.ts'
import { STEP_KIND } from '../prompts.ts'
import { requestHashOf, requestOf, stepHashOf, stepText, type ModelAsk } from './ask.ts'
import { recordOf, reserve, tokenBoundOf, type Answered } from './bill.ts'
import { throughCache } from './cached.ts'
import { enterGate, gateKey, type Admission } from './gate.ts'
import { partialReader } from './partial.ts'

/** Listens to a stream where somebody watches the run. */
const listener = (ask: ModelAsk, io: StepIo, onFirst: () => void): { readonly onDelta?: (delta: ModelDelta) => void } => {
  if (!io.watched) return {}
  const { key, state, expected } = ask
  const partial = expected.output === undefined ? undefined : partialReader(expected.output.unwrap, (value) => io.emit({ type: 'output.partial', key, state, value }))
  return {
    onDelta: (delta) => {
      onFirst()
      if (delta.type !== 'text') return
      io.emit({ type: 'token.delta', key, state, text: delta.text })
      partial?.(delta.text)
    },
  }
}

const send = (ask: ModelAsk, provider: ModelProvider, io: StepIo, { observe }: Admission, onFirst: () => void): Promise<ModelReply> =>
  provider.call(requestOf(ask), {
    signal: io.signal,
    timeouts: timeoutsOf(ask.timeout),
    key: `${ask.run.id}${ask.key}`,
    onRateLimits: observe,
    blob: io.acting.blob,
    ...listener(ask, io, onFirst),
  })

/** Value of a successful attempt: the message, with content left out where the output says the same. */
const valueOf = (checked: Exclude<CheckedReply, { readonly kind: 'failed' }>, finish: ModelReply['finish']): Json => {
  const { content, calls } = checked.message
  if (checked.kind === 'calls') {
    const problems = Object.fromEntries(checked.calls.flatMap(({ call, problem }) => (problem === undefined ? [] : [[call.id, problem as unknown as Json]])))
    return { content: content as Json, calls: (calls ?? []) as unknown as Json, ...(Object.keys(problems).length === 0 ? {} : { problems }) }
  }
  if (checked.kind === 'text') return { content: content as Json, ...(finish === 'length' ? { finish } : {}) }
  const output = checked.value as Json
  return JSON.stringify(output) === content ? { output } : { content: content as Json, output }
}

type Ended = { readonly checked: CheckedReply; readonly reply: ModelReply } | { readonly failed: Failure; readonly thrown: unknown }

/** Calls and judges. @throws defects only. */
const exchange = async (ask: ModelAsk, provider: ModelProvider, io: StepIo, admission: Admission, onFirst: () => void): Promise<Ended> => {
  try {
    const reply = await send(ask, provider, io, admission, onFirst)
    return { checked: checkReply(reply, ask.expected), reply }
  } catch (thrown) {
    const failed = failureOf(thrown)
    if (failed === undefined) throw thrown
    return { failed, thrown }
  }
}

/** What was billed, and how the call failed if it did. */
const answeredOf = (ended: Ended, times: Pick<Answered, 'latencyMs' | 'firstTokenMs'>): { readonly answered: Answered | undefined; readonly failed: Failure | undefined } => {
  if ('reply' in ended) {
    const { reply, checked } = ended
    const failed = checked.kind === 'failed' ? checked.failure : undefined
    return { failed, answered: { ...times, model: reply.model, usage: reply.usage, requestId: reply.requestId, ...(failed === undefined ? {} : { failed: failed.code }) } }
  }
  const known = ended.thrown instanceof ModelCallError ? ended.thrown.attempt : undefined
  const billed = known?.usage == null ? undefined : { ...times, model: known.model, usage: known.usage, failed: ended.failed.code }
  return { failed: ended.failed, answered: billed }
}

const attempt = async (ask: ModelAsk, provider: ModelProvider, io: StepIo): Promise<Outcome> => {
  const { clock } = io.acting
  const started = clock.monotonic()
  const durationMs = (): number => Math.round(clock.monotonic() - started)
  const reserved = reserve(io, ask, provider)
  if (typeof reserved !== 'function') return { ok: false, failure: reserved, durationMs: durationMs() }
  io.acting.keep(STEP_KIND, stepHashOf(ask), () => stepText(ask))
  let admission: Admission | undefined
  let ended: { readonly failed: Failure | undefined; readonly answered: Answered | undefined } | undefined
  try {
    admission = await enterGate(ask, provider, io, tokenBoundOf(ask).total)
    let firstTokenMs: number | undefined
    const result = await exchange(ask, provider, io, admission, () => (firstTokenMs ??= durationMs()))
    ended = answeredOf(result, { latencyMs: durationMs(), firstTokenMs })
    const calls: { readonly calls?: readonly CallRecord[] } = ended.answered === undefined ? {} : { calls: [recordOf(io, ask, provider, ended.answered)] }
    const common = { durationMs: durationMs(), ...calls, ...(admission.gate === undefined ? {} : { gate: admission.gate }) }
    if ('failed' in result) return { ok: false, failure: result.failed, ...common }
    const { checked } = result
    return checked.kind === 'failed' ? { ok: false, failure: checked.failure, reply: checked.message, ...common } : { ok: true, value: valueOf(checked, result.reply.finish), ...common }
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    return { ok: false, failure: known, durationMs: durationMs() }
  } finally {
    const used = ended?.answered?.usage
    admission?.settle(ended?.failed, used == null ? undefined : used.inputTokens + used.outputTokens)
    reserved()
  }
}

/** A turn with tool calls is not kept: performing it again from the cache would repeat what the calls do. */
const isStorable = (value: Json): boolean => !(value !== null && typeof value === 'object' && 'calls' in value)

/** What decides the answer of a call, for the cache. */
export const cacheParts = (ask: ModelAsk, provider: ModelProvider): Json => ({ call: gateKey(provider, ask.model.model), request: requestHashOf(ask) })

/** Performs one attempt. Resolves with an outcome; throws only defects. */
export const askModel = async (ask: ModelAsk, io: StepIo): Promise<Outcome> => {
  let provider: ModelProvider
  try {
    provider = io.acting.provider(ask.model.provider)
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    return { ok: false, failure: known, durationMs: 0 }
  }
  if (ask.cache === undefined) return attempt(ask, provider, io)
  return throughCache({ policy: ask.cache, parts: cacheParts(ask, provider), run: ask.run, isStorable }, io, (inner) => attempt(ask, provider, inner))
}
