// What spans say about runs, calls and attempts, under the names that the trace room keeps. Invariant: what people, models
// and tools said is in here only when content was asked for.
import type { Failure, Json } from '../../failure/index.ts'
import { leavesOf, type Outcome, type StateValue } from '../../journal/index.ts'
import type { Content, ToolCall } from '../../prompt/index.ts'
import { ATTRIBUTE, CONTENT, GEN_AI_VERSION, inputContent, OPERATION, outputContent, type Attributes } from '../../trace/index.ts'
import type { ModelAsk } from '../call/ask.ts'
import type { ObservedRun } from '../observer.ts'

/** A call as its first attempt names it. */
export interface Named {
  readonly kind: string
  readonly name: string
  readonly key: string
  readonly args?: Json
}

/** A state value as text: `group.asking`, with commas between parallel regions. */
export const stateText = (value: StateValue): string => leavesOf(value).join(',')

/** The operation of a kind of effect. */
export const operationOf = (kind: string): string => (kind in OPERATION ? OPERATION[kind as keyof typeof OPERATION] : kind)

/** The parts of `openai/gpt-5-mini`. A run that is read without its agent may not say which model it asked: then there is no provider. */
const splitModel = (name: string): { readonly provider: string | undefined; readonly model: string } => {
  const slash = name.indexOf('/')
  return { provider: slash < 0 ? undefined : name.slice(0, slash), model: name.slice(slash + 1) }
}

/** Attributes of the span of a run. */
export const runAttributes = ({ info, agent }: Pick<ObservedRun, 'info' | 'agent'>): Attributes => ({
  [ATTRIBUTE.operation]: OPERATION.agent,
  [ATTRIBUTE.agentName]: agent.id,
  [ATTRIBUTE.agentVersion]: agent.version,
  [ATTRIBUTE.conversation]: info.session,
  [ATTRIBUTE.session]: info.session,
  [ATTRIBUTE.user]: info.user,
  [ATTRIBUTE.run]: info.id,
  [ATTRIBUTE.route]: info.route,
  [ATTRIBUTE.tenant]: info.tenant,
  [ATTRIBUTE.conventions]: GEN_AI_VERSION,
})

/** What metrics of a call are told apart by. */
export const callLabels = ({ kind, name }: Pick<Named, 'kind' | 'name'>): Attributes => {
  const operation = operationOf(kind)
  if (operation === OPERATION.model) {
    const { provider, model } = splitModel(name)
    return { [ATTRIBUTE.operation]: operation, [ATTRIBUTE.provider]: provider, [ATTRIBUTE.requestModel]: model }
  }
  return operation === OPERATION.tool ? { [ATTRIBUTE.operation]: operation, [ATTRIBUTE.toolName]: name } : { [ATTRIBUTE.operation]: operation }
}

/** Name of a call's span. */
export const callSpanName = ({ kind, name }: Named): string => {
  const operation = operationOf(kind)
  return `${operation} ${operation === OPERATION.model ? splitModel(name).model : name}`
}

const numberIn = (args: Json | undefined, field: string): number | undefined => {
  const value = typeof args === 'object' && args !== null && !Array.isArray(args) ? (args as { readonly [name: string]: Json })[field] : undefined
  return typeof value === 'number' ? value : undefined
}

/** Attributes of a call's span when it begins. */
export const callAttributes = (call: Named, content: boolean): Attributes => {
  const { kind, name, key, args } = call
  const common = { ...callLabels(call), [ATTRIBUTE.effectKey]: key }
  if (kind === 'tool' || kind === 'tools') return { ...common, [ATTRIBUTE.toolType]: 'function', ...(content && args !== undefined ? { [CONTENT.toolArguments]: JSON.stringify(args) } : {}) }
  if (kind !== 'retrieve' && kind !== 'rerank') return common
  const query = typeof args === 'object' && args !== null && 'query' in args ? args.query : undefined
  return { ...common, [ATTRIBUTE.dataSource]: name, [ATTRIBUTE.topK]: numberIn(args, 'k'), ...(content && typeof query === 'string' ? { [CONTENT.query]: query } : {}) }
}

/** Attributes of the request a model is sent. */
export const requestAttributes = ({ model, prompt, thread, tools }: ModelAsk, content: boolean): Attributes => {
  const { maxOutputTokens, temperature, topP } = model.params
  const asked = { [ATTRIBUTE.promptName]: prompt.id, [ATTRIBUTE.maxTokens]: maxOutputTokens, [ATTRIBUTE.temperature]: temperature, [ATTRIBUTE.topP]: topP }
  if (!content) return asked
  const { instructions, messages } = inputContent(thread.messages)
  return { ...asked, [CONTENT.instructions]: instructions, [CONTENT.input]: messages, ...(tools.length === 0 ? {} : { [CONTENT.tools]: JSON.stringify(tools.map((tool) => ({ type: 'function', ...tool }))) }) }
}

