import { describe, expect, it } from 'vitest'
import { emptyLock, formatLock, kill, parseLock, release, rollBack, rollOut, type Lock } from '../../../src/prompt/index.ts'
import { first, released, second, split, third } from './sample.ts'

const greet = (lock: Lock): NonNullable<Lock['prompts'][string]> => lock.prompts['greet']!
const roundTrip = (lock: Lock): Lock => parseLock(formatLock(lock), 'the lock')

describe('releasing and rolling back', () => {
  it('moves the pointer, keeps every version, and goes back step by step', () => {
    const all = released(first, second, third)
    expect(greet(all)).toMatchObject({ active: third.hash, previous: [first.hash, second.hash] })
    const back = rollBack(all, 'greet')
    expect(greet(back)).toMatchObject({ active: second.hash, previous: [first.hash] })
    expect(greet(rollBack(back, 'greet')).active).toBe(first.hash)
    expect(Object.keys(greet(back).versions).toSorted()).toEqual([first.hash, second.hash, third.hash].toSorted())
  })

  it('does nothing when the version is active already', () => {
    expect(release(released(first), 'greet', first.document)).toEqual(released(first))
  })

  it('ends a rollout, so that everybody has one version', () => {
    expect(greet(rollBack(rollOut(released(first, second), 'greet', third.document, { percent: 20 }), 'greet'))).not.toHaveProperty('rollout')
    expect(greet(release(split(50), 'greet', third.document))).not.toHaveProperty('rollout')
  })

  it('says what is missing', () => {
    expect(() => rollBack(released(first), 'greet')).toThrow(/usage: No version of greet was active before [0-9a-f]{12}/)
    expect(() => rollBack(emptyLock, 'greet')).toThrow('usage: The lock has no prompt "greet". It has: none.')
    expect(() => rollBack(released(first), 'constructor')).toThrow('usage: The lock has no prompt "constructor"')
  })
})

describe('rolling out', () => {
  it('gives a named variant a share, by user unless said otherwise', () => {
    expect(greet(split(12.5)).rollout).toEqual({ experiment: 'greet', salt: second.hash.slice(0, 12), unit: 'user', variants: [{ name: 'b', hash: second.hash, buckets: [[0, 1249]] }] })
  })

  it('ramps the variant of a version, whatever it is called', () => {
    expect(greet(rollOut(split(10), 'greet', second.document, { percent: 30 })).rollout?.variants).toEqual([{ name: 'b', hash: second.hash, buckets: [[0, 2999]] }])
  })

  it('keeps room for all variants', () => {
    const two = rollOut(split(60), 'greet', third.document, { percent: 40, variant: 'c' })
    expect(greet(two).rollout?.variants.map(({ buckets }) => buckets)).toEqual([[[0, 5999]], [[6000, 9999]]])
    expect(() => rollOut(two, 'greet', third.document, { percent: 41, variant: 'c' })).toThrow('usage: 41 % for c do not fit beside the other variants of greet: b has 60 %. Lower one of them first.')
  })

  it.each([
    [{ percent: 101 }, 'A share is from 0 to 100 percent'],
    [{ percent: Number.NaN }, 'A share is from 0 to 100 percent'],
    [{ percent: 0.001 }, 'with at most two decimals'],
    [{ percent: 5, variant: 'control' }, 'A variant cannot be called control'],
    [{ percent: 5, unit: 'tenant' as const }, 'is under way as greet by user'],
    [{ percent: 5, experiment: 'other' }, 'Another unit or name would move everybody'],
  ])('refuses %j', (step, problem) => {
    expect(() => rollOut(split(10), 'greet', second.document, step)).toThrow(problem)
  })

  it('refuses the version that everybody has, unless it is to be compared with itself', () => {
    expect(() => rollOut(released(first), 'greet', first.document, { percent: 5 })).toThrow('is the active one, which everybody has')
    expect(greet(rollOut(released(first), 'greet', first.document, { percent: 5, variant: 'same' })).rollout?.variants).toMatchObject([{ name: 'same', hash: first.hash }])
  })

  it('refuses two versions under one name', () => {
    expect(() => rollOut(split(10), 'greet', third.document, { percent: 5, variant: 'b' })).toThrow(/The variant b of greet is version [0-9a-f]{12}, not [0-9a-f]{12}/)
  })

  it('can be killed and brought back with the shares it had', () => {
    const killed = kill(split(10), 'greet', true)
    expect(greet(killed).rollout).toMatchObject({ killed: true, variants: [{ name: 'b', buckets: [[0, 999]] }] })
    expect(kill(killed, 'greet', false)).toEqual(split(10))
    expect(() => kill(released(first), 'greet', true)).toThrow('usage: No rollout of greet is under way')
  })
})

describe('the file', () => {
  it('holds everything', () => {
    for (const lock of [emptyLock, released(first, second), kill(split(33.33), 'greet', true)]) expect(roundTrip(lock)).toEqual(lock)
  })

  const broken = (change: (text: string) => string): (() => unknown) => {
    return () => parseLock(change(formatLock(split(10))), 'prompts.lock.json')
  }

  it.each([
    ['is cut off', (text: string) => text.slice(0, -20), 'it is not JSON'],
    ['was edited inside a version', (text: string) => text.replace('One {{name}}', 'Eins {{name}}'), `the version under ${first.hash.slice(0, 12)} has another hash: it was edited by hand`],
    ['names a version it does not hold', (text: string) => text.replace(`"active": "${first.hash}"`, `"active": "${third.hash}"`), `versions does not hold ${third.hash.slice(0, 12)}, which is named`],
    ['is of a later release', (text: string) => text.replace('"version": 1', '"version": 2'), 'version: '],
    ['has an unknown field', (text: string) => text.replace('"previous"', '"perhaps": 1, "previous"'), 'perhaps'],
    ['has a bucket too many', (text: string) => text.replace('999', '10000'), 'prompts.greet.rollout.variants.0.buckets.0.1'],
    ['has a merge conflict', (text: string) => `<<<<<<< ours\n${text}`, 'it is not JSON'],
  ])('that %s is refused with the reason', (_, change, problem) => {
    expect(broken(change)).toThrow(problem)
    expect(broken(change)).toThrow(/^prompt_unusable: prompts\.lock\.json is not a lock of prompts/)
  })

  it('whose variants overlap is refused', () => {
    const lock = rollOut(split(10), 'greet', third.document, { percent: 10, variant: 'c' })
    expect(() => parseLock(formatLock(lock).replace('1000', '500'), 'x')).toThrow('greet: the buckets of its variants overlap or run backwards')
  })
})
