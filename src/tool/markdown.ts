// Cuts a Markdown page into sections by heading, each with the anchor a web page would give it. Invariant: no section
// is longer than asked, and every word a reader of the page sees is in exactly one of them, in order.

/** One piece of a page. */
export interface Section {
  /** Anchor of the nearest heading above, as GitHub writes it; empty before the first heading. */
  readonly anchor: string
  /** The headings above, outermost first: `Limits › Cost`. */
  readonly title: string
  readonly text: string
}

const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/
const FENCE = /^ {0,3}(`{3,}|~{3,})/
const FRONT_MATTER = /^---\n([^]*?)\n---(?:\n|$)/

/** Heading text without emphasis, code marks and link targets. */
const plain = (text: string): string =>
  text
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]|(?<![\w])_|_(?![\w])/g, '')
    .trim()

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-')

/** Lines with the fence state, so that a `#` inside code is not taken for a heading. */
function* outline(page: string): Generator<{ readonly line: string; readonly heading: { readonly level: number; readonly text: string } | undefined }> {
  let fence: string | undefined
  for (const line of page.split('\n')) {
    const mark = FENCE.exec(line)?.[1]
    if (fence === undefined) fence = mark
    else if (mark?.startsWith(fence) === true && line.trim() === mark) fence = undefined
    const [, marks, text] = (fence === undefined && mark === undefined ? HEADING.exec(line) : null) ?? []
    yield { line, heading: marks === undefined ? undefined : { level: marks.length, text: plain(text ?? '') } }
  }
}

/** Longest prefix of at most `limit` characters that ends well: after a line, a sentence, a word, or just there. */
const cut = (text: string, limit: number): number => {
  const head = text.slice(0, limit)
  for (const end of [/\n(?=[^\n]*$)/, /[.!?]\s+(?=[^.!?]*$)/, /\s+(?=\S*$)/]) {
    const found = end.exec(head)
    if (found !== null && found.index > 0) return found.index + found[0].length
  }
  const last = head.charCodeAt(limit - 1)
  return limit > 1 && last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit
}

/** Cuts text into pieces of at most `limit` characters, between paragraphs where that is possible. */
export const splitText = (text: string, limit: number): readonly string[] => {
  const pieces: string[] = []
  let open = ''
  for (const paragraph of text.split(/\n{2,}/)) {
    let rest = paragraph.trimEnd()
    if (open !== '' && open.length + 2 + rest.length > limit) {
      pieces.push(open)
      open = ''
    }
    while (rest.length > limit) {
      const end = cut(rest, limit)
      pieces.push(rest.slice(0, end).trimEnd())
      rest = rest.slice(end)
    }
    if (rest.trim() !== '') open = open === '' ? rest : `${open}\n\n${rest}`
  }
  return (open === '' ? pieces : [...pieces, open]).filter((piece) => piece.trim() !== '')
}

/** Sections of a page. @param name stands in where the page has no title. @param limit longest text, characters. */
export const splitMarkdown = (source: string, name: string, limit: number): readonly Section[] => {
  const matter = FRONT_MATTER.exec(source)
  const page = source.slice(matter?.[0].length ?? 0).replaceAll(/<!--[^]*?-->/g, '')
  const stated = /^title:[ \t]*["']?(.*?)["']?[ \t]*$/m.exec(matter?.[1] ?? '')?.[1]
  const sections: Section[] = []
  const taken = new Map<string, number>()
  let trail: readonly { readonly level: number; readonly text: string }[] = stated === undefined ? [] : [{ level: 0, text: stated }]
  let anchor = ''
  let lines: string[] = []
  const close = (): void => {
    const title =
      trail
        .map(({ text }) => text)
        .filter((text) => text !== '')
        .join(' › ') || name
    for (const text of splitText(lines.join('\n').replace(/^\n+/, ''), limit)) sections.push({ anchor, title, text })
    lines = []
  }
  for (const { line, heading } of outline(page)) {
    if (heading === undefined) lines.push(line)
    else {
      close()
      const wanted = slug(heading.text)
      const before = taken.get(wanted) ?? 0
      taken.set(wanted, before + 1)
      anchor = before === 0 ? wanted : `${wanted}-${before}`
      trail = [...trail.filter(({ level, text }) => level < heading.level && text !== heading.text), heading]
    }
  }
  close()
  return sections
}
