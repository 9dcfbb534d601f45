// The model picks exactly one of the events that are legal now. Its choice is validated like any outside event before
// the machine sees it; an illegal one is shown to the model for repair.
import type { DecideSpec } from '../../agent/index.ts'
import { failure, type Failure, type Json } from '../../failure/index.ts'
import type { InboxItem } from '../../journal/index.ts'
import { marksSecrets, strictSchema, validate, type JsonSchema, type Validated } from '../../schema/index.ts'
import { textOf } from '../../prompt/index.ts'
import type { EffectContext, OpenEffect } from '../effect.ts'
import { Thread } from '../thread.ts'
import { openModelCall, type Asked } from './model-call.ts'
import { promptIdentity, renderPrompt } from './model.ts'

interface Choice {
  readonly event: string
  readonly payload: Json
}

const choiceSchema = (spec: DecideSpec, legal: readonly string[]): JsonSchema => ({
  type: 'object',
  properties: {
    choice: {
      anyOf: legal.map((type) => ({
        type: 'object',
        description: spec.events[type]?.description ?? '',
        properties: { event: { type: 'string', enum: [type] }, payload: payloadSchema(spec, type) },
        required: ['event', 'payload'],
        additionalProperties: false,
      })),
    },
  },
  required: ['choice'],
  additionalProperties: false,
})

const payloadSchema = (spec: DecideSpec, type: string): JsonSchema => {
  const payload = spec.events[type]?.payload
  return payload === undefined ? { type: 'object', properties: {}, required: [], additionalProperties: false } : strictSchema(payload, `event ${type}`).schema
}

const checkChoice = (spec: DecideSpec, legal: readonly string[], value: Json): Validated<Choice> => {
  const choice = (value as { readonly choice?: { readonly event?: unknown; readonly payload?: Json } } | null)?.choice
  const type = choice?.event
  if (typeof type !== 'string' || !legal.includes(type)) return { ok: false, issues: [{ path: 'choice.event', message: `must be one of ${legal.join(', ')}` }] }
  const schema = spec.events[type]?.payload
  if (schema === undefined) return { ok: true, value: { event: type, payload: {} } }
  const valid = validate(schema, strictSchema(schema, `event ${type}`).unwrap(choice?.payload ?? null))
  return valid.ok
    ? { ok: true, value: { event: type, payload: valid.value as Json } }
    : { ok: false, issues: valid.issues.map(({ path, message }) => ({ path: `choice.payload${path === '' ? '' : `.${path}`}`, message })) }
}

const eventOf = ({ event, payload }: Choice): InboxItem['event'] => ({ ...(payload as { readonly [field: string]: Json }), type: event })

const noEvents = (context: EffectContext): Failure =>
  failure('invalid_request', `State ${context.state} has no event that is legal now, so there is nothing to decide. Give one of its events a transition without a guard.`)

export const openDecide: OpenEffect<DecideSpec> = (spec, context) => {
  const legal = Object.keys(spec.events).filter((type) => context.can({ type }))
  if (legal.length === 0) {
    context.fail(noEvents(context))
    return {}
  }
  const thread = new Thread(context.key, renderPrompt(spec, context))
  const marked = legal.some((type) => marksSecrets(spec.events[type]?.payload))
  const hidePayload: Asked['hideOutput'] = (output, hide) => {
    // Before it is judged, the choice is still in its wrapper.
    const { event, payload } = ((output as { readonly choice?: Json } | null)?.choice ?? output ?? {}) as unknown as Choice
    return { event, payload: hide(spec.events[event]?.payload, payload) }
  }
  const ask = (): Asked => ({
    tools: [],
    output: { name: 'choice', schema: choiceSchema(spec, legal) },
    expected: { output: { validate: (value) => checkChoice(spec, legal, value) } },
    hideOutput: marked ? hidePayload : undefined,
    prompt: promptIdentity(spec, context),
  })
  return openModelCall(spec, context, thread, ask, (outcome) => {
    if (!outcome.ok) return context.fail(outcome.failure)
    const choice = (outcome.value as unknown as { readonly output: Choice }).output
    context.noteRepeat(context.state, null, choice)
    if (!context.send(eventOf(choice)))
      context.fail(failure('invalid_output', `The model chose ${choice.event}, which the guards of state ${context.state} do not allow with this payload: ${textOf(JSON.stringify(choice.payload))}.`))
  })
}
