// `stateloop serve` as a process: what it prints, what it answers, and how it ends.
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endOf, testProject, type TestProject } from './project.ts'

let project: TestProject
beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

interface Announced {
  readonly url: string
  readonly agents: readonly string[]
  readonly token: string
}

const serve = async (...args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly said: Announced }> => {
  const child = project.begin(['serve', ...args, '--port', '0', '--json'])
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString()))
    child.once('close', (code) => reject(new Error(`ended with ${code}`)))
  })
  return { child, said: JSON.parse(line) as Announced }
}

test('agents are served until a signal comes, and a run that waits is there for the next process', async () => {
  const { child, said } = await serve('desk', 'order')
  expect(said.agents).toHaveLength(2)
  const headers = { authorization: `Bearer ${said.token}`, 'content-type': 'application/json' }
  const started = await fetch(`${said.url}/v1/agents/desk/runs?waitMs=20000`, { method: 'POST', headers, body: JSON.stringify({ input: { question: 'a refund please' } }) })
  const run = (await started.json()) as { readonly run: string; readonly status: string; readonly waiting: readonly { readonly calls: readonly { readonly hash: string }[] }[] }
  expect(run.status).toBe('waiting')
  expect((await fetch(`${said.url}/v1/runs`)).status).toBe(401)
  child.kill('SIGTERM')
  const { code, err } = await endOf(child)
  expect(code).toBe(0)
  expect(err).toContain('SIGTERM: finishing what is under way')

  const next = await serve()
  const again = { authorization: `Bearer ${next.said.token}`, 'content-type': 'application/json' }
  const approved = await fetch(`${next.said.url}/v1/runs/${run.run}/approve?waitMs=20000`, { method: 'POST', headers: again, body: JSON.stringify({ hashes: [run.waiting[0]?.calls[0]?.hash] }) })
  expect(await approved.json()).toMatchObject({ status: 'done', output: { answer: 'The refund was paid.' } })
  next.child.kill('SIGINT')
  expect((await endOf(next.child)).code).toBe(0)
})

test('a server that cannot start says why and ends with 2', async () => {
  for (const args of [
    ['serve', 'dek'],
    ['serve', 'desk', '--port', '99999'],
    ['serve', 'desk', '--port', '0', '--host', '203.0.113.1'],
  ]) {
    const { code, err } = await endOf(project.begin(args))
    expect([code, err.split(':')[0]]).toEqual([2, args[1] === 'dek' ? 'agent_not_found' : 'usage'])
  }
})
