import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { FailureError } from '../../src/failure/index.ts'
import { localIndex, type Document, type Retriever, type ToolContext } from '../../src/tool/index.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const folderWith = (files: { readonly [path: string]: string }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'local-index-'))
  folders.push(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** The index works in this process: it needs nothing of the run. */
const context = {} as ToolContext
const search = async (index: Retriever, query: string, k = 10): Promise<readonly Document[]> => index.search({ query, k }, context)
const idsOf = async (index: Retriever, query: string, k?: number): Promise<readonly string[]> => (await search(index, query, k)).map(({ id }) => id)

const docs = {
  'limits.md': '# Limits\nEvery run has limits.\n\n## Cost\nA budget caps what a run may spend in dollars.\n\n## Time\nA deadline stops a run.\n',
  'how-to/tools.md': '# Tools\nDefine a tool with defineTool. Refunds are irreversible.\n',
  'notes.txt': 'Retrieval finds documents.\n\nRerankers order documents.\n',
}

describe('a local index of a folder', () => {
  it('finds the section that answers, with its anchor as source and its headings as title', async () => {
    const [best] = await search(localIndex({ folder: folderWith(docs) }), 'how much may a run spend?')
    expect(best).toEqual({
      id: 'limits.md#cost',
      source: 'limits.md#cost',
      title: 'Limits › Cost',
      text: 'A budget caps what a run may spend in dollars.',
      score: expect.any(Number),
    })
  })

  it('takes a URL as well as a path', async () => {
    expect(await idsOf(localIndex({ folder: pathToFileURL(folderWith(docs)) }), 'refund')).toEqual(['how-to/tools.md#tools'])
  })

  it('reads only files with the extensions asked for, and no hidden files or dependencies', async () => {
    const folder = folderWith({
      ...docs,
      'page.MDX': 'budget',
      '.hidden.md': 'budget',
      '.git/a.md': 'budget',
      'node_modules/a/readme.md': 'budget',
      'code.ts': 'budget',
    })
    expect(await idsOf(localIndex({ folder }), 'budget')).toEqual(['limits.md#cost'])
    expect(await idsOf(localIndex({ folder, extensions: ['.mdx'] }), 'budget')).toEqual(['page.MDX'])
  })

  it('numbers the chunks of a long section and bounds each', async () => {
    const folder = folderWith({ 'long.md': `# Long\n${Array.from({ length: 40 }, (_, n) => `Paragraph ${n} about budgets.`).join('\n\n')}` })
    const found = await search(localIndex({ folder, chunkChars: 200 }), 'budget', 100)
    expect(found.length).toBeGreaterThan(5)
    expect(found.every(({ text, source }) => text.length <= 200 && source === 'long.md#long')).toBe(true)
    expect(found.map(({ id }) => id)).toContain('long.md#long:2')
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length)
  })

  it('has the version of its content, whatever order or line ending the files were written with', () => {
    const version = localIndex({ folder: folderWith(docs) }).version
    const reversed = Object.fromEntries(
      Object.entries(docs)
        .reverse()
        .map(([path, text]) => [path, text.replaceAll('\n', '\r\n')]),
    )
    expect(localIndex({ folder: folderWith(reversed) }).version).toBe(version)
    expect(localIndex({ folder: folderWith({ ...docs, 'notes.txt': 'Other.' }) }).version).not.toBe(version)
    expect(localIndex({ folder: folderWith(docs), chunkChars: 20 }).version).not.toBe(version)
  })

  it('reads the folder once, so version and results stay together', async () => {
    const folder = folderWith(docs)
    const index = localIndex({ folder })
    const { version } = index
    writeFileSync(join(folder, 'limits.md'), 'Changed.')
    expect(await idsOf(index, 'budget')).toEqual(['limits.md#cost'])
    expect(index.version).toBe(version)
  })

  it('refuses a folder that is not there when it is made, not when it is searched', () => {
    expect(() => localIndex({ folder: join(folderWith({}), 'gone') })).toThrow(/agent_invalid: localIndex found no folder at .*gone/)
  })

  it('fails as retrieval_failed when a file is too large to read', async () => {
    const index = localIndex({ folder: folderWith({ 'huge.txt': 'x'.repeat(4 * 1024 * 1024 + 1) }) })
    const error = await search(index, 'x').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FailureError)
    expect(error).toMatchObject({ failure: { code: 'retrieval_failed', message: expect.stringMatching(/huge\.txt has 4194305 bytes/) } })
  })
})

describe('a local index of documents', () => {
  const documents: readonly Document[] = [
    { id: 'a', text: 'Cats sleep all day without configuration.', metadata: { page: 1 } },
    { id: 'b', text: 'Dogs bark.', title: 'Cats and dogs' },
    { id: 'c', text: 'Étude über Käse' },
    { id: 'd', text: '東京の天気は晴れです' },
    { id: 'e', text: 'Same words here' },
    { id: 'f', text: 'Same words here' },
  ]
  const index = localIndex({ documents })

  it('returns the documents as they were given, with a score', async () => {
    expect(await search(index, 'sleep')).toEqual([{ ...documents[0], score: expect.any(Number) }])
  })

  it.each([
    ['a word in the title above one in the text', 'cat', ['b', 'a']],
    ['plural and singular as one', 'dog', ['b']],
    ['words without their accents', 'kase etude', ['c']],
    ['the beginning of a word', 'config', ['a']],
    ['a small typo in a long word', 'sleping cats', ['b', 'a']],
    ['text without spaces', '天気', ['d']],
    ['equal scores in the order given', 'same words', ['e', 'f']],
    ['nothing for words that are nowhere', 'zebra', []],
    ['nothing for stop words alone', 'what is the', []],
    ['nothing for an empty query', '', []],
  ] as const)('finds %s', async (_what, query, ids) => {
    expect(await idsOf(index, query)).toEqual(ids)
  })

  it('returns at most k documents', async () => {
    expect(await idsOf(index, 'same words', 1)).toEqual(['e'])
    expect(await idsOf(index, 'same words', 0)).toEqual([])
  })

  it('takes a very long query', async () => {
    expect(await idsOf(index, `sleep ${Array.from({ length: 5_000 }, (_, n) => `word${n}x`).join(' ')}`, 1)).toEqual(['a'])
  })

  it('changes its version with the documents', () => {
    expect(localIndex({ documents: [...documents] }).version).toBe(index.version)
    expect(localIndex({ documents: documents.slice(1) }).version).not.toBe(index.version)
  })

  it('refuses two documents with one id', () => {
    expect(() =>
      localIndex({
        documents: [
          { id: 'a', text: 'x' },
          { id: 'a', text: 'y' },
        ],
      }),
    ).toThrow(/agent_invalid: .*two documents with the id "a"/)
  })
})
