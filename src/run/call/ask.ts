// One model call, resolved: everything that decides its answer and who it is for. Invariant: the request and its hashes are
// pure functions of the ask, so a replay can tell whether it would send what was sent then.
import type { ModelRef } from '../../agent/index.ts'
import type { Json } from '../../failure/index.ts'
import type { ModelRequest, ReplyExpectation, ToolSchema } from '../../model/index.ts'
import type { BreakerPolicy, CachePolicy, LimiterPolicy, TimeoutPolicy } from '../../policy/index.ts'
import { canonical, hashOf, sha256 } from '../../schema/index.ts'
import type { RunInfo } from '../effect.ts'
import type { RunSecrets } from '../secrets.ts'
import type { Thread } from '../thread.ts'

/** One model call, resolved. */
export interface ModelAsk {
  readonly run: RunInfo
  readonly key: string
  readonly state: string
  readonly model: ModelRef
  readonly thread: Thread
  readonly tools: readonly ToolSchema[]
  readonly output: ModelRequest['output']
  readonly toolChoice?: ModelRequest['toolChoice']
  /** The messages are texts to embed. */
  readonly embeds?: boolean
  readonly expected: ReplyExpectation
  /** Takes out of an output what its schema marks as secret, with the `hide` it is given. Undefined when nothing is marked. */
  readonly hideOutput?: ((output: Json, hide: RunSecrets['hide']) => Json) | undefined
  readonly timeout: TimeoutPolicy | undefined
  readonly cache: CachePolicy | undefined
  /** Undefined for the runtime's own; `false` for none. */
  readonly breaker: BreakerPolicy | false | undefined
  readonly limiter: LimiterPolicy | false | undefined
  readonly prompt: { readonly id: string; readonly hash: string }
}

/** The three hashes of a completion, 16 hexadecimal characters each. */
export interface CallHashes {
  /** The template: texts, variables, partials. */
  readonly promptHash: string
  /** Everything about the step but its messages: template, model, parameters, tools and schema. */
  readonly stepHash: string
  /** The step and the rendered thread. */
  readonly requestHash: string
}

/** What the step hash covers, as data: everything about the request but its messages. */
export const stepDocument = ({ model, tools, output, prompt, toolChoice, embeds }: ModelAsk): { readonly [field: string]: unknown } => {
  const { provider, model: name, params, providerOptions = null } = model
  return { prompt: prompt.hash, provider, model: name, params, providerOptions, tools, output: output ?? null, ...(toolChoice === undefined ? {} : { toolChoice }), ...(embeds === true ? { embeds } : {}) }
}

/** A step as text: its SHA-256 is the step's hash, so a content store keeps it under that hash. */
export const stepText = (ask: ModelAsk): string => canonical(stepDocument(ask))

const schemaHashes = new WeakMap<object, string>()
const schemaHashOf = ({ name, schema }: NonNullable<ModelAsk['output']>): string => {
  const hash = schemaHashes.get(schema) ?? hashOf(schema)
  schemaHashes.set(schema, hash)
  return `${name} ${hash}`
}

const stepHashes = new WeakMap<object, Map<string, string>>()
const lastSteps = new WeakMap<object, { readonly ask: Pick<ModelAsk, 'tools' | 'output' | 'prompt' | 'toolChoice'>; readonly hash: string }>()

/** The full hash of a step, computed once for each model, template, schema and set of tools. */
export const stepHashOf = (ask: ModelAsk): string => {
  const last = lastSteps.get(ask.model)
  if (last !== undefined && ask.tools === last.ask.tools && ask.output === last.ask.output && ask.prompt.hash === last.ask.prompt.hash && ask.toolChoice === last.ask.toolChoice) return last.hash
  const { tools, output, prompt, toolChoice } = ask
  const hash = findStepHash(ask)
  lastSteps.set(ask.model, { ask: { tools, output, prompt, toolChoice }, hash })
  return hash
}

const findStepHash = (ask: ModelAsk): string => {
  const { model, tools, output, prompt, toolChoice, embeds = false } = ask
  const known = stepHashes.get(model) ?? new Map<string, string>()
  stepHashes.set(model, known)
  const key = `${prompt.hash} ${output === undefined ? '' : schemaHashOf(output)} ${tools.map((tool) => tool.name).join()} ${JSON.stringify(toolChoice) ?? ''} ${embeds}`
  const hash = known.get(key) ?? sha256(stepText(ask))
  known.set(key, hash)
  return hash
}

const SHOWN = 16

/** The full hash of the request: 64 hexadecimal characters. Rolls forward with the thread. */
export const requestHashOf = (ask: ModelAsk): string => sha256(`${stepHashOf(ask)} ${ask.thread.hash}`)

/** The hashes that a completion is filed under. */
export const hashesOf = (ask: ModelAsk): CallHashes => ({
  promptHash: ask.prompt.hash.slice(0, SHOWN),
  stepHash: stepHashOf(ask).slice(0, SHOWN),
  requestHash: requestHashOf(ask).slice(0, SHOWN),
})

/** What is sent. */
export const requestOf = ({ model, thread, tools, output, toolChoice }: ModelAsk): ModelRequest => ({
  model: model.model,
  messages: thread.messages,
  params: model.params,
  ...(tools.length === 0 ? {} : { tools }),
  ...(output === undefined ? {} : { output }),
  ...(toolChoice === undefined ? {} : { toolChoice }),
  ...(model.providerOptions === undefined ? {} : { providerOptions: model.providerOptions }),
})
