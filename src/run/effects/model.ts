// A model call as a state: picks or continues a thread, renders the prompt, and goes on until there is a valid output,
// a request for tools, or a typed failure.
import { placeOf, templateOf, type Callback, type CallbackArgs, type ModelSpec, type PassThrough } from '../../agent/index.ts'
import type { Failure, Json } from '../../failure/index.ts'
import type { ReplyExpectation, ToolSchema } from '../../model/index.ts'
import type { Content, Message, Prompt, ToolCall } from '../../prompt/index.ts'
import { checkJson, marksSecrets, parseJson, shortHash, strictSchema, toJsonSchema, validate, type Schema } from '../../schema/index.ts'
import type { Tool } from '../../tool/index.ts'
import type { EffectContext, OpenEffect, RunningEffect } from '../effect.ts'
import { versionKey } from '../prompts.ts'
import type { Thread } from '../thread.ts'
import { openModelCall, type Asked } from './model-call.ts'
import { openStale } from './stale.ts'

interface PromptSource {
  readonly prompt: Prompt | Callback<Content | readonly Message[]>
  readonly vars?: Callback<{ readonly [name: string]: unknown }>
  readonly filedUnder?: string
}

const isMessages = (value: Content | readonly Message[]): value is readonly Message[] => Array.isArray(value) && value.every((item) => typeof item === 'object' && 'role' in item)

/** The version of a prompt that the run uses; undefined for a function. */
const versionOf = ({ prompt, filedUnder }: PromptSource, context: EffectContext): Prompt | undefined => {
  if (typeof prompt === 'function' && !('text' in prompt)) return undefined
  const template = templateOf(prompt, placeOf(context.agent.id, filedUnder ?? context.state))
  return template === undefined ? undefined : (context.run.versions?.get(versionKey(template)) ?? template)
}

/** Variables from fields of the input or the context with the same names. */
const namedFields = ({ varNames }: Prompt, args: CallbackArgs<never>): object => {
  const fields = { ...(args.context as object), ...(typeof args.input === 'object' ? args.input : {}) } as { readonly [name: string]: unknown }
  return Object.fromEntries(varNames.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]))
}

/** Renders a prompt; variables default to fields of the input or the context with the same names. */
export const renderPrompt = (source: PromptSource, context: EffectContext): readonly Message[] => {
  const { prompt, vars } = source
  const args = context.args()
  const version = versionOf(source, context)
  if (version !== undefined) return version.render((vars === undefined ? namedFields(version, args) : vars(args)) as never)
  const rendered = (prompt as Callback<Content | readonly Message[]>)(args)
  return isMessages(rendered) ? rendered : [{ role: 'user', content: rendered }]
}

/**
 * Name and hash a completion is filed under. A function has no template, and its source text differs from build to
 * build: its hash covers only the place it stands in.
 */
export const promptIdentity = (source: PromptSource, context: EffectContext): { readonly id: string; readonly hash: string } => {
  const version = versionOf(source, context)
  if (version !== undefined) return version
  const id = placeOf(context.agent.id, source.filedUnder ?? context.state)
  const known = inlineIdentities.get(source)
  if (known?.id === id) return known
  const made = { id, hash: shortHash({ inline: id }) }
  inlineIdentities.set(source, made)
  return made
}

const inlineIdentities = new WeakMap<PromptSource, { readonly id: string; readonly hash: string }>()

const toolSchemas = new WeakMap<object, readonly ToolSchema[]>()
/** Tools as a model sees them. */
export const toolSchemasOf = (tools: { readonly [name: string]: Tool }): readonly ToolSchema[] => {
  const known = toolSchemas.get(tools) ?? Object.entries(tools).map(([name, tool]) => ({ name, description: tool.description, parameters: toJsonSchema(tool.input, `tool ${name}`) }))
  toolSchemas.set(tools, known)
  return known
}

/** What a model is held to by an output schema: the wire's strict form, and our own validation behind it. */
const outputOf = (
  schema: Schema | undefined,
  name: string,
): {
  readonly wire: { readonly name: string; readonly schema: ReturnType<typeof toJsonSchema> } | undefined
  readonly expected: Pick<ReplyExpectation, 'output'>
} => {
  if (schema === undefined) return { wire: undefined, expected: {} }
  const strict = strictSchema(schema, name)
  return {
    wire: { name: name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64), schema: strict.schema },
    expected: { output: { unwrap: strict.unwrap, validate: (value) => validate(schema, value) } },
  }
}

