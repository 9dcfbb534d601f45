// A version of a prompt: a template that was kept, rendered with the variables that today's code gives. Invariant: a
// version that exists fits the code's variables, so what is missing is found when it is loaded and not in a call.
import { fail, type Json } from '../failure/index.ts'
import { fieldSchema, formatIssues, validate, type JsonSchema } from '../schema/index.ts'
import { promptHash, type PromptDocument } from './document.ts'
import type { Prompt, PromptMessage } from './prompt.ts'
import { renderTemplate } from './render.ts'
import { checkTemplate, declaredVars, kindOfVar } from './template-check.ts'
import { parseTemplate } from './template.ts'

type Fields = { readonly [name: string]: Json }

const propertiesOf = (vars: JsonSchema): Fields => (vars['properties'] ?? {}) as Fields
const requiredIn = (vars: JsonSchema): readonly string[] => (vars['required'] ?? []) as readonly string[]

/** Defaults of the variables, which a template's hash covers and its code may have changed since. */
const defaultsOf = (vars: JsonSchema): Fields =>
  Object.fromEntries(Object.entries(propertiesOf(vars)).flatMap(([name, schema]) => (typeof schema === 'object' && schema !== null && 'default' in schema ? [[name, schema['default'] as Json]] : [])))

/** What the template was written for and the code no longer gives. */
const lostVars = (vars: JsonSchema, code: JsonSchema): readonly string[] => {
  const [needed, given] = [new Set(requiredIn(vars)), new Set([...requiredIn(code), ...Object.keys(defaultsOf(code))])]
  const declared = propertiesOf(code)
  return Object.keys(propertiesOf(vars)).flatMap((name) => {
    if (!Object.hasOwn(declared, name)) return needed.has(name) ? [`it needs the variable "${name}", which the code no longer declares`] : []
    const may = needed.has(name) && !given.has(name) ? [`it needs the variable "${name}", which the code may leave out`] : []
    const [was, is] = [kindOfVar(vars, name), kindOfVar(code, name)]
    return was === is || was === 'unknown' || is === 'unknown' ? may : [...may, `"${name}" was a ${was} value and is a ${is} value in the code`]
  })
}

/** Defaults of the template that the code's schema would not take in a call. */
const lostDefaults = (vars: JsonSchema, code: Prompt): readonly string[] =>
  Object.entries(defaultsOf(vars)).flatMap(([name, value]) => {
    const schema = fieldSchema(code.vars, name)
    return schema === undefined || validate(schema, value).ok ? [] : [`its default of "${name}" is ${JSON.stringify(value)}, which the code no longer takes`]
  })

/** Variables a template can see: the code's, and its own that have a default. */
const visibleVars = (vars: JsonSchema, code: JsonSchema): JsonSchema => {
  const own = Object.keys(defaultsOf(vars)).map((name) => [name, propertiesOf(vars)[name] ?? true] as const)
  return { ...code, properties: { ...Object.fromEntries(own), ...propertiesOf(code) } }
}

interface Parsed {
  readonly role: PromptMessage['role']
  readonly nodes: ReturnType<typeof parseTemplate>['nodes']
}

/** Everything that keeps a kept template from being rendered with the variables of a prompt in code; empty when it fits. */
export const misfitsOf = (document: PromptDocument, prompt: Prompt): readonly string[] => {
  const code = prompt.document
  if (document.language !== code.language) return [`it is written in version ${String(document.language)} of the template language, and this release reads version ${String(code.language)}`]
  const lost = [...lostVars(document.vars, code.vars), ...lostDefaults(document.vars, prompt)]
  const vars = visibleVars(document.vars, code.vars)
  const unfit = document.messages.flatMap(({ role, content }, index) => {
    const { nodes, problems } = parseTemplate(content)
    return [...problems, ...checkTemplate(nodes, { role, vars, item: undefined })].map((problem) => `messages[${index}] (${role}): ${problem}`)
  })
  return lost.length > 0 ? lost : unfit
}

const render = (prompt: Prompt, templates: readonly Parsed[], defaults: Fields, given: unknown): ReturnType<Prompt['render']> => {
  const values = Object.fromEntries(Object.entries(given as Fields).filter(([, value]) => (value as Json | undefined) !== undefined))
  const checked = validate(prompt.vars, { ...defaults, ...values })
  if (!checked.ok) return fail('invalid_input', `The variables of prompt "${prompt.id}" do not match its schema: ${formatIssues(checked.issues)}. Pass what vars declares.`)
  const vars = { ...defaults, ...(checked.value as Fields) }
  return templates.map(({ role, nodes }) => ({ role, content: renderTemplate(nodes, { vars }) }))
}

/**
 * The version of a prompt that a document holds. It takes the variables of the prompt in code, which validates them.
 * @throws FailureError `prompt_unusable` when the template needs what the code does not give.
 */
export const promptVersion = (prompt: Prompt, document: PromptDocument): Prompt => {
  const hash = promptHash(document)
  if (hash === prompt.hash) return prompt
  const misfits = misfitsOf(document, prompt)
  if (misfits.length > 0) {
    fail('prompt_unusable', `Version ${hash.slice(0, 12)} of prompt "${prompt.id}" does not fit the code:\n- ${misfits.join('\n- ')}\nActivate a version that fits, or deploy code that gives these variables.`, {
      details: { prompt: prompt.id, hash, problems: misfits },
    })
  }
  const templates = document.messages.map(({ role, content }) => ({ role, nodes: parseTemplate(content).nodes }))
  const defaults = defaultsOf(document.vars)
  return {
    kind: 'prompt',
    id: prompt.id,
    hash,
    vars: prompt.vars,
    varNames: [...new Set([...prompt.varNames, ...(declaredVars(document.vars) ?? [])])],
    document,
    messages: document.messages,
    render: (vars) => render(prompt, templates, defaults, vars),
  }
}
