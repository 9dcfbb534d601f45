import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testProject, type TestProject } from './project.ts'

let project: TestProject
let run: string

beforeAll(async () => {
  project = await testProject()
  const { value } = await project.json('run', 'desk', '--input', '{"question":"Write to ada@lovelace.example"}')
  run = (value as { readonly run: string }).run
})
afterAll(() => project[Symbol.asyncDispose]())

const read = (path: string): Promise<string> => readFile(join(project.folder, path), 'utf8')

describe('stateloop record', () => {
  it('writes a file that replays, without what is personal, and prints the command', async () => {
    const { code, out } = await project.stateloop(['record', run, '-o', 'recordings/one.jsonl'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^recorded \d+ steps? to recordings\/one\.jsonl, with \d+ personal values? replaced\n {4}stateloop replay recordings\/one\.jsonl\n$/)])
    expect(await read('recordings/one.jsonl')).not.toContain('lovelace')
    expect(await project.stateloop(['replay', 'recordings/one.jsonl'])).toEqual({ code: 0, out: expect.stringMatching(/^✓ one {2}same, \d+ steps\n$/), err: '' })
  })

  it('prints to standard output, and keeps values when asked to', async () => {
    const { out } = await project.stateloop(['record', run, '--raw', '-o', '-'])
    expect(out.split('\n')[0]).toContain('"recording":1')
    expect(out).toContain('ada@lovelace.example')
  })

  it('refuses a run that is not there, and a secret', async () => {
    expect((await project.stateloop(['record', 'nothing', '-o', '-'])).code).toBe(2)
    const { value } = await project.json('run', 'desk', '--input', `{"question":"ghp_${'a'.repeat(36)}"}`)
    const { code, err } = await project.stateloop(['record', (value as { readonly run: string }).run, '-o', 'recordings/secret.jsonl'])
    expect([code, err]).toEqual([2, expect.stringContaining('would hold a GitHub token (ghp_…)')])
    await expect(read('recordings/secret.jsonl')).rejects.toThrow(/ENOENT/)
  })
})

describe('stateloop replay', () => {
  it('exits with 1 at a difference, and rewrites only what was accepted', async () => {
    const desk = pathToFileURL(join(import.meta.dirname, '../replay/desk.ts')).href
    await project.write('agents/terse/agent.mjs', `import { desk } from ${JSON.stringify(desk)}\nexport default desk()`)
    await project.write('agents/chatty/agent.mjs', `import { desk } from ${JSON.stringify(desk)}\nexport default desk({ tone: 'long' })`)
    const old = await readFile(join(import.meta.dirname, '../fixtures/recordings/v1.jsonl'), 'utf8')
    await project.write('orders/one.jsonl', old)
    expect((await project.stateloop(['replay', 'orders', '--agent', 'terse'])).code).toBe(0)
    const stale = await project.stateloop(['replay', 'orders', '--agent', 'chatty'])
    expect([stale.code, stale.out]).toEqual([1, expect.stringMatching(/^! one {2}stale after 6 steps\n[^]*\[-short-\]\{\+long\+\}/)])
    const { code, out } = await project.stateloop(['replay', 'orders', '--agent', 'chatty', '--update'])
    const [, id = ''] = /accept with: {2}stateloop replay orders\/one\.jsonl --agent chatty --update --accept ([0-9a-f]{8})\n/.exec(out) ?? []
    expect([code, id]).toEqual([1, expect.stringMatching(/.{8}/)])
    await project.stateloop(['replay', 'orders', '--agent', 'chatty', '--update', '--accept', '00000000'])
    expect(await read('orders/one.jsonl')).toBe(old)
    const accepted = await project.stateloop(['replay', 'orders', '--agent', 'chatty', '--update', '--accept', id])
    expect([accepted.code, accepted.out]).toEqual([0, expect.stringMatching(/### Recordings brought up to date\n\n- `orders\/one\.jsonl`: stale, 1 difference \(prompt desk\.answer [0-9a-f]{12} → [0-9a-f]{12}\)\n/)])
    expect((await project.stateloop(['replay', 'orders', '--agent', 'chatty'])).code).toBe(0)
  })

  it('says what it does not understand', async () => {
    for (const args of [
      ['--level', 'x'],
      ['--match', 'x'],
      ['--from', 'x'],
    ])
      expect((await project.stateloop(['replay', 'recordings/one.jsonl', ...args])).code).toBe(2)
    expect((await project.stateloop(['replay', 'nowhere.jsonl'])).err).toContain('Name a file that `stateloop record` wrote')
  })
})

describe('stateloop fork, diff and check-compat', () => {
  it('fork a run, go on with it live, and show how it differs', async () => {
    const { code, value } = await project.json('fork', run, '--at', '0', '--set', 'input.question=Closed on Sunday?', '--live')
    expect([code, value]).toEqual([0, expect.objectContaining({ outcome: 'done' })])
    const other = (value as { readonly run: string }).run
    const { out } = await project.stateloop(['diff', run, other])
    expect(out).toContain('~ input.question: "Write to ada@lovelace.example" → "Closed on Sunday?"')
    expect((await project.stateloop(['diff', run, run])).out).not.toMatch(/^[~+-]/m)
  })

  it('say which unfinished runs could go on', async () => {
    expect((await project.stateloop(['check-compat', 'desk'])).out).toBe('no unfinished runs of desk\n')
    await project.json('run', 'order', '--input', '{"item":"book"}').catch(() => undefined)
    expect((await project.stateloop(['check-compat', 'order'])).code).toBe(0)
  })
})

describe('stateloop import', () => {
  it('makes a recording from a transcript, and stops where the agent does not model it', async () => {
    await project.write(
      'talk.json',
      JSON.stringify([
        { role: 'user', content: 'Rain in Bern?' },
        { role: 'assistant', content: 'Yes.' },
      ]),
    )
    const { code, err } = await project.stateloop(['import', 'talk.json', '--agent', 'forecast', '-o', 'recordings/talk.jsonl'])
    expect([code, err]).toEqual([0, ''])
    expect((await project.stateloop(['replay', 'recordings/talk.jsonl', '--agent', 'forecast'])).code).toBe(0)
    await project.write(
      'odd.json',
      JSON.stringify([
        { role: 'user', content: 'x' },
        { role: 'alien', content: '' },
      ]),
    )
    expect((await project.stateloop(['import', 'odd.json', '--agent', 'forecast'])).err).toContain('message 1 has role "alien"')
  })
})
