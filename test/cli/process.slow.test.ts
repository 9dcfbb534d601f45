import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endOf, testProject, type Ended, type TestProject } from './project.ts'

let project: TestProject

beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

const run = (...args: readonly string[]): Promise<Ended> => {
  const child = project.begin(args)
  child.stdin?.end()
  return endOf(child)
}

describe('the program as a process', () => {
  it('prints plain lines and nothing on standard error when all is well', async () => {
    const { code, out, err } = await run('run', 'desk', '--question', 'Open on Sunday?')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('You asked: Open on Sunday?')
    expect(out).not.toContain('\u001b')
  })

  it('goes on with a run that another process began', async () => {
    const { out } = await run('run', 'desk', '--question', 'a refund please', '--json')
    const { run: id, waiting } = JSON.parse(out) as {
      readonly run: string
      readonly waiting: readonly { readonly calls: readonly { readonly hash: string }[] }[]
    }
    const approved = await run('approve', id, '--hash', waiting[0]?.calls[0]?.hash ?? '', '--json')
    expect(approved).toMatchObject({ code: 0, err: expect.stringMatching(/refunding \{"amount":12\}\n$/) as string })
    expect(JSON.parse(approved.out)).toMatchObject({ outcome: 'done', output: { answer: 'The refund was paid.' } })
  })

  it('ends with the exit code of a failed run and of a command that was not understood', async () => {
    expect((await run('run', 'desk', '--question', 'break it')).code).toBe(1)
    expect((await run('run', 'dek')).code).toBe(2)
    expect((await run('rnus')).code).toBe(2)
  })

  it('goes on without its reader', async () => {
    const child = project.begin(['run', 'desk', '--question', 'nobody reads this', '--user', 'gone'])
    child.stdin?.end()
    child.stdout?.destroy()
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0)
    expect(JSON.parse((await run('runs', '--user', 'gone', '--json')).out)).toMatchObject({ runs: [{ status: 'done' }] })
  })

  it('cancels a run that another process drives', async () => {
    const child = project.begin(['run', 'slow', '--input', '{}', '--events'])
    const ended = endOf(child)
    const [first = ''] = await new Promise<readonly string[]>((resolve) => child.stdout?.once('data', (text: string) => resolve(text.split('\n'))))
    const { run: id } = JSON.parse(first) as { readonly run: string }
    expect(await run('cancel', id, '--reason', 'too slow')).toMatchObject({ code: 0, out: expect.stringContaining('another process drives run') as string })
    expect(await ended).toMatchObject({ code: 5, out: expect.stringContaining('too slow') as string })
  })

  it.skipIf(process.platform === 'win32')('ends at once on a second signal', async () => {
    const child = project.begin(['run', 'slow', '--input', '{}', '--events'])
    const ended = endOf(child)
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
    child.stderr?.once('data', () => child.kill('SIGTERM'))
    child.kill('SIGTERM')
    expect((await ended).code).toBe(143)
  })

  it.skipIf(process.platform === 'win32')('drains on a signal and leaves a run that can be resumed', async () => {
    const child = project.begin(['run', 'slow', '--input', '{}', '--events', '--user', 'impatient'])
    const ended = endOf(child)
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
    child.kill('SIGINT')
    const { code, out, err } = await ended
    expect(code).toBe(3)
    expect(err).toMatch(/SIGINT: finishing .* stateloop resume [0-9a-f-]{36}\n/)
    expect(out).toContain('{"error":{"code":"draining"')
    expect(JSON.parse((await run('runs', '--user', 'impatient', '--json')).out)).toMatchObject({
      runs: [{ status: 'running', state: 'crawling', source: 'slow' }],
    })
  })
})
