// The template language: text with tags in double braces, read once into a tree. Values never pass through here, so
// nothing a value holds can become a tag.
//
//   {{name}}                       a variable as text         {{.}} {{.field}}   inside each: the item, a field of it
//   {{@name}}                      a variable as message parts
//   {{#when name}}…{{else}}…{{/when}}                         {{#each list}}…{{/each}}
//   \{{                            two braces as text
//
// A block tag or a part alone on its line takes the whole line with it.

/** Where a value comes from: a variable, or (inside `each`) the item or one of its fields. */
export type Path = { readonly from: 'vars'; readonly name: string } | { readonly from: 'item'; readonly field?: string }

/** One piece of a template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value' | 'part'; readonly path: Path }
  | { readonly kind: 'when'; readonly path: Path; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: 'each'; readonly path: Path; readonly body: readonly Node[] }

/** A template that was read, with everything that is wrong with its syntax. */
export interface Template {
  readonly nodes: readonly Node[]
  readonly problems: readonly string[]
}

/** A tag and where it stands in the text. `tag` is undefined for braces that never close. */
interface Tag {
  readonly open: number
  readonly close: number
  readonly tag: string | undefined
}

type Token = { readonly text: string } | { readonly tag: string | undefined }

const PATH = /^(?:\.|(?<dot>\.?)(?<name>[\p{ID_Start}_$][\p{ID_Continue}$-]*))$/u
const STANDALONE = /^(?:[#/@]|else$)/

/** The path as it is written. */
export const showPath = (path: Path): string => (path.from === 'vars' ? path.name : `.${path.field ?? ''}`)

/** Finds the tags of a text. Of three or more opening braces the last two belong to the tag. */
export function* tagsOf(text: string): Generator<Tag> {
  let position = 0
  for (;;) {
    let open = text.indexOf('{{', position)
    if (open === -1) return
    const escaped = open > position && text[open - 1] === '\\'
    if (!escaped) {
      while (text[open + 2] === '{') open++
      const end = text.indexOf('}}', open)
      if (end === -1) return yield { open, close: text.length, tag: undefined }
      yield { open, close: end + 2, tag: text.slice(open + 2, end).trim() }
      position = end + 2
    } else position = open + 2
  }
}

const isBlank = (text: string): boolean => /^[ \t]*$/.test(text)

// What a tag takes out of the text: its whole line, when it is a block tag with nothing else on that line.
const rangeOf = (text: string, { open, close, tag }: Tag): readonly [number, number] => {
  if (tag === undefined || !STANDALONE.test(tag)) return [open, close]
  const lineStart = text.lastIndexOf('\n', open - 1) + 1
  const newline = text.indexOf('\n', close)
  const lineEnd = newline === -1 ? text.length : newline
  const alone = isBlank(text.slice(lineStart, open)) && isBlank(text.slice(close, lineEnd))
  return alone ? [lineStart, Math.min(lineEnd + 1, text.length)] : [open, close]
}

const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  const addText = (from: number, to: number): void => {
    if (to > from) tokens.push({ text: text.slice(from, to).replaceAll('\\{{', '{{') })
  }
  let position = 0
  for (const found of tagsOf(text)) {
    const [from, to] = rangeOf(text, found)
    addText(position, from)
    tokens.push({ tag: found.tag })
    position = to
  }
  addText(position, text.length)
  return tokens
}

const readPath = (text: string): Path | undefined => {
  const found = PATH.exec(text)
  if (found === null) return undefined
  const { dot, name } = found.groups ?? {}
  if (name === undefined) return { from: 'item' }
  return dot === '.' ? { from: 'item', field: name } : { from: 'vars', name }
}

/** What is left to read, and what was wrong so far. */
interface Reading {
  readonly tokens: Iterator<Token>
  readonly problems: string[]
}

type Ending = 'else' | '/when' | '/each'
const isEnding = (tag: string): tag is Ending => tag === 'else' || tag === '/when' || tag === '/each'

const readBlock = (reading: Reading, kind: 'when' | 'each', path: Path): Node => {
  const first = readNodes(reading, kind === 'when' ? ['else', '/when'] : ['/each'])
  const second = first.ending === 'else' ? readNodes(reading, ['/when']) : { nodes: [], ending: first.ending }
  if (second.ending === undefined) reading.problems.push(`{{#${kind} ${showPath(path)}}} is never closed: add {{/${kind}}}`)
  return kind === 'when' ? { kind, path, body: first.nodes, otherwise: second.nodes } : { kind, path, body: first.nodes }
}

const readTag = (reading: Reading, tag: string): Node | undefined => {
  const [, sign, name = ''] = /^(#when\s|#each\s|@)?\s*([^]*)$/.exec(tag) ?? []
  const path = readPath(name)
  if (path === undefined) {
    reading.problems.push(`{{${tag}}} is not a tag: write {{name}}, {{@name}}, {{#when name}}, {{#each name}} or {{> partial}}, or \\{{ for two braces as text`)
    return undefined
  }
  if (sign === undefined || sign === '@') return { kind: sign === '@' ? 'part' : 'value', path }
  return readBlock(reading, sign.startsWith('#when') ? 'when' : 'each', path)
}

const readNodes = (reading: Reading, until: readonly Ending[]): { readonly nodes: readonly Node[]; readonly ending: Ending | undefined } => {
  const nodes: Node[] = []
  for (let next = reading.tokens.next(); next.done !== true; next = reading.tokens.next()) {
    const token = next.value
    if ('text' in token) nodes.push({ kind: 'text', text: token.text })
    else if (token.tag === undefined) reading.problems.push('a {{ is never closed: add }}, or write \\{{ for two braces as text')
    else if (!isEnding(token.tag)) nodes.push(...[readTag(reading, token.tag)].filter((node) => node !== undefined))
    else if (until.includes(token.tag)) return { nodes, ending: token.tag }
    else reading.problems.push(token.tag === 'else' ? '{{else}} stands outside {{#when}}' : `{{${token.tag}}} closes nothing that is open`)
  }
  return { nodes, ending: undefined }
}

/** Reads a template whose partials are resolved. Never throws: what is wrong is listed. */
export const parseTemplate = (text: string): Template => {
  const problems: string[] = []
  const { nodes } = readNodes({ tokens: tokenize(text)[Symbol.iterator](), problems }, [])
  return { nodes, problems }
}
