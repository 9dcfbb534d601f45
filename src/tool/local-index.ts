// A retriever over a folder of Markdown and text, or over documents in memory, on a full-text index in this process.
// Invariant: the same files give the same chunks, ids, order and version on every machine.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type MiniSearch from 'minisearch'
import { fail } from '../failure/index.ts'
import { sha256 } from '../schema/index.ts'
import { splitMarkdown, splitText } from './markdown.ts'
import { termsOf } from './terms.ts'
import type { Document, Retriever } from './tool.ts'

/** What is searched: documents as they are, or the files of a folder cut into chunks. */
export type LocalIndexSource =
  | { readonly documents: readonly Document[] }
  | {
      /** A path, or a URL such as `new URL('../docs/', import.meta.url)`, which does not depend on where the process runs. */
      readonly folder: string | URL
      /** Endings of the files to read. Default `['.md', '.txt']`. */
      readonly extensions?: readonly string[]
      /** Longest text of a chunk, characters. Default 1,500. */
      readonly chunkChars?: number
    }

/** Settings of a local index. */
export type LocalIndexOptions = LocalIndexSource & Partial<Pick<Retriever, 'timeoutMs' | 'retry'>>

/** Bounds of what is read; beyond them a folder wants a search engine. */
const MAX_FILES = 10_000
const MAX_FILE_BYTES = 4 * 1024 * 1024
/** Terms of a query that count. */
const MAX_QUERY_TERMS = 64
/** Part of the version: changes whenever cutting or ranking does. */
const ALGORITHM = 'local-index/1'

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const portable = (folder: string, file: string): string => relative(folder, file).split(sep).join('/')

/** Files under a folder, hidden ones, links and dependencies left out, in the order of their paths. */
const filesOf = (folder: string, extensions: readonly string[]): readonly string[] => {
  const visit = (directory: string): readonly string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return []
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return visit(path)
      return entry.isFile() && extensions.some((extension) => entry.name.toLowerCase().endsWith(extension)) ? [path] : []
    })
  const found = visit(folder)
  if (found.length > MAX_FILES) fail('retrieval_failed', `The folder ${folder} holds ${found.length} files to index, more than ${MAX_FILES}. Index a smaller folder, or use a search engine through defineRetriever.`)
  return found.toSorted((a, b) => byText(portable(folder, a), portable(folder, b)))
}

const readPage = (file: string): string => {
  const { size } = statSync(file)
  if (size > MAX_FILE_BYTES) fail('retrieval_failed', `The file ${file} has ${size} bytes, more than ${MAX_FILE_BYTES}. Split it or leave it out.`)
  return readFileSync(file, 'utf8')
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
}

/** Chunks of one file. Ids are the source, with a running number where one section gave several chunks. */
const chunksOf = (folder: string, file: string, limit: number): readonly Document[] => {
  const path = portable(folder, file)
  const page = readPage(file)
  const name = basename(file).replace(/\.[^.]*$/, '')
  const sections = /\.(md|mdx|markdown)$/i.test(file) ? splitMarkdown(page, name, limit) : splitText(page, limit).map((text) => ({ anchor: '', title: name, text }))
  const seen = new Map<string, number>()
  return sections.map(({ anchor, title, text }) => {
    const source = anchor === '' ? path : `${path}#${anchor}`
    const serial = (seen.get(source) ?? 0) + 1
    seen.set(source, serial)
    return { id: serial === 1 ? source : `${source}:${serial}`, text, source, title }
  })
}

const checkDocuments = (documents: readonly Document[]): readonly Document[] => {
  const ids = new Set<string>()
  for (const { id } of documents) {
    if (ids.has(id)) fail('agent_invalid', `localIndex got two documents with the id ${JSON.stringify(id)}. Give each document an id of its own.`)
    ids.add(id)
  }
  return documents
}

const checkFolder = (folder: string | URL): string => {
  const path = resolve(folder instanceof URL ? fileURLToPath(folder) : folder)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    fail('agent_invalid', `localIndex found no folder at ${path}. Check the path; new URL('docs/', import.meta.url) names a folder beside the file that says it.`)
  return path
}

/** Gives the documents, read at most once. Wrong options are refused at once. */
const readerOf = (source: LocalIndexSource): (() => readonly Document[]) => {
  if ('documents' in source) {
    const documents = checkDocuments(source.documents)
    return () => documents
  }
  const folder = checkFolder(source.folder)
  const extensions = (source.extensions ?? ['.md', '.txt']).map((extension) => extension.toLowerCase())
  const chunkChars = Math.max(1, source.chunkChars ?? 1_500)
  let documents: readonly Document[] | undefined
  return () => (documents ??= filesOf(folder, extensions).flatMap((file) => chunksOf(folder, file, chunkChars)))
}

const versionOf = (documents: readonly Document[]): string =>
  sha256(JSON.stringify([ALGORITHM, ...documents.map(({ id, text, source = null, title = null, metadata = null }) => [id, text, source, title, metadata])])).slice(0, 16)

const buildIndex = async (documents: readonly Document[]): Promise<MiniSearch> => {
  const { default: Index } = await import('minisearch')
  const index = new Index({ fields: ['title', 'text'], idField: 'at', tokenize: (text) => [...termsOf(text)], processTerm: (term) => term })
  index.addAll(documents.map(({ title, text }, at) => ({ at, title: title ?? '', text })))
  return index
}

const search = (index: MiniSearch, documents: readonly Document[], query: string, k: number): readonly Document[] => {
  const terms = [...new Set(termsOf(query))].slice(0, MAX_QUERY_TERMS)
  const hits = index.search(terms.join(' '), {
    tokenize: (text) => text.split(' '),
    boost: { title: 2 },
    prefix: (term) => term.length > 3,
    fuzzy: (term) => (term.length > 5 ? 0.2 : false),
    weights: { prefix: 0.3, fuzzy: 0.2 },
  })
  return hits
    .map(({ id, score }) => ({ at: id as number, score: Math.round(score * 1e4) / 1e4 }))
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, Math.max(0, k))
    .flatMap(({ at, score }) => (documents[at] === undefined ? [] : [{ ...documents[at], score }]))
}

/**
 * A retriever on a local full-text index (BM25, word beginnings, small typos). A folder is read once, when its version
 * or its first search is asked for; Markdown is cut at headings, so a result's `source` is `guide.md#limits`.
 * @throws FailureError `agent_invalid` when the folder does not exist or two documents share an id.
 * @example localIndex({ folder: new URL('../../docs/', import.meta.url) })
 */
export const localIndex = (options: LocalIndexOptions): Retriever => {
  const read = readerOf(options)
  let version: string | undefined
  let index: Promise<MiniSearch> | undefined
  return {
    kind: 'retriever',
    timeoutMs: options.timeoutMs ?? 10_000,
    retry: options.retry ?? { attempts: 2 },
    get version() {
      return (version ??= versionOf(read()))
    },
    async search({ query, k }) {
      const documents = read()
      return search(await (index ??= buildIndex(documents)), documents, query, k)
    },
  }
}
