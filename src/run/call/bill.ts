// What a model call costs: at worst before it is sent, and in fact once it has answered. Invariant: an unknown price is
// null, never 0, and a call that was billed has a record, failed or not.
import { inputTokenBound, nanoOf, worstCaseNano, type Cost, type Price, type Spender, type Usage } from '../../cost/index.ts'
import { failure, failureOf, type Failure } from '../../failure/index.ts'
import type { CallRecord, UnbilledCall } from '../../journal/index.ts'
import type { ModelProvider } from '../../model/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import type { RunInfo, StepIo } from '../effect.ts'
import { hashesOf, type ModelAsk } from './ask.ts'
import type { Worst } from './budgets.ts'

/** What a call turned out to be. */
export interface Answered {
  /** The model that answered; undefined when nobody said. */
  readonly model: string | undefined
  readonly usage: Usage | null
  readonly failed?: string
  readonly requestId?: string | undefined
  readonly latencyMs: number
  readonly firstTokenMs?: number | undefined
}

/** Who a run spends for. */
export const spenderOf = ({ id, agent, user, route, tenant }: RunInfo): Spender => ({
  run: id,
  agent,
  ...(user === undefined ? {} : { user }),
  ...(route === undefined ? {} : { route }),
  ...(tenant === undefined ? {} : { tenant }),
})

const costOf = (io: StepIo, { model }: ModelAsk, provider: ModelProvider, { model: answered, usage }: Answered): Cost => {
  if (usage === null) return { nano: null, source: 'unknown' }
  const own = model.price ?? provider.price
  if (own !== undefined) return { nano: nanoOf(own, usage), source: model.price === undefined ? provider.id : 'agent' }
  const { prices, clock } = io.acting
  return prices.cost(provider.id, model.model, usage, clock.now(), answered ?? model.model)
}

/** The record of a billed call. Where nobody says what it used, it counts as what was reserved for it; without that its cost is unknown. */
export const recordOf = (io: StepIo, ask: ModelAsk, provider: ModelProvider, answered: Answered, reserved: Pick<Reservation, 'worst' | 'limited'>): CallRecord => {
  const estimate = answered.usage === null && reserved.limited ? reserved.worst() : undefined
  const priced = costOf(io, ask, provider, answered)
  const cost = estimate === undefined ? priced : { nano: estimate.nano, source: 'estimated' }
  const { model, usage, latencyMs, firstTokenMs, failed, requestId } = answered
  return {
    provider: provider.id,
    model: ask.model.model,
    ...(model === undefined || model === ask.model.model ? {} : { answered: model }),
    usage,
    costNano: cost.nano,
    priceSource: cost.source,
    ...(estimate === undefined ? {} : { estimatedTokens: estimate.tokens }),
    latencyMs,
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    prompt: ask.prompt.id,
    ...hashesOf(ask),
    ...(requestId === undefined ? {} : { requestId }),
    ...(failed === undefined ? {} : { failed }),
  }
}

const frameBounds = new WeakMap<object, { readonly output: ModelAsk['output']; readonly bound: number }>()

/** Most input tokens of a request beside its thread; counted once for each set of tools and schema. */
const frameBound = ({ tools, output }: ModelAsk): number => {
  const known = frameBounds.get(tools)
  if (known !== undefined && known.output?.schema === output?.schema && known.output?.name === output?.name) return known.bound
  const bound = inputTokenBound({ messages: [], tools, ...(output === undefined ? {} : { output }) })
  frameBounds.set(tools, { output, bound })
  return bound
}

/** The record of a call that was sent, failed, and was not billed. */
export const unbilledOf = (ask: ModelAsk, provider: ModelProvider, failed: string, latencyMs: number): UnbilledCall => ({
  provider: provider.id,
  model: ask.model.model,
  latencyMs,
  prompt: ask.prompt.id,
  ...hashesOf(ask),
  failed,
})

/** The most tokens a call can use, input and output. */
export const tokenBoundOf = (ask: ModelAsk): { readonly input: number; readonly total: number } => {
  const input = ask.thread.tokenBound + frameBound(ask)
  return { input, total: input + ask.model.params.maxOutputTokens }
}

/** Whether the run left the state: no entry will settle what its attempt held. */
export const isDropped = ({ aborted, reason }: AbortSignal): boolean => aborted && failureOf(reason)?.code === 'cancelled'

/** What is reserved for a call. */
export interface Reservation {
  /** The most it can cost, where that was asked for. */
  readonly worst: () => Worst
  /** True when a budget beyond the run holds it. */
  readonly held: boolean
  /** True when anything holds it: a budget, or the run's own cap. */
  readonly limited: boolean
  /** Tells the run's own cap what the call came to, nano-dollars: 0 for one that was not billed. */
  readonly settle: (costNano: number) => void
}

const NO_CAP = (): void => {}

/** The most a call can cost, worked out when it is first asked for. */
const worstOf = (ask: ModelAsk, priceAt: (inputTokens: number) => Price | undefined): (() => Worst) => {
  let known: Worst | undefined
  return () => {
    if (known !== undefined) return known
    const { input, total } = tokenBoundOf(ask)
    const price = priceAt(input)
    known = { tokens: total, nano: price === undefined ? null : worstCaseNano(price, input, ask.model.params.maxOutputTokens) }
    return known
  }
}

/** Reserves the worst case within the run's own cap. */
const reserveInRun = ({ cap }: StepIo, name: string, worst: () => Worst): Failure | Reservation['settle'] => {
  if (cap === undefined) return NO_CAP
  const { nano } = worst()
  if (nano !== null) return cap.reserve(nano)
  return failure('budget_exceeded', `The run has a USD limit, but the price of ${name} is unknown, so nothing was sent. Give the model a price, or remove limits.costUsd.`, {
    details: { scope: 'run', reason: 'unknown_price' },
  })
}

/**
 * Reserves what a model call can cost at worst: first within the run's own cap, then under the limits of whoever it is for.
 * @returns why it may not be sent, when it may not.
 */
export const reserve = async (io: StepIo, ask: ModelAsk, provider: ModelProvider): Promise<Failure | Reservation> => {
  const { clock, prices, budgets } = io.acting
  const { run, key } = ask
  const name = `${provider.id}/${ask.model.model}`
  const worst = worstOf(ask, (input) => ask.model.price ?? provider.price ?? prices.price(provider.id, ask.model.model, clock.now(), input))
  const settle = reserveInRun(io, name, worst)
  if (typeof settle !== 'function') return settle
  const endsByMs = io.deadlineAt ?? clock.now() + timeoutsOf(ask.timeout).totalMs
  try {
    const held = await budgets.reserve({ spender: spenderOf(run), attempt: io.attempt, call: key, endsByMs, worst, model: name, emit: io.emit })
    if (typeof held === 'boolean') return { worst, held, limited: held || io.cap !== undefined, settle }
    settle(0)
    return held
  } catch (thrown) {
    settle(0)
    throw thrown
  }
}
