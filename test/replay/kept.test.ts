// The recordings that are kept in the repository, replayed as a user would: those of the agents, and one of each released
// version of the format.
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RECORDING_VERSION, readRecording, replay, replayAll } from '../../src/replay/index.ts'
import { assertReplays, replayMatchers, type ReplayAssertion } from '../../src/testing/index.ts'
import { desk } from './desk.ts'

declare module 'vitest' {
  // The parameters are those of the declaration that is added to.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    toReplay: (options?: ReplayAssertion) => T extends string ? Promise<void> : R
  }
}

expect.extend(replayMatchers)

describe.each(['support', 'airline'])('the recordings of agents/%s', (name) => {
  const folder = `agents/${name}/recordings`

  it('replay as recorded, and nothing in them reads the clock', async () => {
    const reports = await replayAll(folder, { twice: true })
    expect(reports.length).toBeGreaterThan(1)
    expect(reports.map(({ name: run, status }) => [run, status])).toEqual(reports.map(({ name: run }) => [run, 'same']))
  })

  it('are an assertion in any test runner', async () => {
    await expect(folder).toReplay()
    await expect(assertReplays(folder)).resolves.toBeUndefined()
  })
})

describe('an assertion that fails', () => {
  it('throws the report', async () => {
    await expect(assertReplays('test/fixtures/recordings/v1.jsonl', { agent: desk({ orderTo: 'refused' }) })).rejects.toThrow(
      '✗ v1  diverged after 2 steps\n  transition  step 1  triaging\n  expected  triaging done → searching\n',
    )
    const { pass, message } = await replayMatchers.toReplay('test/fixtures/recordings/v1.jsonl', { agent: desk({ tone: 'long' }) })
    expect([pass, message().split('\n')[0]]).toEqual([false, '! v1  stale after 6 steps'])
  })
})

describe('every released version of the format', () => {
  it('has a recording that is read and replays', async () => {
    const names = readdirSync('test/fixtures/recordings').filter((name) => name.endsWith('.jsonl'))
    expect(names).toEqual(Array.from({ length: RECORDING_VERSION }, (_, index) => `v${index + 1}.jsonl`))
    for (const name of names) expect((await replay(desk(), await readRecording(`test/fixtures/recordings/${name}`))).status).toBe('same')
  })
})
