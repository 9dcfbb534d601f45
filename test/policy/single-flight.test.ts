import { describe, expect, it } from 'vitest'
import { fakeClock, sleep } from '../../src/clock/index.ts'
import { singleFlight } from '../../src/policy/index.ts'

const setup = () => {
  const clock = fakeClock()
  const flights = singleFlight<string>()
  let begun = 0
  let aborted = 0
  const work = async (signal: AbortSignal): Promise<string> => {
    const serial = ++begun
    signal.addEventListener('abort', () => aborted++)
    await sleep(clock, 100, signal)
    return `result ${serial}`
  }
  return {
    clock,
    flights,
    work,
    run: (key: string, signal?: AbortSignal) => flights.run(key, signal, work),
    counts: () => ({ begun, aborted, flying: flights.size() }),
  }
}

describe('singleFlight', () => {
  it('performs equal work once and tells who shared it', async () => {
    const { run, clock, counts } = setup()
    const all = [run('a'), run('a'), run('a')]
    expect(counts()).toEqual({ begun: 1, aborted: 0, flying: 1 })
    await clock.advance(100)
    expect(await Promise.all(all)).toEqual([
      { value: 'result 1', shared: false },
      { value: 'result 1', shared: true },
      { value: 'result 1', shared: true },
    ])
    expect(counts()).toEqual({ begun: 1, aborted: 0, flying: 0 })
  })

  it('performs different work separately, and the same work again once it is done', async () => {
    const { run, clock } = setup()
    const both = [run('a'), run('b')]
    await clock.advance(100)
    expect((await Promise.all(both)).map(({ value }) => value)).toEqual(['result 1', 'result 2'])
    const again = run('a')
    await clock.advance(100)
    expect(await again).toEqual({ value: 'result 3', shared: false })
  })

  it('goes on for the others when the first caller aborts', async () => {
    const { run, clock, counts } = setup()
    const first = new AbortController()
    const [leader, other] = [run('a', first.signal), run('a')]
    first.abort(new Error('first left'))
    await expect(leader).rejects.toThrow('first left')
    expect(counts()).toEqual({ begun: 1, aborted: 0, flying: 1 })
    await clock.advance(100)
    expect(await other).toEqual({ value: 'result 1', shared: true })
  })

  it('ends the wait of a caller that aborts, though the work goes on', async () => {
    const { run, clock } = setup()
    const second = new AbortController()
    const [leader, other] = [run('a'), run('a', second.signal)]
    second.abort(new Error('second left'))
    await expect(other).rejects.toThrow('second left')
    await clock.advance(100)
    expect(await leader).toEqual({ value: 'result 1', shared: false })
  })

  it('aborts the work when the last caller has left, and nobody joins what was aborted', async () => {
    const { run, clock, counts } = setup()
    const controllers = [new AbortController(), new AbortController()]
    const all = controllers.map(({ signal }) => run('a', signal))
    for (const controller of controllers) controller.abort(new Error('left'))
    expect(counts()).toEqual({ begun: 1, aborted: 1, flying: 0 })
    const later = run('a')
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(counts()).toEqual({ begun: 2, aborted: 1, flying: 1 })
    await clock.advance(100)
    expect(await later).toEqual({ value: 'result 2', shared: false })
  })

  it('does not begin work for a caller that has aborted already', async () => {
    const { run, counts } = setup()
    await expect(run('a', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect(counts().begun).toBe(0)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
  ])('tells all who wait when the work %s, and forgets it', async (_how, work) => {
    const { flights } = setup()
    const all = [flights.run('a', undefined, work), flights.run('b', undefined, work)]
    for (const flight of all) await expect(flight).rejects.toThrow('broken')
    expect(flights.size()).toBe(0)
  })

  it('shares a failure with those who joined', async () => {
    const { flights, clock } = setup()
    const work = async (): Promise<string> => {
      await sleep(clock, 10)
      throw new Error('broken')
    }
    const all = Promise.allSettled([flights.run('a', undefined, work), flights.run('a', undefined, work)])
    await clock.advance(10)
    expect((await all).map((result) => result.status === 'rejected' && (result.reason as Error).message)).toEqual(['broken', 'broken'])
  })

  it('leaves no listener on a signal that outlives the work', async () => {
    const { run, clock, counts } = setup()
    const controller = new AbortController()
    const flight = run('a', controller.signal)
    await clock.advance(100)
    await flight
    controller.abort()
    expect(counts().aborted).toBe(0)
  })
})
