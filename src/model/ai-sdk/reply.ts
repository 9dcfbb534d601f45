// What a model object of the AI SDK answered, as a reply of ours. Invariant: a reply without a reason to stop is no reply,
// and counts that the provider did not report are absent, never 0.
import type { Usage } from '../../cost/index.ts'
import type { ToolCall } from '../../prompt/index.ts'
import { asFields, field, list, text, type Fields } from '../openai/fields.ts'
import type { Reporter } from '../openai/report.ts'
import type { ModelReply } from '../provider.ts'
import { toToolCall } from '../tool-args.ts'

const count = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined)

const total = (usage: Fields | undefined, key: string): number | undefined => count(field(usage, key)?.['total'] ?? usage?.[key])

/** Usage of version 2 has plain numbers, later ones have totals with their parts. Null without both totals. */
const usageOf = (value: unknown): Usage | null => {
  const usage = asFields(value)
  const inputTokens = total(usage, 'inputTokens')
  const outputTokens = total(usage, 'outputTokens')
  if (inputTokens === undefined || outputTokens === undefined) return null
  const input = field(usage, 'inputTokens')
  const cached = count(input?.['cacheRead'] ?? usage?.['cachedInputTokens'])
  const written = count(input?.['cacheWrite'])
  const reasoning = count(field(usage, 'outputTokens')?.['reasoning'] ?? usage?.['reasoningTokens'])
  return {
    inputTokens,
    outputTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  }
}

const FINISH: ReadonlyMap<string, ModelReply['finish']> = new Map([
  ['stop', 'stop'],
  ['tool-calls', 'tool_calls'],
  ['length', 'length'],
  ['content-filter', 'content_filter'],
  // Providers whose own word the SDK does not know; the content says whether the reply is usable.
  ['other', 'stop'],
  ['unknown', 'stop'],
])

/** What has been collected of a reply. */
export interface Collected {
  readonly content: string
  readonly calls: readonly ToolCall[]
  readonly finishReason: unknown
  readonly usage: unknown
  readonly model: string
  /** A whole reply needs no reason to be whole; a stream without one was cut, which the SDK itself does not say. */
  readonly streamed: boolean
}

/** What the provider itself gave as its reason; undefined where the SDK made one up. */
const reasonOf = ({ finishReason, streamed }: Collected): string | undefined => {
  const reason = text(asFields(finishReason), 'unified') ?? (typeof finishReason === 'string' ? finishReason : undefined)
  const madeUp = reason === 'unknown' || (reason === 'other' && asFields(finishReason) !== undefined && text(asFields(finishReason), 'raw') === undefined)
  return madeUp && streamed ? undefined : reason
}

/** Judges the reason to stop. @throws ModelCallError `stream_truncated`, `provider_error`. */
export const toReply = (report: Reporter, collected: Collected): ModelReply => {
  const { content, calls, usage, model } = collected
  const reason = reasonOf(collected)
  const billed = { usage: usageOf(usage), model }
  if (reason === undefined || reason === 'interrupted') throw report.error({ code: 'stream_truncated' }, `the reply ended without a reason to stop after ${content.length} characters.`, { attempt: billed })
  const finish = FINISH.get(reason)
  if (finish === undefined) throw report.error({ code: 'provider_error' }, `the reply stopped for the reason "${reason.slice(0, 100)}".`, { attempt: billed })
  const message = { role: 'assistant' as const, content: content.toWellFormed(), ...(calls.length === 0 ? {} : { calls }) }
  return { message, finish, ...billed, ...(report.requestId === undefined ? {} : { requestId: report.requestId }) }
}

/** A call in a reply or a stream; those that the provider performs itself are not ours. */
export const callIn = (part: Fields): ToolCall | undefined => {
  if (part['type'] !== 'tool-call' || part['providerExecuted'] === true) return undefined
  const { input } = part
  return toToolCall(text(part, 'toolCallId') ?? '', text(part, 'toolName') ?? '', typeof input === 'string' ? input : JSON.stringify(input ?? {}))
}

/** Reads the result of `doGenerate`. @throws ModelCallError `malformed_response` and what `toReply` throws. */
export const readResult = (report: Reporter, asked: string, value: unknown): ModelReply => {
  const result = asFields(value)
  if (result === undefined || !Array.isArray(result['content'])) throw report.malformed('the model object gave a result without content.')
  const parts = list(result, 'content')
    .map(asFields)
    .filter((part) => part !== undefined)
  const response = field(result, 'response')
  report.requestId = text(response, 'id')
  return toReply(report, {
    content: parts.map((part) => (part['type'] === 'text' ? (text(part, 'text') ?? '') : '')).join(''),
    calls: parts.flatMap((part) => callIn(part) ?? []),
    finishReason: result['finishReason'],
    usage: result['usage'],
    model: text(response, 'modelId') ?? asked,
    streamed: false,
  })
}
