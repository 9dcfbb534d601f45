// Performs one attempt of a model call: cache, budget, limiter, circuit, the call under its time limits, judgement of the
// reply, cost. Every expected fault is an outcome that keeps what was billed.
import { failure, failureOf, type Failure, type Json } from '../../failure/index.ts'
import type { CallRecord, Outcome } from '../../journal/index.ts'
import { checkReply, ModelCallError, type CheckedReply, type ModelDelta, type ModelIo, type ModelProvider, type ModelReply } from '../../model/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import type { StepIo } from '../effect.ts'
import { STEP_KIND } from '../prompts.ts'
import { defined } from '../../schema/index.ts'
import { requestHashOf, requestOf, stepHashOf, stepText, type ModelAsk } from './ask.ts'
import { isDropped, recordOf, reserve, unbilledOf, type Answered, type Reservation } from './bill.ts'
import { throughCache } from './cached.ts'
import { embedTexts } from './embed-texts.ts'
import { enterGate, gateKey, type Admission } from './gate.ts'
import { partialReader } from './partial.ts'

/** Listens to a stream where somebody watches the run. */
const listener = (ask: ModelAsk, io: StepIo, onFirst: () => void): { readonly onDelta?: (delta: ModelDelta) => void } => {
  if (!io.watched) return {}
  // Nobody can tell where in a piece of text a secret part stands.
  if (ask.hideOutput !== undefined) return { onDelta: onFirst }
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

const send = (ask: ModelAsk, provider: ModelProvider, io: StepIo, { observe }: Admission, onFirst: () => void): Promise<ModelReply> => {
  const sending: ModelIo = { signal: io.signal, timeouts: timeoutsOf(ask.timeout), key: `${ask.run.id}${ask.key}`, onRateLimits: observe, blob: io.acting.blob }
  if (ask.embeds === true) return embedTexts(provider, requestOf(ask), sending)
  return provider.call(requestOf(ask), { ...sending, ...listener(ask, io, onFirst) })
}

/** Value of a successful attempt: the message, with content left out where the output says the same. */
const valueOf = (checked: Exclude<CheckedReply, { readonly kind: 'failed' }>, finish: ModelReply['finish']): Json => {
  const { content, calls } = checked.message
  const cut = finish === 'length' ? { finish } : {}
  if (checked.kind === 'calls') {
    const problems = Object.fromEntries(checked.calls.flatMap(({ call, problem }) => (problem === undefined ? [] : [[call.id, problem as unknown as Json]])))
    return { content: content as Json, calls: (calls ?? []) as unknown as Json, ...(Object.keys(problems).length === 0 ? {} : { problems }), ...cut }
  }
  if (checked.kind === 'text') return { content: content as Json, ...cut }
  const output = checked.value as Json
  return JSON.stringify(output) === content ? { output } : { content: content as Json, output }
}

/** The calls a model asks for, without what the tools' schemas mark as secret. */
const hideArguments = <C extends Exclude<CheckedReply, { readonly kind: 'failed' }>>(checked: C, { run, expected }: ModelAsk, io: StepIo): C => {
  const { calls } = checked.message
  const { tools } = expected
  if (calls === undefined || tools === undefined) return checked
  const secrets = io.acting.secrets.of(run.id)
  const hidden = calls.map((call) => ({ ...call, args: secrets.hide(Object.hasOwn(tools, call.name) ? tools[call.name]?.input : undefined, call.args) }))
  return { ...checked, message: { ...checked.message, calls: hidden } }
}

/** Judges a reply, and takes out of its output what the schema marks as secret. */
const judge = (reply: ModelReply, { run, expected, hideOutput }: ModelAsk, io: StepIo): CheckedReply => {
  const { output } = expected
  if (hideOutput === undefined || output === undefined) return checkReply(reply, expected)
  const { hide } = io.acting.secrets.of(run.id)
  let isJson = false
  const validate = (value: Json): ReturnType<typeof output.validate> => {
    isJson = true
    // From here on the secrets of a rejected output are known too, so that a failure cannot quote them.
    hideOutput(value, hide)
    return output.validate(value)
  }
  const checked = checkReply(reply, { ...expected, output: { ...output, validate } })
  if (checked.kind === 'output') {
    const value = hideOutput(checked.value as Json, hide)
    return { kind: 'output', value, message: { ...checked.message, content: JSON.stringify(value) } }
  }
  if (checked.kind !== 'failed' || isJson || checked.failure.code !== 'invalid_output') return checked
  return { ...checked, failure: failure('invalid_output', `The output of ${reply.model} is not JSON. What it said is left out, because its schema marks secrets.`) }
}

type Ended = { readonly checked: CheckedReply; readonly reply: ModelReply } | { readonly failed: Failure; readonly thrown: unknown }

/** Calls and judges. @throws defects only. */
const exchange = async (ask: ModelAsk, provider: ModelProvider, io: StepIo, admission: Admission, onFirst: () => void): Promise<Ended> => {
  try {
    const reply = await send(ask, provider, io, admission, onFirst)
    return { checked: judge(reply, ask, io), reply }
  } catch (thrown) {
    const failed = failureOf(thrown)
    if (failed === undefined) throw thrown
    return { failed, thrown }
  }
}

/** How a call failed, if it did, and what was billed: nothing is only where it failed. */
type Billed = { readonly answered: Answered; readonly failed: Failure | undefined } | { readonly answered: undefined; readonly failed: Failure }

const billOf = (ended: Ended, limited: boolean, dropped: boolean, times: Pick<Answered, 'latencyMs' | 'firstTokenMs'>): Billed => {
  if ('reply' in ended) {
    const { reply, checked } = ended
    const failed = checked.kind === 'failed' ? checked.failure : undefined
    return { failed, answered: { ...times, model: reply.model, usage: reply.usage, requestId: reply.requestId, ...(failed === undefined ? {} : { failed: failed.code }) } }
  }
  const { failed } = ended
  const known = ended.thrown instanceof ModelCallError ? ended.thrown.attempt : undefined
  if (known?.usage != null) return { failed, answered: { ...times, model: known.model, usage: known.usage, failed: failed.code } }
  // Sent, and perhaps answered in part: whoever limits spending must take it for billed, though nobody says so.
  return limited && (dropped || MAYBE_BILLED.has(failed.code)) ? { failed, answered: { ...times, model: known?.model, usage: null, failed: failed.code } } : { failed, answered: undefined }
}

/** Failures of a call that the provider may have worked on before it broke off. */
const MAYBE_BILLED: ReadonlySet<string> = new Set(['timeout', 'deadline_exceeded', 'stream_truncated', 'malformed_response', 'empty_response'])

/** A call that was sent. */
interface SentCall {
  readonly failed: Failure | undefined
  /** Undefined when nobody was billed. */
  readonly record: CallRecord | undefined
}

/** Sends the call and says what came of it. */
const perform = async (ask: ModelAsk, provider: ModelProvider, io: StepIo, admission: Admission, reserved: Reservation, durationMs: () => number): Promise<{ readonly outcome: Outcome; readonly ended: SentCall }> => {
  let firstTokenMs: number | undefined
  const result = await exchange(ask, provider, io, admission, () => (firstTokenMs ??= durationMs()))
  // A call that the run left may have been billed as well.
  const bill = billOf(result, reserved.limited, isDropped(io.signal), { latencyMs: durationMs(), firstTokenMs })
  const record = bill.answered === undefined ? undefined : recordOf(io, ask, provider, bill.answered, reserved)
  const unbilled = bill.answered === undefined ? [unbilledOf(ask, provider, bill.failed.code, durationMs())] : undefined
  const told = defined({ calls: record === undefined ? undefined : [record], unbilled })
  const common = { durationMs: durationMs(), ...told, ...(reserved.held ? { held: true as const } : {}), ...(admission.gate === undefined ? {} : { gate: admission.gate }) }
  const sent = { failed: bill.failed, record }
  if ('failed' in result) return { ended: sent, outcome: { ok: false, failure: result.failed, ...common } }
  const { checked, reply } = result
  // Nobody knows where in a rejected reply its secrets stand, so it is not kept.
  const kept = checked.kind !== 'failed' || ask.hideOutput !== undefined ? {} : { reply: checked.message }
  return { ended: sent, outcome: checked.kind === 'failed' ? { ok: false, failure: checked.failure, ...kept, ...common } : { ok: true, value: valueOf(hideArguments(checked, ask, io), reply.finish), ...common } }
}

const attempt = async (ask: ModelAsk, provider: ModelProvider, io: StepIo): Promise<Outcome> => {
  const { clock, budgets } = io.acting
  const started = clock.monotonic()
  const durationMs = (): number => Math.round(clock.monotonic() - started)
  let reserved: Reservation | undefined
  let admission: Admission | undefined
  let ended: SentCall | undefined
  try {
    const asked = await reserve(io, ask, provider)
    if (!('settle' in asked)) return { ok: false, failure: asked, durationMs: durationMs() }
    reserved = asked
    io.acting.keep(STEP_KIND, stepHashOf(ask), () => stepText(ask))
    admission = await enterGate(ask, provider, io)
    const performed = await perform(ask, provider, io, admission, reserved, durationMs)
    ended = performed.ended
    return performed.outcome
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    return { ok: false, failure: known, durationMs: durationMs() }
  } finally {
    const used = ended?.record?.usage
    admission?.settle(ended?.failed, used == null ? undefined : used.inputTokens + used.outputTokens)
    reserved?.settle(ended?.record?.costNano ?? 0)
    if (reserved?.held === true && ended === undefined) await budgets.end(io.attempt, ask.key)
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
  // A name that stands for a secret means nothing to another run, so an output with one is not kept for others.
  if (ask.cache === undefined || ask.hideOutput !== undefined) return attempt(ask, provider, io)
  return throughCache({ policy: ask.cache, parts: cacheParts(ask, provider), run: ask.run, isStorable }, io, (inner) => attempt(ask, provider, inner))
}
