import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import type { Observer, RunEvent } from '../../src/run/index.ts'
import { adder, listModel, loopAgent, testRuntime } from './harness.ts'

const recorder = (): Observer & { readonly seen: RunEvent[]; readonly performed: string[]; readonly released: string[]; closed: number } => {
  const observer = {
    seen: [] as RunEvent[],
    performed: [] as string[],
    released: [] as string[],
    closed: 0,
    run: () => ({
      event: (event: RunEvent) => void observer.seen.push(event),
      perform: <T>(request: { readonly key: string; readonly kind: string }, work: () => Promise<T>) => {
        observer.performed.push(`${request.kind} ${request.key}`)
        return work()
      },
      released: (how: string) => void observer.released.push(how),
    }),
    close: async () => void observer.closed++,
  }
  return observer
}

const twoTurns = () => listModel([{ calls: [{ id: 'c1', name: 'add', args: { a: 1, b: 1 } }] }, { text: 'two' }])

describe('an observer', () => {
  it('sees every event of a run in the order that a reader of the run sees them', async () => {
    const observer = recorder()
    const { runtime } = testRuntime({ providers: [twoTurns()], observers: [observer] })
    const run = await runtime.start(loopAgent({ add: adder() }), 'x')
    await run.outcome()
    const read: RunEvent[] = []
    for await (const event of run) read.push(event)
    expect(observer.seen).toEqual(read)
    expect(observer.seen.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'done' })
    expect(observer.performed).toEqual(['model /thinking#1', 'tools /acting#1:0', 'model /thinking#2'])
    expect(observer.released).toEqual(['ended'])
    await runtime.close()
    expect(observer.closed).toBe(1)
  })

  it('decides the context in which an attempt is performed, the outermost observer first', async () => {
    const context = new AsyncLocalStorage<string>()
    const inside: (string | undefined)[] = []
    const within = (name: string): Observer => ({ run: () => ({ event: () => {}, perform: (_request, work) => context.run(`${context.getStore() ?? ''}${name}`, work) }) })
    const { runtime } = testRuntime({ providers: [twoTurns()], observers: [within('a'), within('b')] })
    const run = await runtime.start(loopAgent({ add: adder({ onRun: () => inside.push(context.getStore()) }) }), 'x')
    expect((await run.outcome()).outcome).toBe('done')
    expect(inside).toEqual(['ab'])
  })

  it('may leave a run alone', async () => {
    const { runtime } = testRuntime({ providers: [twoTurns()], observers: [{ run: () => undefined }] })
    const run = await runtime.start(loopAgent({ add: adder() }), 'x')
    expect((await run.outcome()).outcome).toBe('done')
  })
})
