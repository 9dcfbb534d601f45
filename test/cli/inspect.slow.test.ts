// `stateloop inspect` as a user has it: a process that serves until it is stopped, while other processes run agents.
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import type { AddressInfo } from 'node:net'
import { sqliteJournal } from '../../src/journal/index.ts'
import { exportRun, writeRecording } from '../../src/replay/index.ts'
import { endOf, testProject, type TestProject } from './project.ts'

let project: TestProject
let run = ''

const started = async (question: string): Promise<string> => {
  const { value } = await project.json('run', 'desk', '--question', question)
  return (value as { readonly run: string }).run
}

beforeAll(async () => {
  project = await testProject()
  run = await started('Open on Sunday?')
})
afterAll(() => project[Symbol.asyncDispose]())

interface Served {
  readonly get: (path: string) => Promise<unknown>
  readonly post: (path: string, body: object) => Promise<Response>
  readonly stop: () => Promise<{ readonly code: number | null; readonly err: string }>
}

const inspect = async (...args: readonly string[]): Promise<Served> => {
  const child = project.begin(['inspect', ...args, '--json', '--no-open'])
  const ended = endOf(child)
  const [printed] = (await Promise.race([once(child.stdout!, 'data'), ended.then(({ err }) => Promise.reject(new Error(err)))])) as [string]
  const url = new URL((JSON.parse(printed) as { readonly url: string }).url)
  const headers = { authorization: `Bearer ${url.hash.slice(1)}` }
  return {
    get: async (path) => (await fetch(new URL(path, url), { headers })).json(),
    post: (path, body) => fetch(new URL(path, url), { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    stop: async () => {
      child.kill('SIGINT')
      return ended
    },
  }
}

describe('the command', () => {
  it('shows runs that other processes start later, and stops cleanly', async () => {
    const served = await inspect()
    expect(await served.get('/api/overview')).toMatchObject({ runs: [{ id: run, agent: 'desk', status: 'done' }], control: false, live: false })
    const second = await started('a refund please')
    expect(await served.get('/api/overview')).toMatchObject({ runs: [{ id: second, status: 'waiting' }, { id: run }] })
    expect(await served.get(`/api/compare?left=${run}&right=${second}`)).toMatchObject({ first: 0 })
    expect(await served.get('/api/aggregate?agent=desk')).toMatchObject({ runs: 2 })
    expect((await served.post(`/api/runs/${second}/cancel`, {})).status).toBe(403)
    expect(await served.stop()).toMatchObject({ code: 0, err: '' })
  })

  it('approves for the person at the page when it was started with --allow-control', async () => {
    const waiting = await started('a refund please')
    const served = await inspect(waiting, '--allow-control')
    const { runs, open } = (await served.get('/api/overview')) as {
      readonly open: readonly string[]
      readonly runs: readonly { readonly id: string; readonly waiting?: readonly { readonly calls: readonly { readonly hash: string }[] }[] }[]
    }
    expect(open).toEqual([waiting])
    const hash = runs.find(({ id }) => id === waiting)?.waiting?.[0]?.calls[0]?.hash
    expect((await served.post(`/api/runs/${waiting}/send`, { event: { type: 'APPROVE', hashes: [hash] } })).status).toBe(200)
    await expect
      .poll(async () => ((await served.get('/api/overview')) as typeof Object & { readonly runs: readonly { readonly id: string; readonly status: string }[] }).runs.find(({ id }) => id === waiting)?.status, {
        timeout: 15_000,
      })
      .toBe('done')
    expect((await served.post(`/api/runs/${waiting}/send`, { event: { type: 'APPROVE', hashes: [hash] } })).status).toBe(409)
    expect((await served.stop()).code).toBe(0)
  })

  it('opens an agent, a recording, and a folder of recordings', async () => {
    const journal = sqliteJournal({ path: join(project.folder, '.stateloop', 'stateloop.db') })
    await writeRecording(join(project.folder, 'recordings', 'sunday.jsonl'), await exportRun(journal, run))
    await journal.close()
    const agent = await inspect('desk')
    expect(await agent.get('/api/overview')).toMatchObject({ open: ['agent:desk'], agents: ['desk'] })
    await agent.stop()
    for (const [name, open] of [
      ['recordings/sunday.jsonl', [run]],
      ['recordings', []],
    ] as const) {
      const served = await inspect(name)
      expect(await served.get('/api/overview')).toMatchObject({ runs: [{ id: run, status: 'done' }], open })
      expect(await served.get('/api/aggregate?agent=desk')).toMatchObject({ runs: 1, skipped: 0 })
      await served.stop()
    }
  })

  it('sends a run to an inspector that speaks the official protocol', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    const frames: { readonly type: string }[] = []
    server.on('connection', (socket) => socket.on('message', (data) => frames.push(JSON.parse(String(data)) as { readonly type: string })))
    const { code, value } = await project.json('inspect', run, '--to', `ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.close()
    expect({ code, value }).toEqual({ code: 0, value: { run, frames: frames.length, to: expect.stringContaining('ws://') as string } })
    expect(frames[0]).toMatchObject({ type: '@xstate.actor', name: 'desk' })
    expect((await project.stateloop(['inspect', run, '--to', 'ws://127.0.0.1:1'])).err).toContain('Nothing answers at')
  })
})
