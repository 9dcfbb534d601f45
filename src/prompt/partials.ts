// Partials: named pieces of template text that several messages or prompts share. They are put in place before the
// template is read, so what a prompt renders (and what its hash covers) is a function of the resolved text alone.
import { parseTemplate, tagsOf } from './template.ts'

/** Template text by name. */
export interface Partials {
  readonly [name: string]: string
}

const nameOf = (tag: string | undefined): string | undefined => (tag?.startsWith('>') === true ? tag.slice(1).trim() : undefined)

// A partial must make sense by itself: where it is placed may not change how it is read.
const problemsOf = (name: string, text: string): readonly string[] => {
  const nested = [...tagsOf(text)].flatMap(({ tag }) => nameOf(tag) ?? [])
  if (nested.length > 0) return nested.map((inner) => `partial "${name}": {{> ${inner}}} stands in a partial, and partials cannot include others`)
  const problems = parseTemplate(text).problems.map((problem) => `partial "${name}": ${problem}`)
  return text.endsWith('\\') ? [...problems, `partial "${name}": it ends with a backslash, which would escape a tag after it`] : problems
}

/** Puts partials in place of their tags. What is wrong is added to `problems`, and nothing put in place of that tag. */
export const resolvePartials = (text: string, partials: Partials, problems: string[]): string => {
  let resolved = ''
  let position = 0
  for (const { open, close, tag } of tagsOf(text)) {
    const name = nameOf(tag)
    if (name === undefined) continue
    const partial = Object.hasOwn(partials, name) ? partials[name] : undefined
    const wrong = partial === undefined ? [`{{> ${name}}}: partials has no "${name}"`] : problemsOf(name, partial)
    problems.push(...wrong)
    resolved += text.slice(position, open) + (wrong.length === 0 ? partial : '')
    position = close
  }
  return resolved + text.slice(position)
}
