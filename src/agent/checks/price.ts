// With a cap in USD, one call alone must never be able to pass it, so its worst case is computed before any run: every
// output token it may use, and the text that is already known. Without a known price a cap cannot be kept.
import { systemClock } from '../../clock/index.ts'
import { inputTokenBound, priceTable, toUsd, worstCaseNano, type PricePort } from '../../cost/index.ts'
import { toJsonSchema } from '../../schema/index.ts'
import type { Limits } from '../agent.ts'
import type { Problem } from '../problem.ts'
import { knownText } from '../prompt-option.ts'
import type { CompactSpec, DecideSpec, ModelRef, ModelSpec } from '../spec.ts'
import type { Facts } from './facts.ts'

/** A provider whose models declare their own price. */
const DECLARES_PRICE = 'scripted'

const knownTokens = (spec: ModelSpec | DecideSpec | CompactSpec): number =>
  inputTokenBound({
    messages: spec.kind === 'compact' ? [] : [{ role: 'user', content: knownText(spec.prompt) }],
    ...(spec.kind === 'model' ? { tools: Object.entries(spec.tools).map(([name, tool]) => ({ name, description: tool.description, parameters: toJsonSchema(tool.input, name) })) } : {}),
    ...(spec.kind === 'model' && spec.output !== undefined ? { output: toJsonSchema(spec.output, 'output') } : {}),
  })

const problemOf = (prices: () => PricePort, ref: ModelRef, spec: ModelSpec | DecideSpec | CompactSpec, capUsd: number): string | undefined => {
  if (ref.provider === '') return undefined
  const name = `${ref.provider}/${ref.model}`
  const price = ref.price ?? prices().price(ref.provider, ref.model, systemClock.now())
  if (price === undefined && ref.provider === DECLARES_PRICE) return undefined
  if (price === undefined) return `The price of '${name}' is not known, so limits.costUsd cannot be kept. Give it one: { model: '${name}', price: { inputUsd, outputUsd } } per million tokens, or drop limits.costUsd.`
  const usd = toUsd(worstCaseNano(price, knownTokens(spec), ref.params.maxOutputTokens))
  if (usd <= capUsd) return undefined
  return `One call of '${name}' can cost ${Number(usd.toPrecision(3))} USD (${ref.params.maxOutputTokens} output tokens), more than limits.costUsd (${capUsd} USD). Lower maxOutputTokens of the model, or raise limits.costUsd.`
}

/** Reports model calls that alone could pass the cap of a run or session. */
export const checkPrices = (facts: Facts, limits: Limits, sessionLimits: Limits | undefined): readonly Problem[] => {
  const capUsd = Math.min(limits.costUsd ?? Infinity, sessionLimits?.costUsd ?? Infinity)
  if (capUsd === Infinity) return []
  let port: PricePort | undefined
  const prices = (): PricePort => (port ??= priceTable())
  return facts.graph.nodes.flatMap(({ path }) =>
    facts.effectsOf(path).flatMap((effect) => {
      const problem = effect.kind === 'model' || effect.kind === 'decide' || effect.kind === 'compact' ? problemOf(prices, effect.model, effect, capUsd) : undefined
      return problem === undefined ? [] : [{ state: path, problem }]
    }),
  )
}
