// The structure of an agent, which a journaled run depends on: states, transitions, guards by name, saved fields, and
// what its tools accept. Texts, models, functions' bodies, descriptions and limits may change under a run; they are not in it.
import type { AnyStateMachine } from 'xstate'
import { hashOf, toJsonSchema, type JsonSchema } from '../schema/index.ts'
import type { Tool } from '../tool/index.ts'
import { graphOf, logicOf } from './graph.ts'
import { effectOf } from './source.ts'
import type { EffectSpec } from './spec.ts'
import { isMachine } from './xstate.ts'

type Data = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Keys of a JSON Schema whose values are named by the author. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions'])
const NOTES = new Set(['description', 'title', 'examples', '$comment', 'default'])

/** A JSON Schema without what only people and models read. */
const withoutNotes = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(withoutNotes)
  if (!isObject(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !NOTES.has(key))
      .map(([key, value]) => [key, NAMED.has(key) && isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutNotes(inner)])) : withoutNotes(value)]),
  )
}

/** A function as the structure sees it: there, or of a built-in type. */
const shown = (value: unknown): unknown => {
  if (typeof value === 'function') return 'type' in value && typeof value.type === 'string' ? { type: value.type } : '(function)'
  if (Array.isArray(value)) return value.map(shown)
  return isObject(value) ? Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, shown(inner)]]))) : value
}

const transition = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(transition)
  if (!isObject(value)) return value
  const { description: _description, meta: _meta, ...rest } = value
  return shown(rest)
}

const transitions = (map: unknown): unknown => (isObject(map) ? Object.fromEntries(Object.entries(map).map(([event, value]) => [event, transition(value)])) : undefined)

const invocation = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(invocation)
  const { id, src, onDone, onError } = value as Data
  return {
    ...(id === undefined ? {} : { id }),
    ...(typeof src === 'string' ? { src } : {}),
    ...(onDone === undefined ? {} : { onDone: transition(onDone) }),
    ...(onError === undefined ? {} : { onError: transition(onError) }),
  }
}

/** The structure of a state and of those inside it. */
const structureOf = (node: Data): Data => {
  const { type, initial, meta, entry, exit, on, after, always, onDone, invoke, states, history, target } = node
  const { kind, save, outcome } = isObject(meta) ? meta : {}
  const parts: [string, unknown][] = [
    ['type', type],
    ['initial', initial === undefined ? undefined : shown(initial)],
    ['history', history],
    ['target', target],
    ['kind', kind],
    ['save', save],
    ['outcome', outcome],
    ['entry', entry === undefined ? undefined : shown(entry)],
    ['exit', exit === undefined ? undefined : shown(exit)],
    ['on', transitions(on)],
    ['after', transitions(after)],
    ['always', always === undefined ? undefined : transition(always)],
    ['onDone', onDone === undefined ? undefined : transition(onDone)],
    ['invoke', invoke === undefined ? undefined : invocation(invoke)],
    ['states', isObject(states) ? Object.fromEntries(Object.entries(states).map(([name, inner]) => [name, structureOf(inner as Data)])) : undefined],
  ]
  return Object.fromEntries(parts.filter(([, value]) => value !== undefined))
}

const toolShape = (tool: Tool, name: string): Data => ({ effect: tool.effect, input: withoutNotes(toJsonSchema(tool.input, `tool ${name}`)) as JsonSchema })

const toolsOf = (effect: EffectSpec): { readonly [name: string]: Tool } => {
  if (effect.kind === 'tool') return { [effect.name]: effect.tool }
  return 'tools' in effect ? effect.tools : {}
}

const effectShape = (effect: EffectSpec): Data => ({
  kind: effect.kind,
  ...('tools' in effect ? { tools: Object.keys(effect.tools).sort() } : {}),
  ...(effect.kind === 'tool' || effect.kind === 'retrieve' || effect.kind === 'rerank' ? { name: effect.name } : {}),
  ...(effect.kind === 'approve' && effect.call !== undefined ? { call: effect.call.name } : {}),
  ...(effect.kind === 'compact' ? { thread: effect.thread, keep: effect.keep } : {}),
  ...('agent' in effect ? { agent: effect.agent.id, hash: effect.agent.hash } : {}),
})

/** The structure of a machine and its effects, and its hash. */
export const definitionOf = (machine: AnyStateMachine): { readonly definition: Data; readonly hash: string } => {
  const invoked = graphOf(machine).nodes.flatMap(({ invokes }) => invokes.map(({ id, source }) => [id, logicOf(machine, source)] as const))
  const effects = invoked.flatMap(([id, logic]) => {
    const effect = effectOf(logic)
    return effect === undefined ? [] : [[id, effect] as const]
  })
  const machines = invoked.flatMap(([id, logic]) => (isMachine(logic) ? [[id, definitionOf(logic).definition] as const] : []))
  const tools: { [name: string]: Data } = {}
  const seen = new Map<string, Tool>()
  for (const [id, effect] of effects) {
    for (const [name, tool] of Object.entries(toolsOf(effect))) {
      const known = seen.get(name)
      if (known === tool) continue
      seen.set(name, known ?? tool)
      tools[known === undefined ? name : `${name}@${id}`] = toolShape(tool, name)
    }
  }
  const definition = {
    machine: structureOf({ ...machine.config, id: machine.id } as Data),
    effects: Object.fromEntries(effects.map(([id, effect]) => [id, effectShape(effect)])),
    tools,
    ...(machines.length === 0 ? {} : { machines: Object.fromEntries(machines) }),
  }
  return { definition, hash: hashOf(definition) }
}
