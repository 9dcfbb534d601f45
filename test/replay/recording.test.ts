import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Json } from '../../src/failure/index.ts'
import { formatRecording, parseRecording, readRecording, replay, replayAll, writeRecording } from '../../src/replay/index.ts'
import { packLarge, unpackLarge } from '../../src/replay/blob.ts'
import { recordRun } from '../../src/replay/record.ts'
import { desk, ran, recorded } from './desk.ts'

const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'stateloop-recordings-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

describe('a recording', () => {
  it('reads back as the journal had it, entry by entry', async () => {
    const agent = desk()
    const { journal, run } = await ran(agent)
    const recording = parseRecording(formatRecording(await recordRun(journal, run, agent)))
    expect(recording.row).toEqual(await journal.get(run))
    expect(recording.entries.map(({ seq, at, hash, body }) => ({ seq, at, hash, text: JSON.stringify(body) }))).toEqual(await journal.read(run))
  })

  it('is refused where it was edited, cut or damaged, with the line', async () => {
    const text = formatRecording(await recorded())
    const lines = text.trimEnd().split('\n')
    expect(() => parseRecording(text.replace('It was sent.', 'It was lost.'))).toThrow(/line \d+ ends at entry 5, whose hash is not the one/)
    expect(() => parseRecording(lines.slice(0, -1).join('\n'))).toThrow(/ends at entry 4/)
    expect(() => parseRecording(text.replace('"entry":3', '"entry":7'))).toThrow(/line 11 is not entry 3/)
    expect(() => parseRecording(`${lines[0]}\n{"type":`)).toThrow(/line 2 is not JSON/)
    expect(() => parseRecording('{}')).toThrow(/line 1 does not begin a recording/)
  })

  it('of a newer version is refused with what to do', async () => {
    expect(() => parseRecording('{"recording":2,"row":{}}', 'x.jsonl')).toThrow('usage: Recording x.jsonl has version 2 of the format, and this version of Stateloop reads up to 1. Update Stateloop.')
  })

  it('keeps large values once, and shares them with others of its folder when asked to', async () => {
    const big = 'long '.repeat(4_000)
    const agent = desk({ lookup: () => [big, big] })
    const { journal, run } = await ran(agent)
    const recording = await recordRun(journal, run, agent)
    expect(formatRecording(recording).length).toBeLessThan(big.length * 1.5)
    const path = await folder()
    await writeRecording(join(path, 'one.jsonl'), recording)
    await writeRecording(join(path, 'two.jsonl'), recording, { apart: true })
    for (const name of ['one', 'two']) expect(await readRecording(join(path, `${name}.jsonl`))).toEqual(recording)
    expect((await readdir(join(path, 'shared'))).length).toBeGreaterThan(4)
    expect((await replayAll(path, { agent })).map(({ name, status }) => ({ name, status }))).toEqual([
      { name: 'one', status: 'same' },
      { name: 'two', status: 'same' },
    ])
  })

  it('that lacks what it shares says so', async () => {
    const text = formatRecording(await recorded(), () => {})
    expect(() => parseRecording(text)).toThrow(/refers to content [0-9a-f]{64}, which is not there/)
  })

  it('holds no value twice and loses none, whatever its keys are called', () => {
    const key = fc.constantFrom('a', '$blob', '$$blob', '$$$blob', '__proto__')
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({ tree: fc.oneof({ maxDepth: 4 }, fc.string(), fc.integer(), fc.array(tie('tree'), { maxLength: 4 }), fc.dictionary(key, tie('tree'), { maxKeys: 4 })) }))
    fc.assert(
      fc.property(tree, (value) => {
        const kept = new Map<string, Json>()
        const packed = packLarge(value, 20, (hash, large) => void kept.set(hash, large))
        expect(JSON.stringify(unpackLarge(JSON.parse(JSON.stringify(packed)) as Json, (hash) => kept.get(hash) ?? null))).toBe(JSON.stringify(value))
      }),
      { seed: 6, numRuns: 500 },
    )
  })
})

describe('a folder of recordings', () => {
  it('without any fails, so that a test cannot pass by finding nothing', async () => {
    await expect(replayAll(await folder())).rejects.toThrow(/holds no recordings/)
  })

  it('without an agent beside it says how to pass one', async () => {
    const path = await folder()
    await writeRecording(join(path, 'one.jsonl'), await recorded())
    await expect(replayAll(path)).rejects.toThrow(/Pass the agent: replayAll\(folder, \{ agent \}\)/)
  })
})

it('cannot be made with an agent that the run did not have', async () => {
  const { journal, run } = await ran(desk())
  await expect(recordRun(journal, run, desk({ orderTo: 'refused' }))).rejects.toThrow(/does not go as it went: at step 1 {2}triaging expected triaging done → searching, but triaging done → refused/)
  expect((await replay(desk(), await recordRun(journal, run, desk()))).status).toBe('same')
})
