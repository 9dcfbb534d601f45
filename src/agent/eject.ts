// `ejectAgent` prints a one-shot agent as the builder calls it stands for, so that an author can grow it. What is not
// data (tools, schemas, functions) is imported; the printed agent has the same structure and hash.
import { fail } from '../failure/index.ts'
import { escapeTags } from '../prompt/index.ts'
import type { Agent } from './agent.ts'
import { MAX_TURNS, approvedTools, oneShotOf, type ErasedOneShot } from './one-shot.ts'
import { placeOf } from './prompts.ts'

/** How to print. */
export interface EjectOptions {
  /** Module that exports the tools by name, and `output`, `prompt` and `migrations` where the agent has them. Default `./parts.ts`. */
  readonly from?: string
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

const text = (value: string): string => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

const key = (name: string): string => (IDENTIFIER.test(name) ? name : text(name))

/** Data as source. */
const show = (value: unknown): string => {
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return `{ ${fields.map(([name, inner]) => `${key(name)}: ${show(inner)}`).join(', ')} }`
}

const toIdentifier = (name: string): string => (IDENTIFIER.test(name) ? name : `_${name.replaceAll(/\W/g, '_')}`)

const promptSource = ({ id, prompt }: ErasedOneShot): string =>
  typeof prompt === 'string'
    ? `definePrompt({ id: ${text(placeOf(id, 'answering'))}, vars: z.object({ input: z.string() }), messages: [{ role: 'system', content: ${text(escapeTags(prompt))} }, { role: 'user', content: '{{input}}' }] })`
    : 'prompt'

const importsOf = ({ tools = {}, output, prompt, migrations }: ErasedOneShot): readonly string[] => [
  ...Object.keys(tools).map(toIdentifier),
  ...(output === undefined ? [] : ['output']),
  ...(typeof prompt === 'string' ? [] : ['prompt']),
  ...(migrations === undefined ? [] : ['migrations']),
]

const setupLines = (id: string, definition: ErasedOneShot): readonly string[] => {
  const { version, model, tools = {}, output, limits, sessionLimits, migrations } = definition
  const toolList = Object.keys(tools).map((name) => (IDENTIFIER.test(name) ? name : `${text(name)}: ${toIdentifier(name)}`))
  return [
    `id: ${text(id)}`,
    ...(version === undefined ? [] : [`version: ${text(version)}`]),
    `models: { model: ${show(model)} }`,
    ...(toolList.length === 0 ? [] : [`tools: { ${toolList.join(', ')} }`]),
    'input: z.string()',
    `context: z.object({ input: z.string(), answer: ${output === undefined ? 'z.string()' : 'output'} })`,
    ...(limits === undefined ? [] : [`limits: ${show(limits)}`]),
    ...(sessionLimits === undefined ? [] : [`sessionLimits: ${show(sessionLimits)}`]),
    ...(migrations === undefined ? [] : ['migrations']),
    "onFailure: 'failed'",
  ]
}

/** Options of the model state that are data. */
const POLICIES = ['retry', 'timeout', 'cache', 'breaker', 'limiter'] as const

const answeringLines = (definition: ErasedOneShot): readonly string[] => {
  const { output, tools = {}, maxVisits = MAX_TURNS } = definition
  const names = Object.keys(tools)
  const approved = approvedTools(definition)
  const routes = [...approved.map((name) => `${key(name)}: 'approving'`), "'*': 'acting'"]
  return [
    `prompt: ${promptSource(definition)}`,
    ...(output === undefined ? [] : ['output']),
    "save: 'answer'",
    ...(names.length === 0 ? [] : [`tools: ${show(names)}`, `onTools: ${approved.length === 0 ? "'acting'" : `{ ${routes.join(', ')} }`}`]),
    `maxVisits: ${maxVisits}`,
    ...POLICIES.flatMap((name) => (definition[name] === undefined ? [] : [`${name}: ${show(definition[name])}`])),
    "onDone: 'done'",
  ]
}

const stateLines = (definition: ErasedOneShot): readonly string[] => {
  const approved = approvedTools(definition)
  const { expiresMs, parallel, tools = {} } = definition
  const options = (parts: readonly string[]): string => `{ ${parts.join(', ')} }`
  const approval = [`tools: ${show(approved)}`, ...(expiresMs === undefined ? [] : [`expiresMs: ${expiresMs}`]), "onApproved: 'acting'", "onRejected: 'answering'"]
  const acting = [...(parallel === undefined ? [] : [`parallel: ${parallel}`]), "onDone: 'answering'"]
  return [
    `answering: t.model('model', {\n${answeringLines(definition)
      .map((line) => `      ${line},\n`)
      .join('')}    })`,
    ...(approved.length === 0 ? [] : [`approving: t.approve(${options(approval)})`]),
    ...(Object.keys(tools).length === 0 ? [] : [`acting: t.tools(${options(acting)})`]),
    'done: t.final({ output: ({ context }) => context.answer! })',
    "failed: t.final({ outcome: 'failed' })",
  ]
}

/**
 * The builder source of a one-shot agent, as a module with a default export.
 * @throws FailureError `usage` for an agent that was not made with `agent({ … })`.
 */
export const ejectAgent = (made: Agent, options: EjectOptions = {}): string => {
  const definition = oneShotOf(made) ?? fail('usage', `The agent '${made.id}' was not made with agent({ … }), so it has no other form: it is already a machine of its own.`)
  const parts = importsOf(definition)
  const lines = [
    typeof definition.prompt === 'string' ? "import { definePrompt, setupAgent } from 'stateloop'" : "import { setupAgent } from 'stateloop'",
    "import { z } from 'zod'",
    ...(parts.length === 0 ? [] : [`import { ${parts.join(', ')} } from ${text(options.from ?? './parts.ts')} // where you keep what is not data`]),
    '',
    `const t = setupAgent({\n${setupLines(made.id, definition)
      .map((line) => `  ${line},\n`)
      .join('')}})`,
    '',
    `export default t.createAgent({\n  initial: 'answering',\n  states: {\n${stateLines(definition)
      .map((line) => `    ${line},\n`)
      .join('')}  },\n})`,
  ]
  return `${lines.join('\n')}\n`
}