interface ModelValue {
  readonly content?: Content
  readonly calls?: readonly ToolCall[]
  readonly output?: Json
}

const FINISH: { readonly [code: string]: string } = { truncated: 'length', content_filtered: 'content_filter', refused: 'refusal' }

/** What a model or a tool answered. */
export const answerAttributes = (kind: string, outcome: Outcome, content: boolean): Attributes => {
  const operation = operationOf(kind)
  if (operation === OPERATION.model) {
    const [record] = outcome.calls ?? []
    const value = (outcome.ok ? outcome.value : {}) as ModelValue
    const finish = outcome.ok ? (value.calls === undefined ? 'stop' : 'tool_calls') : FINISH[outcome.failure.code]
    return {
      [ATTRIBUTE.responseModel]: record === undefined ? undefined : (record.answered ?? record.model),
      [ATTRIBUTE.responseId]: record?.requestId,
      [ATTRIBUTE.timeToFirstChunk]: record?.firstTokenMs === undefined ? undefined : record.firstTokenMs / 1_000,
      [ATTRIBUTE.finishReasons]: finish === undefined ? undefined : [finish],
      [CONTENT.output]: content && outcome.ok ? outputContent(value.content ?? JSON.stringify(value.output), value.calls, finish ?? 'stop') : undefined,
    }
  }
  if (!content || !outcome.ok) return {}
  if (operation === OPERATION.tool) return { [CONTENT.toolResult]: JSON.stringify(outcome.value) }
  return operation === OPERATION.retrieve || operation === OPERATION.rerank ? { [CONTENT.documents]: JSON.stringify(outcome.value) } : {}
}

const NOTHING: Attributes = {}

/** What an attempt used, and what the way in to the provider decided. */
export const attemptAttributes = ({ calls, cached, gate }: Outcome): Attributes => {
  const [record] = calls ?? []
  // A tool that went well says nothing here.
  if (record === undefined && cached === undefined && gate === undefined) return NOTHING
  return {
    [ATTRIBUTE.inputTokens]: record?.usage?.inputTokens,
    [ATTRIBUTE.outputTokens]: record?.usage?.outputTokens,
    [ATTRIBUTE.cacheReadTokens]: record?.usage?.cachedTokens,
    [ATTRIBUTE.cacheWriteTokens]: record?.usage?.cacheWriteTokens,
    [ATTRIBUTE.reasoningTokens]: record?.usage?.reasoningTokens,
    [ATTRIBUTE.responseModel]: record?.answered,
    [ATTRIBUTE.costUsd]: record?.costNano == null ? undefined : record.costNano / 1e9,
    [ATTRIBUTE.priceSource]: record?.priceSource,
    [ATTRIBUTE.costEstimated]: record?.estimatedTokens === undefined ? undefined : true,
    [ATTRIBUTE.cacheHit]: cached === undefined ? undefined : true,
    [ATTRIBUTE.cacheAgeMs]: cached?.ageMs,
    [ATTRIBUTE.cacheSavedUsd]: cached?.savedNano == null ? undefined : cached.savedNano / 1e9,
    [ATTRIBUTE.waitedMs]: gate?.waitedMs,
    [ATTRIBUTE.probe]: gate?.probe,
  }
}

/** What was billed. */
export interface Billed {
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  cacheWriteTokens: number
  reasoningTokens: number
  costUsd: number
  costUnknown: boolean
  /** True when an attempt reported tokens or cost at all. */
  any: boolean
}

/** Nothing billed yet. */
export const nothingBilled = (): Billed => ({ inputTokens: 0, outputTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, costUsd: 0, costUnknown: false, any: false })

/** Attributes that say what was billed; cached and cache-write tokens are part of the input tokens. */
export const billedAttributes = (billed: Billed): Attributes =>
  billed.any
    ? {
        [ATTRIBUTE.inputTokens]: billed.inputTokens,
        [ATTRIBUTE.outputTokens]: billed.outputTokens,
        [ATTRIBUTE.cacheReadTokens]: billed.cachedTokens || undefined,
        [ATTRIBUTE.cacheWriteTokens]: billed.cacheWriteTokens || undefined,
        [ATTRIBUTE.reasoningTokens]: billed.reasoningTokens || undefined,
        [ATTRIBUTE.costUsd]: billed.costUsd,
        [ATTRIBUTE.costUnknown]: billed.costUnknown || undefined,
      }
    : {}

/** What a failure says beside its code. Its message may quote models and tools, so it counts as content. */
export const failureAttributes = (failure: Failure, content: boolean): Attributes => {
  const { scope, limit } = (failure.details ?? {}) as { readonly scope?: Json; readonly limit?: Json }
  return {
    [ATTRIBUTE.errorType]: failure.code,
    [ATTRIBUTE.failureScope]: typeof scope === 'string' ? scope : undefined,
    [ATTRIBUTE.failureLimit]: typeof limit === 'string' ? limit : undefined,
    [CONTENT.message]: content ? failure.message : undefined,
  }
}
