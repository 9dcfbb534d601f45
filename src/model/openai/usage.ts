// Token counts as the two wires and their many imitations report them.
import type { Usage } from '../../cost/index.ts'
import { field, type Fields } from './fields.ts'

const tokens = (value: unknown): number | undefined => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined)

const optional = (name: keyof Usage, ...values: readonly unknown[]): Partial<Usage> => {
  const found = values.map(tokens).find((value) => value !== undefined)
  return found === undefined ? {} : { [name]: found }
}

/**
 * Reads `usage` of a reply: `prompt_tokens` and friends of chat completions, `input_tokens` and friends of responses.
 * @returns null unless both totals are whole numbers.
 */
export const readUsage = (usage: Fields | undefined): Usage | null => {
  if (usage === undefined) return null
  const inputTokens = tokens(usage['prompt_tokens'] ?? usage['input_tokens'])
  const outputTokens = tokens(usage['completion_tokens'] ?? usage['output_tokens'])
  if (inputTokens === undefined || outputTokens === undefined) return null
  const input = field(usage, 'prompt_tokens_details') ?? field(usage, 'input_tokens_details') ?? {}
  const output = field(usage, 'completion_tokens_details') ?? field(usage, 'output_tokens_details') ?? {}
  return {
    inputTokens,
    outputTokens,
    // DeepSeek and Together name cached tokens outside the details.
    ...optional('cachedTokens', input['cached_tokens'], usage['prompt_cache_hit_tokens'], usage['cached_tokens']),
    ...optional('cacheWriteTokens', input['cache_write_tokens']),
    ...optional('reasoningTokens', output['reasoning_tokens']),
  }
}
