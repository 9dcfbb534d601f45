import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, parseJson } from '../../src/schema/index.ts'

const issueOf = (text: string, options?: { readonly maxDepth?: number }): string => {
  const read = parseJson(text, options)
  return read.ok ? `accepted ${JSON.stringify(read.value)}` : read.issues.map(({ path, message }) => `${path}|${message}`).join('\n')
}

describe('parseJson', () => {
  it('reads every JSON value as JSON.parse does', () => {
    const plainKeys = fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key))
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(plainKeys, tie('value'), { noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space)
        expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
      { seed: 11 },
    )
  })

  it('never throws and never accepts what JSON.parse rejects, whatever the text', () => {
    const pieces = fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '"__proto__"', '\\u00', '\\ud83d', ' ', '1', '-', 'e9', 'null'), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(pieces, (list) => {
        const text = list.join('')
        if (parseJson(text).ok) expect(() => JSON.parse(text) as unknown).not.toThrow()
      }),
      { seed: 12, numRuns: 2_000 },
    )
  })

  it.each([
    ['{"__proto__":{"admin":true}}', '__proto__'],
    ['{"a":[{"constructor":1}]}', 'a[].constructor'],
    ['{"a":{"b":{"prototype":{}}}}', 'a.b.prototype'],
    ['{"\\u005f_proto__":1}', '__proto__'],
    ['{"__proto__"\n: 1}', '__proto__'],
  ])('refuses a key that reaches a prototype: %s', (text, path) => {
    expect(issueOf(text)).toMatch(new RegExp(`^${path.replaceAll(/[[\]]/g, '\\$&')}\\|the key ".*" is not allowed`))
  })

  it('takes the same words as values', () => {
    expect(parseJson('{"a":"__proto__","b":["constructor","prototype"]}')).toEqual({ ok: true, value: { a: '__proto__', b: ['constructor', 'prototype'] } })
  })

  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"x":[{"a":1},{"a":1,"b":2,"a":3}]}', 'x[].a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"\\ud800":1,"\\udfff":2}', '�'],
  ])('refuses a key that one object has twice: %s', (text, path) => {
    expect(issueOf(text)).toBe(`${path}|the key "${path.split('.').at(-1)}" is there twice; write it once`)
  })

  it('takes the same key in different objects', () => {
    expect(parseJson('[{"a":1},{"a":{"a":2}}]')).toEqual({ ok: true, value: [{ a: 1 }, { a: { a: 2 } }] })
  })

  it('refuses nesting below the depth limit, however long the text, and takes nesting at it', () => {
    expect(issueOf('['.repeat(200_000))).toBe('|nested deeper than 100 levels; make it flatter')
    expect(issueOf('[[[1]]]', { maxDepth: 2 })).toBe('|nested deeper than 2 levels; make it flatter')
    expect(issueOf('[[1],[{}]]', { maxDepth: 3 })).toBe('accepted [[1],[{}]]')
    expect(issueOf(`"${'['.repeat(200)}"`)).toContain('accepted')
  })

  it('refuses a number that JSON cannot write again, and says where', () => {
    expect(issueOf('{"a":[1,1e999]}')).toBe('a[1]|the number is too large')
  })

  it('replaces half of a surrogate pair and keeps whole ones, so the value can be hashed', () => {
    const read = parseJson('{"a":"x\\ud83d","b":"\\ud83d\\ude00","c":"\\\\ud83d","d":"\ud83d"}')
    expect(read).toEqual({ ok: true, value: { a: 'x\ufffd', b: '\u{1f600}', c: '\\ud83d', d: '\ufffd' } })
    expect(() => canonical(read.ok && read.value)).not.toThrow()
  })

  it.each(['', '  \n', '{"a":1', '{a:1}', '[1,]', 'Here you are: {}', '{"a":1}}', '"\\x"', '{"\\x":1}', "{'a':1}", 'NaN'])('reports %j as not JSON', (text) => {
    expect(issueOf(text)).toMatch(/^\|(not JSON: |expected JSON, found no text)/)
  })
})
