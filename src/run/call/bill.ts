// What a model call costs: at worst before it is sent, and in fact once it has answered. Invariant: an unknown price is
// null, never 0, and a call that was billed has a record, failed or not.
import { inputTokenBound, nanoOf, worstCaseNano, type Cost, type Price, type Usage } from '../../cost/index.ts'
import { failure, type Failure } from '../../failure/index.ts'
import type { CallRecord } from '../../journal/index.ts'
import type { ModelProvider } from '../../model/index.ts'
import type { StepIo } from '../effect.ts'
import { hashesOf, type ModelAsk } from './ask.ts'

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

const costOf = (io: StepIo, { model }: ModelAsk, provider: ModelProvider, { model: answered, usage }: Answered): Cost => {
  if (usage === null) return { nano: null, source: 'unknown' }
  const own = model.price ?? provider.price
  if (own !== undefined) return { nano: nanoOf(own, usage), source: model.price === undefined ? provider.id : 'agent' }
  const { prices, clock } = io.acting
  return prices.cost(provider.id, model.model, usage, clock.now(), answered ?? model.model)
}

/** The record of a billed call. */
export const recordOf = (io: StepIo, ask: ModelAsk, provider: ModelProvider, answered: Answered): CallRecord => {
  const cost = costOf(io, ask, provider, answered)
  const { model, usage, latencyMs, firstTokenMs, failed, requestId } = answered
  return {
    provider: provider.id,
    model: ask.model.model,
    ...(model === undefined || model === ask.model.model ? {} : { answered: model }),
    usage,
    costNano: cost.nano,
    priceSource: cost.source,
    latencyMs,
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    prompt: ask.prompt.id,
    ...hashesOf(ask),
    ...(requestId === undefined ? {} : { requestId }),
    ...(failed === undefined ? {} : { failed }),
  }
}

/** The most tokens a call can use, input and output. */
export const tokenBoundOf = (ask: ModelAsk): { readonly input: number; readonly total: number } => {
  const input = ask.thread.tokenBound + inputTokenBound({ messages: [], tools: ask.tools, ...(ask.output === undefined ? {} : { output: ask.output }) })
  return { input, total: input + ask.model.params.maxOutputTokens }
}

/** Reserves the worst case of a call, where there is a cap. @returns what to call when the call has ended, or why it may not be sent. */
export const reserve = (io: StepIo, ask: ModelAsk, provider: ModelProvider): Failure | (() => void) => {
  if (ask.budget === undefined) return () => {}
  const bound = tokenBoundOf(ask).input
  const price: Price | undefined = ask.model.price ?? provider.price ?? io.acting.prices.price(provider.id, ask.model.model, io.acting.clock.now(), bound)
  if (price === undefined) {
    return failure('budget_exceeded', `The run has a USD limit, but the price of ${provider.id}/${ask.model.model} is unknown, so nothing was sent. Give the model a price, or remove limits.costUsd.`, {
      details: { scope: 'run', reason: 'unknown_price' },
    })
  }
  return io.acting.reserve(ask.run.id, ask.budget.capNano, ask.budget.spentNano, worstCaseNano(price, bound, ask.model.params.maxOutputTokens))
}
