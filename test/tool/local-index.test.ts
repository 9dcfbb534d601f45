import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lexicalReranker, localIndex, type Document } from '../../src/tool/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateloop-index-'))
mkdirSync(join(folder, 'how-to'))
writeFileSync(join(folder, 'how-to', 'limits.md'), '# Limits\n\nA run has limits.\n\n## Cost in dollars\n\nSet costUsd to cap what a run spends.\n\n```md\n## not a heading\n```\n')
writeFileSync(join(folder, 'resume.md'), '# Resume\n\nA crashed run goes on where it stopped.\n')
writeFileSync(join(folder, 'ignored.json'), '{"cost": 1}')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const search = async (query: string, k = 5): Promise<readonly Document[]> => localIndex({ folder }).search({ query, k }, undefined as never)

describe('a local index', () => {
  it('finds the section that answers, with its source and heading', async () => {
    const [best] = await search('how do I cap the cost')
    expect(best).toMatchObject({ source: 'how-to/limits.md#cost-in-dollars', title: 'Limits: Cost in dollars', text: expect.stringContaining('costUsd') })
  })

  it('does not cut at headings inside code', async () => {
    expect((await search('heading'))[0]?.text).toContain('## not a heading')
  })

  it('gives nothing for words that do not occur, and never more than k', async () => {
    expect(await search('zebra')).toEqual([])
    expect(await search('run', 1)).toHaveLength(1)
  })

  it('has a version that changes with the text only', () => {
    const before = localIndex({ folder }).version
    expect(localIndex({ folder }).version).toBe(before)
    writeFileSync(join(folder, 'resume.md'), '# Resume\n\nChanged.\n')
    expect(localIndex({ folder }).version).not.toBe(before)
  })
})

describe('the lexical reranker', () => {
  const documents = [
    { id: 'a', text: 'tools and more tools' },
    { id: 'b', text: 'resuming a run after a crash' },
    { id: 'c', text: 'a run' },
  ]
  const rank = async (query: string, k: number) => (await lexicalReranker().rank({ query, documents, k }, undefined as never)).map((document) => document.id)

  it('puts documents with rare shared words first', async () => {
    expect(await rank('resume a crashed run', 2)).toEqual(['b', 'c'])
  })

  it('keeps the order of documents that share nothing', async () => {
    expect(await rank('zebra', 3)).toEqual(['a', 'b', 'c'])
  })
})
