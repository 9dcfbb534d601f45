import { describe, expect, it } from 'vitest'
import { z as z3 } from 'zod/v3'
import { z } from 'zod'
import { FailureError, type Json } from '../../src/failure/index.ts'
import { strictSchema, validate, type JsonSchema, type Schema } from '../../src/schema/index.ts'

/** A schema of no library: validation passes everything, the JSON Schema is given. */
const shown = (schema: JsonSchema): Schema => ({
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }), ...{ jsonSchema: { input: () => schema } } },
})

const refusal = (schema: Schema): string => {
  try {
    return `accepted ${JSON.stringify(strictSchema(schema, 'output').schema)}`
  } catch (error) {
    if (!(error instanceof FailureError)) throw error
    return error.message
  }
}

/** The strict schema of one property `x`. */
const strictOf = (schema: z.ZodType): Json => {
  const { properties } = strictSchema(z.object({ x: schema })).schema as { readonly properties: { readonly x: Json } }
  return properties.x
}

describe('the strict schema', () => {
  it('requires every property and closes every object', () => {
    expect(strictSchema(z.object({ a: z.string(), b: z.object({ c: z.boolean().optional() }).optional() })).schema).toEqual({
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: {
          anyOf: [{ type: 'object', properties: { c: { anyOf: [{ type: 'boolean' }, { type: 'null' }] } }, required: ['c'], additionalProperties: false }, { type: 'null' }],
        },
      },
      required: ['a', 'b'],
      additionalProperties: false,
    })
  })

  it('keeps descriptions beside a union and around a reference, never in the same node as $ref', () => {
    const Place = z.object({ city: z.string() }).meta({ id: 'Place' })
    expect(strictOf(z.string().optional().describe('maybe'))).toEqual({ anyOf: [{ type: 'string' }, { type: 'null' }], description: 'maybe' })
    expect(strictOf(Place.describe('where'))).toEqual({ anyOf: [{ $ref: '#/$defs/Place' }], description: 'where' })
    expect(strictOf(Place.optional())).toEqual({ anyOf: [{ $ref: '#/$defs/Place' }, { type: 'null' }] })
  })

  it('leaves defaults to validation: an absent value is null on the wire', () => {
    const strict = strictSchema(z.object({ limit: z.number().default(10) }))
    expect(JSON.stringify(strict.schema)).not.toContain('default')
    expect(strict.unwrap({ limit: null })).toEqual({})
  })

  it('writes what a grammar cannot check into the description', () => {
    expect(strictOf(z.string().min(2).max(5).describe('A code.'))).toEqual({ type: 'string', description: 'A code. (minLength: 2) (maxLength: 5)' })
    expect(strictOf(z.url())).toEqual({ type: 'string', description: '(format: uri)' })
    expect(strictOf(z.string().regex(/^(?!x)a/))).toEqual({ type: 'string', description: '(pattern: ^(?!x)a)' })
    expect(strictOf(z.string().startsWith('a').endsWith('z'))).toEqual({ type: 'string', pattern: '^a.*', description: '(pattern: .*z$)' })
  })

  it('keeps the bounds, patterns and formats that a grammar can check, without a second pattern for a known format', () => {
    expect(strictOf(z.number().min(1).max(5))).toEqual({ type: 'number', minimum: 1, maximum: 5 })
    expect(strictOf(z.int())).toEqual({ type: 'integer' })
    expect(strictOf(z.array(z.string().regex(/^a+$/)).min(1))).toEqual({ type: 'array', items: { type: 'string', pattern: '^a+$' }, minItems: 1 })
    expect(strictOf(z.email())).toEqual({ type: 'string', format: 'email' })
    expect(strictOf(z.iso.date())).toEqual({ type: 'string', format: 'date' })
  })

  it('turns oneOf into anyOf and names the type of bare values', () => {
    expect(strictOf(z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })]))).toEqual({
      anyOf: ['a', 'b'].map((k) => ({ type: 'object', properties: { k: { type: 'string', const: k } }, required: ['k'], additionalProperties: false })),
    })
    expect(strictOf(z.literal(['a', 1, null]))).toEqual({ type: ['string', 'number', 'null'], enum: ['a', 1, null] })
  })

  it.each<readonly [string, Schema]>([
    ['array', z.array(z.string())],
    ['string', z3.string()],
    ['union of objects', z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])],
    ['nullable object', z.object({ a: z.string() }).nullable()],
    ['intersection with a union', z3.object({ a: z3.string() }).and(z3.union([z3.object({ b: z3.string() }), z3.object({ c: z3.string() })]))],
  ])('wraps a root that is no plain object: %s', (_name, schema) => {
    expect(strictSchema(schema).schema).toMatchObject({ type: 'object', required: ['value'], additionalProperties: false })
    expect(Object.keys(strictSchema(schema).schema['properties'] as object)).toEqual(['value'])
  })

  it('keeps recursion: through the root, and through a definition once the root is wrapped', () => {
    interface Tree {
      readonly name: string
      readonly children?: readonly Tree[] | undefined
    }
    const Tree: z.ZodType<Tree> = z.object({ name: z.string(), children: z.array(z.lazy(() => Tree)).optional() })
    expect(strictSchema(Tree).schema).toMatchObject({ properties: { children: { anyOf: [{ type: 'array', items: { $ref: '#' } }, { type: 'null' }] } } })
    const forest = strictSchema(z.array(Tree))
    expect(forest.schema).toMatchObject({ properties: { value: { type: 'array', items: { $ref: expect.stringMatching(/^#\/\$defs\/\w+$/) } } } })
    expect(forest.unwrap({ value: [{ name: 'a', children: [{ name: 'b', children: null }] }] })).toEqual([{ name: 'a', children: [{ name: 'b' }] }])
  })

  it('moves a reference into another place of the document under $defs', () => {
    const Money = z3.object({ amount: z3.number() })
    const strict = strictSchema(z3.object({ net: Money, gross: Money.optional() }))
    expect(strict.schema).toMatchObject({
      properties: { gross: { anyOf: [{ $ref: '#/$defs/net' }, { type: 'null' }] } },
      $defs: { net: { additionalProperties: false } },
    })
  })

  it('gives two definitions of the same last name two names', () => {
    const strict = strictSchema(
      shown({
        type: 'object',
        properties: { x: { $ref: '#/definitions/A/T' }, y: { $ref: '#/definitions/B/T' } },
        required: ['x', 'y'],
        definitions: { A: { T: { type: 'string' } }, B: { T: { type: 'number' } } },
      }),
    )
    expect(strict.schema).toMatchObject({
      properties: { x: { $ref: '#/$defs/T' }, y: { $ref: '#/$defs/T_2' } },
      $defs: { T: { type: 'string' }, T_2: { type: 'number' } },
    })
  })

  it('merges intersections of objects, through references, shared properties and tighter bounds', () => {
    const Base = z.object({ id: z.string(), n: z.number().min(1).max(9), deep: z.object({ a: z.string() }) }).meta({ id: 'Base' })
    const schema = Base.and(z.object({ n: z.number().min(0).max(5), deep: z.object({ b: z.string().optional() }) }))
    const strict = strictSchema(schema)
    expect(strict.schema).toEqual({
      type: 'object',
      properties: {
        id: { type: 'string' },
        n: { type: 'number', minimum: 1, maximum: 5 },
        deep: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
          required: ['a', 'b'],
          additionalProperties: false,
        },
      },
      required: ['id', 'n', 'deep'],
      additionalProperties: false,
    })
    expect(strict.unwrap({ id: 'x', n: 2, deep: { a: 'y', b: null } })).toEqual({ id: 'x', n: 2, deep: { a: 'y' } })
  })

  it('writes a record over a closed set of keys as properties', () => {
    expect(strictOf(z.record(z.enum(['a', 'b']), z.number()))).toEqual({
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
      additionalProperties: false,
    })
    expect(strictSchema(z3.record(z3.enum(['a', 'b']), z3.number())).unwrap({ a: 1, b: null })).toEqual({ a: 1 })
  })

  it('describes the side a model writes when a schema transforms', () => {
    const schema = z.object({ count: z.string().transform(Number) })
    const { unwrap } = strictSchema(schema)
    expect(strictOf(z.string().transform(Number))).toEqual({ type: 'string' })
    expect(validate(schema, unwrap({ count: '3' }))).toEqual({ ok: true, value: { count: 3 } })
  })

  it('is made once per schema', () => {
    const schema = z.object({ a: z.string() })
    expect(strictSchema(schema)).toBe(strictSchema(schema, 'elsewhere'))
  })
})

describe('a schema that cannot be asked of a model', () => {
  const refused: readonly (readonly [string, Schema, string, RegExp])[] = [
    ['record', z.object({ a: z.object({ tags: z.record(z.string(), z.string()) }) }), '`a.tags`', /free keys/],
    ['zod 3 record', z3.object({ tags: z3.record(z3.string()) }), '`tags`', /free keys/],
    ['loose object', z.looseObject({ a: z.string() }), 'the whole schema', /free keys/],
    ['zod 3 passthrough', z3.object({ a: z3.string() }).passthrough(), 'the whole schema', /free keys/],
    ['catchall', z.object({ a: z.string() }).catchall(z.number()), 'the whole schema', /free keys/],
    ['tuple', z.object({ pair: z.tuple([z.string(), z.number()]) }), '`pair`', /tuples/],
    ['zod 3 tuple', z3.object({ pair: z3.array(z3.tuple([z3.string()])) }), '`pair[]`', /tuples/],
    ['tuple of draft 2020', shown({ type: 'array', prefixItems: [{ type: 'string' }] }), 'the whole schema', /tuples/],
    ['any', z.object({ a: z.any() }), '`a`', /any type/],
    ['unknown in an array', z.object({ a: z.array(z.unknown()) }), '`a[]`', /any type/],
    ['zod 3 instanceof', z3.object({ a: z3.instanceof(URL) }), '`a`', /any type/],
    ['never', z.object({ a: z.never() }), '`a`', /must not match/],
    ['date', z.object({ at: z.date() }), '`at`', /Date/],
    ['file', z.object({ f: z.file() }), '`f`', /file/],
    ['branch of a union', z.object({ a: z.union([z.string(), z.object({ b: z.tuple([z.string()]) })]) }), '`a|2.b`', /tuples/],
    ['condition', shown({ type: 'object', properties: { a: { type: 'string' } }, if: {}, then: {} }), 'the whole schema', /conditions/],
    ['patternProperties', shown({ type: 'object', properties: {}, patternProperties: { '^a': { type: 'string' } } }), 'the whole schema', /free keys/],
    ['dependentRequired', shown({ type: 'object', properties: { a: { type: 'string' } }, dependentRequired: { a: ['b'] } }), 'the whole schema', /dependent/],
    ['object without properties', shown({ type: 'object' }), 'the whole schema', /named properties/],
    ['undescribed required property', shown({ type: 'object', properties: {}, required: ['a'] }), '`a`', /not described/],
    ['true as a schema', shown({ type: 'object', properties: { a: true } }), '`a`', /any type/],
    ['dangling reference', shown({ type: 'object', properties: { a: { $ref: '#/definitions/gone' } } }), '`a`', /leads nowhere/],
    ['remote reference', shown({ type: 'object', properties: { a: { $ref: 'https://example.com/a.json' } } }), '`a`', /leads nowhere/],
    ['circular root', shown({ $ref: '#' }), 'the whole schema', /refers to itself/],
    [
      'circular allOf',
      shown({
        type: 'object',
        properties: { a: { $ref: '#/definitions/A' } },
        definitions: { A: { allOf: [{ $ref: '#/definitions/A' }, { type: 'object' }] } },
      }),
      '`a`',
      /intersection/,
    ],
    ['contradiction', z.object({ a: z.string().and(z.number()) }), '`a`', /intersection/],
    [
      'intersection of recursions',
      shown({
        allOf: [{ $ref: '#/definitions/A' }, { $ref: '#/definitions/B' }],
        definitions: {
          A: { type: 'object', properties: { c: { $ref: '#/definitions/A' } } },
          B: { type: 'object', properties: { c: { $ref: '#/definitions/B' } } },
        },
      }),
      '`c.c.c.c`',
      /nested too deep/,
    ],
    ['forbidden name', z.object({ constructor: z.string() }), '`constructor`', /never read/],
  ]

  it.each(refused)('is refused with the path: %s', (_name, schema, place, reason) => {
    const message = refusal(schema)
    expect(message).toContain(`agent_invalid: output: ${place}: `)
    expect(message).toMatch(reason)
  })
})

describe('unwrap', () => {
  const Address = z.object({ street: z.string().optional(), note: z.string().nullish() })
  const schema = z.object({ name: z.string(), nick: z.string().optional(), gone: z.null().optional(), address: Address.optional(), list: z.array(Address) })
  const { unwrap } = strictSchema(schema)

  it('removes a null that stands for absent and keeps one that the schema allows', () => {
    const reply = { name: 'a', nick: null, gone: null, address: { street: null, note: null }, list: [{ street: 'x', note: null }] }
    expect(unwrap(reply)).toEqual({ name: 'a', gone: null, address: { note: null }, list: [{ street: 'x', note: null }] })
  })

  it('leaves a null in place of a required value for validation to report', () => {
    const value = unwrap({ name: null, nick: null, list: [] })
    expect(value).toEqual({ name: null, list: [] })
    expect(validate(schema, value)).toMatchObject({ ok: false, issues: [{ path: 'name' }] })
  })

  it.each<readonly [string, Json]>([
    ['absent properties', { name: 'a', list: [] }],
    ['unknown properties', { name: 'a', list: [], extra: null }],
    ['another type', 'text'],
    ['null', null],
  ])('passes on a reply that ignored the strict shape: %s', (_name, reply) => {
    expect(unwrap(reply)).toEqual(reply)
  })

  it('strips nulls from the branch of a union that the value follows', () => {
    const branches = z.object({
      pick: z.union([z.object({ kind: z.literal('a'), x: z.string().optional() }), z.object({ kind: z.literal('b'), x: z.string().nullable() }), z.object({ n: z.number(), x: z.string().optional() })]),
    })
    const pick = (value: Json): Json => strictSchema(branches).unwrap({ pick: value })
    expect(pick({ kind: 'a', x: null })).toEqual({ pick: { kind: 'a' } })
    expect(pick({ kind: 'b', x: null })).toEqual({ pick: { kind: 'b', x: null } })
    expect(pick({ n: 1, x: null })).toEqual({ pick: { n: 1 } })
    expect(pick({ kind: 'a', x: null, extra: 1 })).toEqual({ pick: { kind: 'a', extra: 1 } })
    expect(pick({ kind: 'a', x: 7 })).toEqual({ pick: { kind: 'a', x: 7 } })
    expect(pick({ other: null })).toEqual({ pick: { other: null } })
  })

  it('reports only what is wrong in an optional object, not the nulls beside it', () => {
    const outer = z.object({ inner: z.object({ a: z.string().optional(), b: z.number() }).optional() })
    expect(validate(outer, strictSchema(outer).unwrap({ inner: { a: null, b: 'no' } }))).toMatchObject({ ok: false, issues: [{ path: 'inner.b' }] })
  })

  it('takes a wrapped root with and without its wrapper', () => {
    const list = strictSchema(z.array(z.object({ a: z.string().optional() })))
    expect(list.unwrap({ value: [{ a: null }] })).toEqual([{}])
    expect(list.unwrap([{ a: null }])).toEqual([{}])
    expect(strictSchema(z.string()).unwrap({ value: 'x' })).toBe('x')
  })

  it('stays fast on deep unions whose branches differ only at the end', () => {
    interface Node {
      readonly child?: Node | undefined
      readonly end: string | number
    }
    const Node: z.ZodType<Node> = z.lazy(() => z.union([z.object({ child: Node.optional(), end: z.string() }), z.object({ child: Node.optional(), end: z.number() })]))
    let value: Json = { child: null, end: true }
    for (let depth = 0; depth < 90; depth++) value = { child: value, end: 1 }
    expect(strictSchema(Node).unwrap({ value })).toMatchObject({ end: 1, child: { end: 1 } })
  })
})
