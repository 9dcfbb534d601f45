import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { memoryJournal } from '../../src/journal/index.ts'
import { RunFeed } from '../../src/inspector/feed/run-feed.ts'
import { streamFeed } from '../../src/inspector/server/stream.ts'
import type { Step } from '../../src/inspector/page/wire.ts'
import { copyPrefix, listModel, testRuntime } from '../run/harness.ts'
import { ask, messagesIn, opened, playedRun, withToken } from './world.ts'

const stepsIn = (text: string): readonly Step[] => messagesIn(text).flatMap((message) => (message.type === 'steps' ? message.steps : []))

describe('the page', () => {
  it('is served with headers that let nothing but its own script and style run', async () => {
    const inspector = await opened({ journal: memoryJournal() })
    for (const path of ['/', '/main.js', '/main.ts', '/style.css', '/icon.svg']) {
      const { status, headers } = await ask(inspector.port, path)
      expect([path, status]).toEqual([path, 200])
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; .*require-trusted-types-for 'script'; trusted-types 'none'$/)
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|data:|https?:/)
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' })
    }
  })

  it('holds no inline script or style, and its address no token that a server would see', async () => {
    const inspector = await opened({ journal: memoryJournal() })
    const { text } = await ask(inspector.port, '/')
    expect(text.match(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/g)).toBeNull()
    expect(text).not.toContain(inspector.token)
    expect(new URL(inspector.url).search).toBe('')
    expect(inspector.token).toMatch(/^[\w-]{43}$/)
  })
})

describe('a run', () => {
  it('is listed and streamed: what it is, its chart, its steps, its end', async () => {
    const { journal, agent, run } = await playedRun(2)
    const inspector = await opened({ journal, agents: [agent] })
    expect(JSON.parse((await ask(inspector.port, '/api/overview', withToken(inspector))).text)).toMatchObject({
      runs: [{ id: run, agent: 'loop', status: 'done', steps: 6, user: 'ada', modelCalls: 3, toolCalls: 2 }],
      agents: ['loop'],
      control: false,
    })
    const { text, headers } = await ask(inspector.port, `/api/runs/${run}/stream`, withToken(inspector))
    expect(headers['content-type']).toMatch(/^text\/event-stream/)
    expect(messagesIn(text).map(({ type }) => type)).toEqual(['head', 'drawing', 'steps', 'end'])
    expect(stepsIn(text).map(({ changes }) => changes[0]?.active)).toEqual([
      ['', 'thinking'],
      ['', 'acting'],
      ['', 'thinking'],
      ['', 'acting'],
      ['', 'thinking'],
      ['', 'done'],
    ])
  })

  it('goes on after the last step that a client has', async () => {
    const { journal, agent, run } = await playedRun(2)
    const inspector = await opened({ journal, agents: [agent] })
    const { text } = await ask(inspector.port, `/api/runs/${run}/stream`, { ...withToken(inspector), 'last-event-id': '3' })
    expect(stepsIn(text).map(({ seq }) => seq)).toEqual([4, 5])
    expect(text).toMatch(/^id: 5$/m)
    for (const odd of ['-7', 'NaN', '1e99', '']) expect(stepsIn((await ask(inspector.port, `/api/runs/${run}/stream`, { ...withToken(inspector), 'last-event-id': odd })).text).length).toBeGreaterThanOrEqual(5)
  })

  it('is followed while another process writes it', async () => {
    const { journal: whole, agent, run } = await playedRun(2)
    const journal = memoryJournal()
    await copyPrefix(whole, journal, run, 2)
    const inspector = await opened({ journal, agents: [agent] })
    const streamed = ask(inspector.port, `/api/runs/${run}/stream`, withToken(inspector))
    const lease = await journal.acquire(run, 'another', 1_000)
    const row = await whole.get(run)
    for (const entry of await whole.read(run, 2)) await journal.append(lease, entry, entry.seq === row?.seq ? row : { ...row!, status: 'running' })
    expect(stepsIn((await streamed).text).map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('that does not exist is a 404 that says so', async () => {
    const inspector = await opened({ journal: memoryJournal() })
    expect(await ask(inspector.port, '/api/runs/nope/stream', withToken(inspector))).toMatchObject({ status: 404, text: expect.stringContaining('run_not_found') })
  })
})

it('lets a client go that does not read, after one batch, and it catches up later', async () => {
  const { journal, agent, run } = await playedRun(400)
  const row = await journal.get(run)
  const feed = new RunFeed(journal, row!, agent)
  const written: string[] = []
  // A reader that takes what it is given and never asks for more.
  const stuck = new Writable({ highWaterMark: 1, decodeStrings: false, write: (text: string) => void written.push(text) })
  await streamFeed(stuck, feed, -1, { pollMs: 1, patienceMs: 20 })
  expect(stuck.destroyed).toBe(true)
  expect(written).toHaveLength(1)
  const inspector = await opened({ journal, agents: [agent] })
  const rest = await ask(inspector.port, `/api/runs/${run}/stream`, { ...withToken(inspector), 'last-event-id': '250' })
  expect([stepsIn(rest.text)[0]?.seq, stepsIn(rest.text).at(-1)?.seq]).toEqual([251, 801])
})

it('writes nothing to a client that left while its run was being read', async () => {
  const { journal, agent, run } = await playedRun(400)
  const row = await journal.get(run)
  const written: string[] = []
  const gone = new Writable({ decodeStrings: false, write: (text: string) => void written.push(text) })
  gone.destroy()
  await streamFeed(gone, new RunFeed(journal, row!, agent), -1, { pollMs: 1 })
  expect(written).toEqual([])
})

describe('control', () => {
  const post = (inspector: { readonly port: number; readonly token: string }, path: string, body: unknown) =>
    ask(inspector.port, path, { ...withToken(inspector), 'content-type': 'application/json' }, { method: 'POST', body: JSON.stringify(body) })

  it('is refused unless the inspector was started for it', async () => {
    const { journal, agent, run } = await playedRun()
    const inspector = await opened({ journal, agents: [agent] })
    expect(await post(inspector, `/api/runs/${run}/send`, { event: { type: 'GO' } })).toMatchObject({ status: 403, text: expect.stringContaining('--allow-control') })
    expect(await post(inspector, `/api/runs/${run}/cancel`, {})).toMatchObject({ status: 403 })
  })

  it('sends what the page sends, and says why it may not', async () => {
    const { journal, agent, run } = await playedRun()
    const { runtime } = testRuntime({ providers: [listModel([])], journal })
    const inspector = await opened({ journal, agents: [agent], control: runtime })
    expect(await post(inspector, `/api/runs/${run}/send`, { event: { type: 'GO' } })).toMatchObject({ status: 409, text: expect.stringContaining('run_ended') })
    for (const bad of [{}, { event: 'GO' }, { event: { type: 3 } }, []]) expect((await post(inspector, `/api/runs/${run}/send`, bad)).status).toBe(400)
    expect((await ask(inspector.port, `/api/runs/${run}/send`, withToken(inspector), { method: 'POST', body: '{}' })).status).toBe(400)
  })
})
