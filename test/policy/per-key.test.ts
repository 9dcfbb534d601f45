import { describe, expect, it } from 'vitest'
import { perKey } from '../../src/policy/per-key.ts'

describe('perKey', () => {
  it('makes one instance per key', () => {
    const all = perKey(
      (key) => ({ key }),
      () => true,
    )
    expect(all.of('a')).toBe(all.of('a'))
    expect(all.of('b')).toEqual({ key: 'b' })
    expect(all.all()).toEqual([{ key: 'a' }, { key: 'b' }])
  })

  it('forgets the longest unused idle instance beyond its size', () => {
    const all = perKey(
      (key) => ({ key }),
      () => true,
      2,
    )
    for (const key of ['a', 'b', 'a', 'c']) all.of(key)
    expect(all.all().map(({ key }) => key)).toEqual(['a', 'c'])
  })

  it('keeps all that are in use, and never drops the one just asked for', () => {
    const idle = new Set<string>(['new'])
    const all = perKey(
      (key) => ({ key }),
      ({ key }) => idle.has(key),
      2,
    )
    for (const key of ['a', 'b', 'c', 'new']) all.of(key)
    expect(all.all().map(({ key }) => key)).toEqual(['a', 'b', 'c', 'new'])
    idle.add('a')
    all.of('b')
    expect(all.all().map(({ key }) => key)).toEqual(['c', 'b'])
  })
})
