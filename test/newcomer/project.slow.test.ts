// The how-tos for somebody who has an agent, followed one after the other in a project as `stateloop new` writes it. Rules
// stand in for the model, because there is no key.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProject } from '../../src/cli/new/create-project.ts'
import { readPage, type Page } from '../docs/pages.ts'
import { newcomerFolder, type NewcomerFolder } from './folder.ts'
import { follow, type Followed, type Reading } from './follow.ts'
import { packed } from './packed.ts'

let project: NewcomerFolder
const read = (name: string, reading: Reading = {}): Promise<Followed> => follow(project, page(name), reading)
const page = (name: string): Page => readPage(`docs/how-to/${name}.md`)
const idIn = (text = ''): string => /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0] ?? ''

let first = ''

beforeAll(async () => {
  project = await newcomerFolder({ STATELOOP_TOKEN: 'a-token-of-a-newcomer' })
  await createProject({ folder: project.path, template: 'assistant', stateloop: `file:${(await packed()).tarball}` })
  await project.type('npm install')
  first = idIn(await project.type('npm start'))
})
afterAll(() => project[Symbol.asyncDispose]())

describe('in a new project', () => {
  test('what it cost is tracked, and limits are set and taken away', async () => {
    const { printed } = await read('track-cost')
    expect(printed.get('npx stateloop costs --by user,route --since 7d')).toContain('2 calls')
    const limits = await read('set-a-budget')
    expect(limits.printed.get('npx stateloop limit')).toMatch(/user:42 +5 usd\/day .+user:42 +60 calls\/minute /s)
    expect(limits.printed.get('npx stateloop limit user:42 --remove')).toContain('no limits are set for user:42')
  })

  test('a run becomes a recording, which follows a wanted change', async () => {
    const { printed } = await read('recordings', { change: (text) => text.replace('<run>', first), skip: /transcript\.json|agents\/airline|--accept/ })
    expect(printed.get('npx stateloop replay agents/assistant/recordings --update')).toContain('2 of 2 recordings are as recorded')
  })

  test('a run is forked, with another result on the way, and compared', async () => {
    const { printed } = await read('fork', { change: (text, said) => text.replace('<run> <fork>', `${first} ${idIn(said.split('lost').at(-1))}`).replace('<run>', first) })
    expect(printed.get('npx stateloop fork <run> --at 2 --live')).toContain('"status":"shipped"')
    expect(printed.get('npx stateloop fork <run> --at 2 --set output.status=lost --live')).toContain('"status":"lost"')
  })

  test('a prompt is released, tried on some users, released for all, and rolled back', async () => {
    const { printed } = await read('version-a-prompt')
    const [, old = ''] = /everybody has ([0-9a-f]+)/.exec(printed.get('npx stateloop prompts release') ?? '') ?? []
    expect(printed.get('npx stateloop prompts check')).toContain('1 prompt in the code, known to the lock')
    expect(printed.get('npx stateloop prompts log assistant.answer')).toContain(old)

    const prompts = await readFile(join(project.path, 'agents/assistant/prompts.ts'), 'utf8')
    await project.save('agents/assistant/prompts.ts', prompts.replace('You help the customers', 'You kindly help the customers'))
    await expect(project.type('npx stateloop prompts check')).rejects.toThrow('{+kindly')
    const trial = await read('ab-test-a-prompt')
    expect(trial.printed.get('npx stateloop prompts rollout assistant.answer --percent 50 --variant brief')).toContain('brief has 50 %, by user')
    await project.type('npx stateloop prompts release assistant.answer')
    const back = await read('roll-back-a-prompt', { change: (text) => text.replace('<hash>', old) })
    expect(back.printed.get('npx stateloop prompts rollback assistant.answer')).toContain(`everybody has ${old} instead of`)
    expect(await project.type('npx stateloop prompts check')).toContain("another version than the code's is active of assistant.answer")
    await project.save('agents/assistant/prompts.ts', prompts)
  })

  test('a call that cannot be undone waits, and goes on by the command that was printed', async () => {
    const asked = await project.type("npx stateloop run assistant --question 'Please cancel order 8.'")
    const [approve = ''] = /npx stateloop approve .+/.exec(asked) ?? []
    expect(await project.type(approve)).toContain('cancelled')
  })

  test('a worker takes up what was queued', async () => {
    const { printed, lasting } = await read('worker')
    const queued = idIn(printed.values().next().value)
    await expect.poll(() => project.type(`npx stateloop show ${queued}`), { timeout: 60_000, interval: 500 }).toMatch(/done after/)
    expect(await lasting.get('npx stateloop worker')?.end()).toContain('took up 1: 1 ended')
  })

  test('where the time went is seen, waiting runs are checked before a deploy, and the machine is drawn', async () => {
    const waiting = idIn(await project.type("npx stateloop run assistant --question 'Please cancel order 9.'"))
    expect(await project.type(`npx stateloop trace ${first}`)).toMatch(/execute_tool findOrder .+slowest: /s)
    const { printed } = await read('find-what-is-slow')
    expect(printed.get("npx stateloop runs --where 'duration > 30s or cost > 0.10'")).toBe('no runs match\n')
    expect((await read('deploy')).printed.get('npx stateloop check-compat assistant --runs waiting')).toContain(waiting)
    const drawn = await read('export-a-machine')
    expect(drawn.printed.get('npx stateloop export assistant --mermaid')).toContain('s1 --> s2 : cancelOrder')
    expect(await readFile(join(project.path, 'statechart.svg'), 'utf8')).toMatch(/^<svg/)
  })

  test('runs are looked at in the browser', async () => {
    const other = idIn(await project.type('npm start'))
    const meant = (text: string): string => text.replace('<run> <run>', `${first} ${other}`).replace('<run>', first).replace('<agent>', 'assistant').replace('<file.jsonl>', 'agents/assistant/recordings/example.jsonl')
    const { lasting } = await read('inspect', { change: (text) => `${meant(text)} --no-open` })
    expect(lasting.size).toBe(6)
    for (const { said } of lasting.values()) {
      const url = new URL(/http:\S+/.exec(said)?.[0] ?? '')
      expect(await (await fetch(url)).text()).toContain('src="/main.js"')
      const overview = await fetch(new URL('/api/overview', url), { headers: { authorization: `Bearer ${url.hash.slice(1)}` } })
      expect(JSON.stringify(await overview.json())).toContain('assistant')
    }
  })

  test('it is served over HTTP, with a chat page, and called by the client', async () => {
    const served = /http:\/\/127\.0\.0\.1:\d+/
    let url = ''
    const at = (text: string, said: string): string => {
      url = served.exec(said)?.[0] ?? url
      return text.replace('stateloop serve', 'stateloop serve --port 0').replace('http://127.0.0.1:8080', url)
    }
    const { printed } = await read('serve', { change: at })
    const [answer = ''] = [...printed].flatMap(([line, said]) => (line.startsWith('curl') ? [said] : []))
    expect(JSON.parse(answer)).toMatchObject({ status: 'done', output: 'Here is what I found: {"order":7,"status":"shipped","total":40}' })
    expect(await (await fetch(url)).text()).toContain('<html')
    expect((await fetch(`${url}/v1/runs`)).status).toBe(401)

    const called = (await read('call-from-a-browser', { change: at })).printed
    expect(called.get('node src/ask.ts')).toMatch(/^answering\n(.*\n)*acting\n(.*\n)*done Here is what I found/)
    expect(called.get('node src/approve.ts')).toBe('cancelOrder {"order":8}\nHere is what I found: {"order":8,"status":"cancelled"}\n')
  })
})
