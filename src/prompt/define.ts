// Makes prompts. Everything that can be wrong with one is found here, before the first call, and reported at once; a
// prompt that exists renders for all variables its schema accepts.
import { fail } from '../failure/index.ts'
import { formatIssues, toJsonSchema, validate, type Infer, type Schema } from '../schema/index.ts'
import { documentOf, promptHash } from './document.ts'
import { resolvePartials, type Partials } from './partials.ts'
import type { Prompt, PromptMessage } from './prompt.ts'
import { renderTemplate } from './render.ts'
import { checkTemplate, declaredVars } from './template-check.ts'
import type { TemplateProblems } from './template-problems.ts'
import { parseTemplate } from './template.ts'

/** The type that a schema takes, before defaults are filled in. */
export type VarsOf<S> = S extends { readonly '~standard': { readonly types?: { readonly input: infer I } | undefined } } ? I : never

/** What an author says about a prompt. */
export interface PromptDefinition<S, M = string | readonly PromptMessage[], P = Partials> {
  /** Stays the same while the text changes: versions are told apart by their hashes. */
  readonly id: string
  /** Describes an object; each field is a variable. Defaults must be constants, since the hash covers them. */
  readonly vars: S
  /** The messages in order; text alone is one user message. */
  readonly messages: M
  /** Pieces of template that `{{> name}}` puts in place. Default: none. */
  readonly partials?: P
}

const ROLES: ReadonlySet<unknown> = new Set<PromptMessage['role']>(['system', 'user', 'assistant'])

// Line ends are a matter of the machine a file was checked out on, not of the prompt.
const unixLines = (text: string): string => text.replaceAll('\r\n', '\n')

const readMessages = (messages: string | readonly PromptMessage[], problems: string[]): readonly PromptMessage[] => {
  if (typeof messages === 'string') return [{ role: 'user', content: messages }]
  if (!Array.isArray(messages)) {
    problems.push('messages must be text or a list of { role, content }')
    return []
  }
  return (messages as readonly Partial<PromptMessage>[]).flatMap(({ role, content }, index) => {
    if (!ROLES.has(role)) problems.push(`messages[${index}]: the role is ${JSON.stringify(role) ?? 'missing'}, it must be system, user or assistant`)
    if (typeof content !== 'string') problems.push(`messages[${index}]: content must be text`)
    return role === undefined || typeof content !== 'string' ? [] : [{ role, content }]
  })
}

const resolveMessages = ({ messages, partials = {} }: PromptDefinition<Schema>, problems: string[]): readonly PromptMessage[] => {
  const read = readMessages(messages, problems)
  if (read.length === 0 && problems.length === 0) problems.push('messages is empty')
  const texts = Object.fromEntries(Object.entries(partials).map(([name, text]) => [name, unixLines(text)]))
  return read.map(({ role, content }) => ({ role, content: resolvePartials(unixLines(content), texts, problems) }))
}

/**
 * Defines a prompt: messages with `{{name}}` placeholders for declared variables.
 *
 * Blocks are `{{#when name}}…{{else}}…{{/when}}` and `{{#each list}}…{{/each}}`, with `{{.}}` and `{{.field}}` for the
 * item. `{{@name}}` places images and files (see `partSchema`), `{{> name}}` a partial, `\{{` two braces. Text stands as
 * it is, numbers and booleans as text, lists and objects as JSON, an absent value as nothing. A `when` is skipped for
 * an absent value, `false`, `''` and an empty list.
 *
 * @example
 * definePrompt({
 *   id: 'answer',
 *   vars: z.object({ question: z.string(), docs: z.array(z.object({ title: z.string(), text: z.string() })) }),
 *   messages: [
 *     { role: 'system', content: 'Answer from these pages only:\n{{#each docs}}\n# {{.title}}\n{{.text}}\n{{/each}}' },
 *     { role: 'user', content: '{{question}}' },
 *   ],
 * })
 * @throws FailureError `agent_invalid` with every problem: unknown variables and partials, blocks that do not close.
 */
export const definePrompt = <S extends Schema, const M extends string | readonly PromptMessage[], const P extends Partials = {}>(
  definition: PromptDefinition<S, M, P> & TemplateProblems<M, Infer<S>, P>,
): Prompt<VarsOf<S>> => createPrompt(definition)

/** `definePrompt` for texts that the compiler cannot read. */
export const createPrompt = <S extends Schema>(definition: PromptDefinition<S>): Prompt<VarsOf<S>> => {
  const { id, vars } = definition
  const problems: string[] = []
  if (typeof id !== 'string' || !/^\S+$/.test(id)) problems.push(`the id is ${JSON.stringify(id) ?? 'missing'}, it must be text without spaces`)
  const messages = resolveMessages(definition, problems)
  const varsSchema = toJsonSchema(vars, `vars of prompt ${JSON.stringify(id)}`)
  const varNames = declaredVars(varsSchema)
  if (varNames === undefined) problems.push('vars must describe an object with named fields, as z.object({ … }) does')
  const templates = messages.map(({ role, content }, index) => {
    const { nodes, problems: syntax } = parseTemplate(content)
    const unfit = varNames === undefined ? [] : checkTemplate(nodes, { role, vars: varsSchema, item: undefined })
    const malformed = content.isWellFormed() ? [] : ['the text has half of a surrogate pair, which has no UTF-8 form']
    problems.push(...[...malformed, ...syntax, ...unfit].map((problem) => `messages[${index}] (${role}): ${problem}`))
    return { role, nodes }
  })
  const unique = [...new Set(problems)]
  if (unique.length > 0) fail('agent_invalid', `The prompt ${JSON.stringify(id)} cannot be used:\n- ${unique.join('\n- ')}`, { details: { problems: unique } })
  const document = documentOf(messages, vars)
  return {
    kind: 'prompt',
    id,
    hash: promptHash(document),
    document,
    vars,
    varNames: varNames ?? [],
    messages,
    render: (values) => {
      const checked = validate(vars, values)
      if (!checked.ok) return fail('invalid_input', `The variables of prompt "${id}" do not match its schema: ${formatIssues(checked.issues)}. Pass what vars declares.`)
      return templates.map(({ role, nodes }) => ({ role, content: renderTemplate(nodes, { vars: checked.value }) }))
    },
  }
}
