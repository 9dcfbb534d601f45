// A text index in this process: a folder of Markdown and text files, or documents given as they are, cut at headings.
// Invariant: the same files give the same documents in the same order and the same version, whatever the machine.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import MiniSearch from 'minisearch'
import { hashOf } from '../schema/index.ts'
import { defineRetriever } from './define.ts'
import type { Document, Retriever } from './tool.ts'

/** Longest piece of a file that becomes one document, characters. */
const LONGEST_PIECE = 2_000

/** What to index. */
export type LocalIndexOptions =
  | { readonly documents: readonly Document[] }
  | {
      /** Read once, at the first search. */
      readonly folder: string
      /** Default `.md` and `.txt`. */
      readonly extensions?: readonly string[]
    }

const filesIn = (folder: string, extensions: readonly string[]): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

const slug = (heading: string): string => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} -]/gu, '').trim().replaceAll(/\s+/g, '-')

interface Section {
  readonly heading: string
  readonly text: string
}

/** Cuts Markdown before each heading that is not inside a code fence. */
const sectionsOf = (text: string): readonly Section[] => {
  const sections: { heading: string; lines: string[] }[] = [{ heading: '', lines: [] }]
  let fenced = false
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*```/.test(line)) fenced = !fenced
    const heading = fenced ? undefined : /^#{1,6}\s+(.*)$/.exec(line)?.[1]
    if (heading !== undefined) sections.push({ heading: heading.trim(), lines: [] })
    else sections.at(-1)?.lines.push(line)
  }
  return sections.map(({ heading, lines }) => ({ heading, text: lines.join('\n').trim() })).filter((section) => section.text !== '')
}

/** Cuts at blank lines, so that no piece is longer than the limit unless one paragraph is. */
const piecesOf = (text: string): readonly string[] => {
  const pieces: string[] = []
  for (const paragraph of text.split(/\n\s*\n/)) {
    const last = pieces.at(-1)
    if (last !== undefined && last.length + paragraph.length + 2 <= LONGEST_PIECE) pieces[pieces.length - 1] = `${last}\n\n${paragraph}`
    else pieces.push(paragraph)
  }
  return pieces
}

const documentsOfFile = (folder: string, path: string): readonly Document[] => {
  const source = relative(folder, path).split(sep).join('/')
  const text = readFileSync(path, 'utf8')
  const title = /^#\s+(.*)$/m.exec(text)?.[1]?.trim() ?? source
  return sectionsOf(text).flatMap(({ heading, text: body }) =>
    piecesOf(body).map((piece, index) => {
      const anchor = heading === '' || heading === title ? source : `${source}#${slug(heading)}`
      return { id: `${anchor}:${index}`, source: anchor, title: heading === '' || heading === title ? title : `${title}: ${heading}`, text: piece }
    }),
  )
}

interface Built {
  readonly byId: ReadonlyMap<string, Document>
  readonly index: MiniSearch<Document>
}

const build = (documents: readonly Document[]): Built => {
  const unique = documents.map((document, at) => (documents.findIndex((other) => other.id === document.id) === at ? document : { ...document, id: `${document.id}~${at}` }))
  const index = new MiniSearch<Document>({ fields: ['title', 'text'], idField: 'id', searchOptions: { boost: { title: 2 }, prefix: (term) => term.length > 3, fuzzy: (term) => (term.length > 5 ? 0.2 : false) } })
  index.addAll(unique)
  return { byId: new Map(unique.map((document) => [document.id, document])), index }
}

/**
 * A retriever over local text.
 * @example localIndex({ folder: 'docs', extensions: ['.md'] })
 */
export const localIndex = (options: LocalIndexOptions): Retriever => {
  let documents: readonly Document[] | undefined
  let built: Built | undefined
  const load = (): readonly Document[] => {
    documents ??= 'documents' in options ? options.documents : filesIn(options.folder, options.extensions ?? ['.md', '.txt']).flatMap((path) => documentsOfFile(options.folder, path))
    return documents
  }
  const retriever = defineRetriever({
    search: ({ query, k }) => {
      built ??= build(load())
      const { byId, index } = built
      return index.search(query).slice(0, k).flatMap(({ id, score }) => {
        const found = byId.get(String(id))
        return found === undefined ? [] : [{ ...found, score: Math.round(score * 1000) / 1000 }]
      })
    },
  })
  return {
    ...retriever,
    /** Changes with the text, not with the clock. */
    get version() {
      return hashOf(load()).slice(0, 16)
    },
  }
}
