// What an author without a compiler may have put in the wrong place when setting an agent up: options that do not exist,
// and things that are not tools, retrievers, rerankers, agents or schemas.
import { suggest } from '../nearest.ts'
import type { Problem } from '../problem.ts'

type Named = { readonly [name: string]: unknown }

const OPTIONS = 'id version models tools retrievers rerankers agents events input context init output limits sessionLimits onFailure migrations'.split(' ')

const isSchema = (value: unknown): boolean => (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value

const isOfKind =
  (kind: string) =>
  (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind

const PARTS: readonly (readonly [option: string, is: (value: unknown) => boolean, remedy: string])[] = [
  ['tools', isOfKind('tool'), 'Make it with defineTool.'],
  ['retrievers', isOfKind('retriever'), 'Make it with defineRetriever.'],
  ['rerankers', isOfKind('reranker'), 'Make it with defineReranker.'],
  ['agents', isOfKind('agent'), 'Make it with agent, setupAgent or machineAgent.'],
  ['events', isSchema, 'Give a schema of its payload, such as z.object({}).'],
]

const here = (problem: string): Problem => ({ state: '', problem })

/** Reports options that `setupAgent` does not have. */
export const checkSetupOptions = (setup: object): readonly Problem[] => Object.keys(setup).flatMap((name) => (OPTIONS.includes(name) ? [] : [here(`setupAgent has no option '${name}'.${suggest(name, OPTIONS)}`)]))

/** Reports parts that are not what their place needs, with which nothing can be compiled. */
export const checkParts = (setup: object): readonly Problem[] => {
  const given = setup as Named
  return [
    ...(isSchema(given['input']) ? [] : [here('input must be a schema of what start takes, such as z.object({ question: z.string() }).')]),
    ...['context', 'output'].flatMap((name) => (given[name] === undefined || isSchema(given[name]) ? [] : [here(`${name} must be a schema.`)])),
    ...PARTS.flatMap(([option, is, remedy]) => Object.entries((given[option] ?? {}) as Named).flatMap(([name, value]) => (is(value) ? [] : [here(`${option}.${name} is not one of the ${option}. ${remedy}`)]))),
  ]
}
