import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { hideSecrets, secret, toJsonSchema, validate } from '../../src/schema/index.ts'

const hide = (): string => '***'

describe('a schema part marked as secret', () => {
  it.each([
    ['itself', secret(z.string()), 'a', '***'],
    ['a field', z.object({ a: z.string(), b: secret(z.string()) }), { a: '1', b: '2' }, { a: '1', b: '***' }],
    ['an optional field', z.object({ b: secret(z.string()).optional() }), { b: '2' }, { b: '***' }],
    ['a field behind a mark on the optional', z.object({ b: secret(z.string().optional()) }), { b: '2' }, { b: '***' }],
    ['a nullable field that is null', z.object({ b: secret(z.string()).nullable() }), { b: null }, { b: null }],
    ['items of a list', z.object({ list: z.array(z.object({ k: secret(z.string()) })) }), { list: [{ k: 'a' }, { k: 'b' }] }, { list: [{ k: '***' }, { k: '***' }] }],
    ['values of a record', z.record(z.string(), secret(z.string())), { a: '1' }, { a: '***' }],
    ['a whole object', z.object({ login: secret(z.object({ user: z.string() })) }), { login: { user: 'ada' } }, { login: '***' }],
    ['an option of a union', z.union([z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b'), pin: secret(z.string()) })]), { kind: 'b', pin: '1' }, { kind: 'b', pin: '***' }],
    ['a field with a default', z.object({ b: secret(z.string()).default('x') }), { b: 'y' }, { b: '***' }],
  ])('is hidden: %s', (_what, schema, value, expected) => {
    expect(hideSecrets(schema, value, hide)).toEqual(expected)
  })

  it('leaves a value without secrets the same object', () => {
    const value = { a: ['1'], c: { d: 2 } }
    expect(hideSecrets(z.object({ a: z.array(z.string()), b: secret(z.string()).optional(), c: z.object({ d: z.number() }) }), value, hide)).toBe(value)
    expect(hideSecrets(undefined, value, hide)).toBe(value)
  })

  it('does not mark the schema it was made of', () => {
    const plain = z.string()
    secret(plain)
    expect(hideSecrets(z.object({ a: plain }), { a: '1' }, hide)).toEqual({ a: '1' })
  })

  it('accepts what it accepted, and looks the same to a model', () => {
    const marked = z.object({ a: secret(z.string().min(3)) })
    expect(validate(marked, { a: 'abc' }).ok).toBe(true)
    expect(validate(marked, { a: 'ab' }).ok).toBe(false)
    expect(toJsonSchema(marked, 'marked')).toEqual(toJsonSchema(z.object({ a: z.string().min(3) }), 'plain'))
  })
})
