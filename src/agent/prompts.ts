// The prompts of an agent, those of its child agents included: what a lock can hold other versions of, and what a run's
// first entry records. Invariant: within an agent an id stands for one template.
import { textPrompt, type Prompt } from '../prompt/index.ts'
import type { Agent } from './agent.ts'
import { effectsOf } from './effects.ts'
import type { Problem } from './problem.ts'
import type { DecideSpec, EffectSpec, ModelSpec } from './spec.ts'

const texts = new WeakMap<object, Map<string, Prompt>>()

/** Id of a prompt that is written in place. */
export const placeOf = (agent: string, state: string): string => `${agent}/${state}`.replaceAll(/\s/g, '_')

/**
 * The template that a state's prompt is: a prompt, or constant text as a prompt named after its place. Undefined for a
 * function, which has none.
 */
export const templateOf = (prompt: ModelSpec['prompt'], place: string): Prompt | undefined => {
  if (typeof prompt !== 'function') return prompt
  if (!('text' in prompt) || typeof prompt.text !== 'string') return undefined
  const known = texts.get(prompt) ?? new Map<string, Prompt>()
  texts.set(prompt, known)
  const made = known.get(place) ?? textPrompt(place, prompt.text)
  known.set(place, made)
  return made
}

const asks = (spec: EffectSpec): spec is ModelSpec | DecideSpec => spec.kind === 'model' || spec.kind === 'decide'

const collect = (agent: Pick<Agent, 'id' | 'machine'>): readonly { readonly path: string; readonly prompt: Prompt }[] =>
  effectsOf(agent).flatMap(({ path, spec }) => {
    if ('agent' in spec) return promptsOf(spec.agent).map((prompt) => ({ path, prompt }))
    const prompt = asks(spec) ? templateOf(spec.prompt, placeOf(agent.id, spec.kind === 'model' ? (spec.filedUnder ?? path) : path)) : undefined
    return prompt === undefined ? [] : [{ path, prompt }]
  })

const known = new WeakMap<Agent['machine'], readonly Prompt[]>()

/** The prompts of an agent, each once, in the author's order. */
export const promptsOf = (agent: Pick<Agent, 'id' | 'machine'>): readonly Prompt[] => {
  const found = known.get(agent.machine) ?? [...new Map(collect(agent).map(({ prompt }) => [prompt.id, prompt])).values()]
  known.set(agent.machine, found)
  return found
}

/** Reports ids that stand for more than one template: a lock or a log could not tell them apart. */
export const checkPrompts = (agent: Pick<Agent, 'id' | 'machine'>): readonly Problem[] => {
  const first = new Map<string, { readonly path: string; readonly hash: string }>()
  return collect(agent).flatMap(({ path, prompt: { id, hash } }) => {
    const other = first.get(id)
    if (other === undefined) first.set(id, { path, hash })
    return other === undefined || other.hash === hash ? [] : [{ state: path, problem: `The prompt id '${id}' stands for another template in state '${other.path}'. Give each template an id of its own.` }]
  })
}