const openThread = (spec: ModelSpec, context: EffectContext): Thread => {
  const thread = context.thread(spec.thread ?? context.state)
  const goesOn = thread.continues
  thread.continues = false
  thread.answerOpenCalls((_call, decision) => ({
    content: JSON.stringify({ error: 'denied', message: decision?.reason ?? 'This call was not performed.' }),
    failed: 'denied',
  }))
  if (goesOn) return thread
  const rendered = renderPrompt(spec, context)
  const target = spec.thread === undefined ? freshThread(context) : thread
  for (const message of rendered) if (target.messages.length === 0 || message.role !== 'system' || target.messages[0]?.role !== 'system') target.push(message)
  return target
}

const freshThread = (context: EffectContext): Thread => {
  const thread = context.thread(context.state)
  return thread.messages.length === 0 ? thread : context.newThread(context.state)
}

interface ModelValue {
  readonly content?: Content
  readonly calls?: readonly ToolCall[]
  readonly problems?: { readonly [callId: string]: Failure }
  readonly output?: Json
}

const settle = (spec: ModelSpec, context: EffectContext, thread: Thread, value: ModelValue): void => {
  const content = value.content ?? JSON.stringify(value.output)
  thread.push({ role: 'assistant', content, ...(value.calls === undefined ? {} : { calls: value.calls }) })
  if (value.calls !== undefined) {
    context.await({ state: context.state, thread, calls: value.calls, problems: new Map(Object.entries(value.problems ?? {})), decisions: new Map() })
    return context.complete(undefined, value.calls)
  }
  const text = typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  if (spec.output === undefined) {
    context.noteRepeat(context.state, null, text)
    return context.complete(text)
  }
  context.noteRepeat(context.state, null, value.output)
  context.complete(value.output)
}

/** A caller's own request: what it asks for beside its messages is sent as it is, and the reply is the output. */
const openPassThrough = (spec: ModelSpec & { readonly passThrough: Callback<PassThrough> }, context: EffectContext, thread: Thread): RunningEffect => {
  const { tools = [], output, toolChoice, params = {}, providerOptions, checked = false, embeds = false } = spec.passThrough(context.args())
  const model = { ...spec.model, params: { ...spec.model.params, ...params }, ...(providerOptions === undefined ? {} : { providerOptions: { ...spec.model.providerOptions, ...providerOptions } }) }
  const held = checked && output !== undefined ? { output: { validate: (value: Json) => checkJson(output.schema, value) } } : {}
  const expected = { refusalDetector: false, cutAllowed: true, anyCalls: true, ...held } as const
  const asked: Asked = { model, tools, output, expected, prompt: promptIdentity(spec, context), ...(toolChoice === undefined ? {} : { toolChoice }), ...(embeds ? { embeds } : {}) }
  return openModelCall(
    spec,
    context,
    thread,
    () => asked,
    (outcome) => {
      if (!outcome.ok) return context.fail(outcome.failure)
      const { content: said, output: valid, calls, finish } = outcome.value as unknown as ModelValue & { readonly finish?: 'length' }
      // A valid output may have come in a code fence, which is no JSON.
      const content = valid === undefined || (typeof said === 'string' && parseJson(said).ok) ? said : JSON.stringify(valid)
      const message: Message = { role: 'assistant', content: content ?? '', ...(calls === undefined ? {} : { calls }) }
      thread.push(message)
      context.complete({ message, finish: finish ?? (calls === undefined ? 'stop' : 'tool_calls') })
    },
  )
}

const passesThrough = (spec: ModelSpec): spec is ModelSpec & { readonly passThrough: Callback<PassThrough> } => spec.passThrough !== undefined

export const openModel: OpenEffect<ModelSpec> = (spec, context) => {
  const thread = openThread(spec, context)
  if (passesThrough(spec)) return openPassThrough(spec, context, thread)
  const { wire, expected } = outputOf(spec.output, `${context.agent.id}_${spec.filedUnder ?? context.state}`)
  const hideOutput: Asked['hideOutput'] = marksSecrets(spec.output) ? (output, hide) => hide(spec.output, output) : undefined
  const ask = (): Asked => ({ tools: toolSchemasOf(spec.tools), output: wire, expected: { ...expected, tools: spec.tools }, hideOutput, prompt: promptIdentity(spec, context) })
  const open = spec.staleOf === undefined ? openModelCall : openStale
  return open(spec, context, thread, ask, (outcome) => (outcome.ok ? settle(spec, context, thread, outcome.value as unknown as ModelValue) : context.fail(outcome.failure)))
}
