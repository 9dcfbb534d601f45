// Prompts as Markdown files: YAML front matter names the prompt, level-one headings `# system`, `# user` and
// `# assistant` begin its messages. The same checks apply as to prompts in code, when the file is loaded.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail } from '../failure/index.ts'
import type { Schema } from '../schema/index.ts'
import { createPrompt, type VarsOf } from './define.ts'
import type { Partials } from './partials.ts'
import type { Prompt, PromptMessage } from './prompt.ts'
import { parseYaml } from './yaml.ts'

/** What a Markdown file cannot say. */
export interface MarkdownOptions<S> {
  /** Describes the variables. */
  readonly vars: S
  /** Partials shared with other prompts, beside those of the front matter. Default: none. */
  readonly partials?: Partials
}

interface FrontMatter {
  readonly id: string
  readonly partials: Partials
}

const FRONT_MATTER = /^---\n(?<yaml>[^]*?)\n?---(?:\n|$)(?<body>[^]*)$/
const HEADING = /^# (?<role>system|user|assistant)[ \t]*$/
const FENCE = /^ {0,3}(?<mark>`{3,}|~{3,})(?<info>.*)$/

const invalid = (where: string, problem: string, cause?: unknown): never => fail('agent_invalid', `${where} cannot be read as a prompt: ${problem}`, { cause })

const frontMatterOf = (yaml: string, where: string): unknown => {
  try {
    return parseYaml(yaml)
  } catch (error) {
    return invalid(where, `its front matter is not YAML (${error instanceof Error ? error.message : String(error)}).`, error)
  }
}

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } => typeof value === 'object' && value !== null && !Array.isArray(value)

const readFrontMatter = (yaml: string, where: string): FrontMatter => {
  const matter = frontMatterOf(yaml, where)
  if (!isRecord(matter)) return invalid(where, 'its front matter must be a map with an id.')
  const unknown = Object.keys(matter).filter((key) => key !== 'id' && key !== 'partials')
  if (unknown.length > 0) return invalid(where, `its front matter has ${unknown.join(', ')}; only id and partials are known.`)
  const { id, partials = {} } = matter
  if (typeof id !== 'string') return invalid(where, 'its front matter has no id. Add a line like `id: support.answer`.')
  if (!isRecord(partials)) return invalid(where, 'partials in the front matter must be a map of texts.')
  const texts = Object.entries(partials).map(([name, text]) => [name, typeof text === 'string' ? text.replace(/\n$/, '') : invalid(where, `the partial "${name}" is not text.`)])
  return { id, partials: Object.fromEntries(texts) as Partials }
}

/** Splits the body at its role headings; a heading inside a code fence is text. Without a heading all is one user message. */
const readSections = (body: string, where: string): readonly PromptMessage[] => {
  const sections: { readonly role: PromptMessage['role'] | undefined; readonly lines: string[] }[] = [{ role: undefined, lines: [] }]
  let fence: string | undefined
  for (const line of body.split('\n')) {
    const { mark, info = '' } = FENCE.exec(line)?.groups ?? {}
    if (fence === undefined) fence = mark
    else if (mark?.startsWith(fence) === true && info.trim() === '') fence = undefined
    const role = fence === undefined ? HEADING.exec(line)?.groups?.['role'] : undefined
    if (role === undefined) sections.at(-1)?.lines.push(line)
    else sections.push({ role: role as PromptMessage['role'], lines: [] })
  }
  const [before, ...messages] = sections.map(({ role, lines }) => ({
    role: role ?? ('user' as const),
    content: lines
      .join('\n')
      .replace(/^(?:[ \t]*\n)+/, '')
      .trimEnd(),
  }))
  if (messages.length === 0) return before === undefined ? [] : [before]
  if (before !== undefined && before.content !== '') return invalid(where, `there is text before the first heading (${JSON.stringify(before.content.slice(0, 40))}). Begin with # system, # user or # assistant.`)
  return messages
}

const read = <S extends Schema>(text: string, where: string, { vars, partials = {} }: MarkdownOptions<S>): Prompt<VarsOf<S>> => {
  const found = FRONT_MATTER.exec(text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'))?.groups
  if (found === undefined) return invalid(where, 'it has no front matter. Begin with a line `---`, then `id: …`, then `---`.')
  const { yaml = '', body = '' } = found
  const matter = readFrontMatter(yaml, where)
  const twice = Object.keys(matter.partials).filter((name) => Object.hasOwn(partials, name))
  if (twice.length > 0) return invalid(where, `the partials ${twice.join(', ')} are given both in the front matter and in the options.`)
  return createPrompt({ id: matter.id, vars, messages: readSections(body, where), partials: { ...partials, ...matter.partials } })
}

/**
 * Reads a prompt from Markdown.
 *
 * @example
 * const prompt = promptFromMarkdown('---\nid: greet\n---\n# system\nBe kind.\n# user\nHello, I am {{name}}.', {
 *   vars: z.object({ name: z.string() }),
 * })
 * @throws FailureError `agent_invalid` when the text is not a prompt, with what `definePrompt` would say of it.
 */
export const promptFromMarkdown = <S extends Schema>(text: string, options: MarkdownOptions<S>): Prompt<VarsOf<S>> => read(text, 'The Markdown text', options)

/**
 * Reads a prompt from a Markdown file, synchronously: prompts are loaded with the module that uses them.
 *
 * @param file path or file URL, as `new URL('./answer.md', import.meta.url)`.
 * @throws FailureError `agent_invalid` when there is no such file or it is not a prompt.
 */
export const loadPrompt = <S extends Schema>(file: URL | string, options: MarkdownOptions<S>): Prompt<VarsOf<S>> => {
  const path = typeof file === 'string' && !file.startsWith('file:') ? file : fileURLToPath(file)
  const text = (() => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      return invalid(path, `the file could not be opened (${error instanceof Error ? error.message : String(error)}).`, error)
    }
  })()
  return read(text, path, options)
}
