// Models as an author names them: `provider/model`, with parameters and a price where needed.
import type { Price } from '../cost/index.ts'
import type { Json } from '../failure/index.ts'
import type { ModelParams } from '../model/index.ts'
import type { ModelRef } from './spec.ts'

/** A model: the provider's id, a slash, and the name the provider knows it by, as in `openai/gpt-5-mini`. */
export type ModelName = `${string}/${string}`

/** A model with parameters. */
export interface ModelDefinition extends ModelParams {
  /** `provider/model`, such as `openai/gpt-5-mini`. */
  readonly model: ModelName
  /** Passed to the provider as it is. Default: nothing. */
  readonly providerOptions?: { readonly [key: string]: Json }
  /** What the model costs. Default: what the runtime's `prices` say. */
  readonly price?: Price
}

/** Models by the author's names for them. */
export interface Models {
  readonly [alias: string]: ModelName | ModelDefinition
}

/** Output tokens of a model that says nothing else. */
const MAX_OUTPUT_TOKENS = 4096

/**
 * Resolves a model.
 * @returns a text that says what is wrong with its name.
 */
export const toModelRef = (alias: string, definition: ModelName | ModelDefinition): ModelRef | string => {
  const { model: name, providerOptions, price, ...params } = typeof definition === 'string' ? { model: definition } : definition
  const slash = typeof name === 'string' ? name.indexOf('/') : -1
  if (slash <= 0 || slash === name.length - 1) return `The model '${alias}' is ${JSON.stringify(name)}. Write the provider's id, a slash and the model's name, as in 'openai/gpt-5-mini'.`
  return {
    alias,
    provider: name.slice(0, slash),
    model: name.slice(slash + 1),
    params: { ...params, maxOutputTokens: params.maxOutputTokens ?? MAX_OUTPUT_TOKENS },
    ...(providerOptions === undefined ? {} : { providerOptions }),
    ...(price === undefined ? {} : { price }),
  }
}

/** Stands for a model after a problem with it was reported. */
export const unresolvedModel = (alias: string): ModelRef => ({ alias, provider: '', model: '', params: { maxOutputTokens: 0 } })
