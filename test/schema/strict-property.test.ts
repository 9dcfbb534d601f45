import fc from 'fast-check'
import { toStrictJsonSchema } from 'openai/lib/transform'
import { describe, expect, it } from 'vitest'
import { z as z3 } from 'zod/v3'
import { z } from 'zod'
import type { Json } from '../../src/failure/index.ts'
import { strictSchema, validate, type Schema } from '../../src/schema/index.ts'

/** A random schema as data; zod schemas, valid values and their strict shape are derived from it independently. */
type Spec =
  | { readonly kind: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly [string, ...string[]] }
  | { readonly kind: 'nullable' | 'array'; readonly of: Spec }
  | { readonly kind: 'object'; readonly fields: readonly Field[] }
  | { readonly kind: 'variants'; readonly variants: readonly (readonly Field[])[] }
  | { readonly kind: 'either'; readonly of: Spec }
interface Field {
  readonly name: string
  readonly optional: boolean
  readonly spec: Spec
}

const names = fc.constantFrom('a', 'b', 'c', 'value', 'properties', 'items', '$ref', 'a.b', '100%', 'type')

const { spec: anySpec } = fc.letrec<{ spec: Spec; field: Field; fields: readonly Field[] }>((tie) => ({
  spec: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ kind: fc.constantFrom('string', 'number', 'boolean') }),
    fc.record({ kind: fc.constant('enum'), values: fc.constantFrom<readonly [string, ...string[]]>(['x'], ['x', 'y']) }),
    fc.record({ kind: fc.constantFrom('nullable', 'array'), of: tie('spec') }),
    fc.record({ kind: fc.constant('object'), fields: tie('fields') }),
    fc.record({ kind: fc.constant('variants'), variants: fc.array(tie('fields'), { minLength: 2, maxLength: 3 }) }),
    fc.record({ kind: fc.constant('either'), of: fc.record({ kind: fc.constant('object'), fields: tie('fields') }) }),
  ) as fc.Arbitrary<Spec>,
  field: fc.record({ name: names, optional: fc.boolean(), spec: tie('spec') }),
  fields: fc.uniqueArray(tie('field'), { maxLength: 4, selector: ({ name }) => name }),
}))

/** The part of zod that both versions share. */
interface Zod<T> {
  readonly string: () => T
  readonly number: () => T
  readonly boolean: () => T
  readonly enum: (values: readonly [string, ...string[]]) => T
  readonly literal: (value: string) => T
  readonly nullable: (of: T) => T
  readonly optional: (of: T) => T
  readonly array: (of: T) => T
  readonly object: (shape: Record<string, T>) => T
  readonly union: (options: readonly [T, T, ...T[]]) => T
}

const build = <T>(lib: Zod<T>, spec: Spec): T => {
  const shape = (fields: readonly Field[]): Record<string, T> => Object.fromEntries(fields.map(({ name, optional, spec: child }) => [name, optional ? lib.optional(build(lib, child)) : build(lib, child)]))
  switch (spec.kind) {
    case 'string':
      return lib.string()
    case 'number':
      return lib.number()
    case 'boolean':
      return lib.boolean()
    case 'enum':
      return lib.enum(spec.values)
    case 'nullable':
      return lib.nullable(build(lib, spec.of))
    case 'array':
      return lib.array(build(lib, spec.of))
    case 'object':
      return lib.object(shape(spec.fields))
    case 'variants':
      return lib.union(spec.variants.map((fields, index) => lib.object({ ...shape(fields), kind: lib.literal(`v${index}`) })) as unknown as [T, T])
    case 'either':
      return lib.union([lib.number(), build(lib, spec.of)])
  }
}

const valueOf = (spec: Spec): fc.Arbitrary<Json> => {
  const object = (fields: readonly Field[], fixed: { readonly kind?: string } = {}): fc.Arbitrary<Json> =>
    fc
      .tuple(
        ...fields.map(({ name, optional, spec: child }) =>
          valueOf(child)
            .chain((value) => (optional ? fc.constantFrom<readonly Json[]>([], [value]) : fc.constant<readonly Json[]>([value])))
            .map((found) => [name, found] as const),
        ),
      )
      .map((entries) => ({ ...Object.fromEntries(entries.flatMap(([name, [value]]) => (value === undefined ? [] : [[name, value]]))), ...fixed }))
  switch (spec.kind) {
    case 'string':
      return fc.string()
    case 'number':
      return fc.integer()
    case 'boolean':
      return fc.boolean()
    case 'enum':
      return fc.constantFrom(...spec.values)
    case 'nullable':
      return fc.oneof(fc.constant(null), valueOf(spec.of))
    case 'array':
      return fc.array(valueOf(spec.of), { maxLength: 3 })
    case 'object':
      return object(spec.fields)
    case 'variants':
      return fc.oneof(...spec.variants.map((fields, index) => object(fields, { kind: `v${index}` })))
    case 'either':
      return fc.oneof(fc.integer(), valueOf(spec.of))
  }
}

/** What a provider that enforces the strict schema writes for a value: null for each absent property. */
const strictShape = (spec: Spec, value: Json): Json => {
  const object = (fields: readonly Field[], given: Json): Json => {
    const from = given as { readonly [key: string]: Json }
    return {
      ...from,
      ...Object.fromEntries(fields.map(({ name, spec: child }) => [name, Object.hasOwn(from, name) ? strictShape(child, from[name] as Json) : null])),
    }
  }
  switch (spec.kind) {
    case 'nullable':
      return value === null ? null : strictShape(spec.of, value)
    case 'array':
      return (value as readonly Json[]).map((item) => strictShape(spec.of, item))
    case 'object':
      return object(spec.fields, value)
    case 'variants':
      return object(spec.variants[Number((value as { readonly kind: string }).kind.slice(1))] ?? [], value)
    case 'either':
      return typeof value === 'number' ? value : strictShape(spec.of, value)
    default:
      return value
  }
}

/** An absent property that may be null comes back as null: on the wire the two are the same. */
const readBack = (spec: Spec, value: Json): Json => {
  const object = (fields: readonly Field[], given: Json): Json => {
    const from = given as { readonly [key: string]: Json }
    return {
      ...from,
      ...Object.fromEntries(fields.flatMap(({ name, spec: child }) => (Object.hasOwn(from, name) ? [[name, readBack(child, from[name] as Json)]] : child.kind === 'nullable' ? [[name, null]] : []))),
    }
  }
  switch (spec.kind) {
    case 'nullable':
      return value === null ? null : readBack(spec.of, value)
    case 'array':
      return (value as readonly Json[]).map((item) => readBack(spec.of, item))
    case 'object':
      return object(spec.fields, value)
    case 'variants':
      return object(spec.variants[Number((value as { readonly kind: string }).kind.slice(1))] ?? [], value)
    case 'either':
      return typeof value === 'number' ? value : readBack(spec.of, value)
    default:
      return value
  }
}

const cases = anySpec.chain((spec) => fc.record({ spec: fc.constant(spec), value: valueOf(spec) }))
const onTheWire = (spec: Spec, value: Json): Json => (spec.kind === 'object' ? strictShape(spec, value) : { value: strictShape(spec, value) })

describe.each([
  ['zod 4', (spec: Spec) => build(z as unknown as Zod<Schema>, spec)],
  ['zod 3', (spec: Spec) => build(z3 as unknown as Zod<Schema>, spec)],
])('for any schema of %s', (_library, schemaOf) => {
  const seed = 20_260_101

  it('a value in the strict shape unwraps to itself and validates', () => {
    fc.assert(
      fc.property(cases, ({ spec, value }) => {
        const schema = schemaOf(spec)
        const unwrapped = strictSchema(schema).unwrap(onTheWire(spec, value))
        expect(unwrapped).toEqual(readBack(spec, value))
        expect(validate(schema, unwrapped)).toEqual({ ok: true, value: unwrapped })
      }),
      { seed, numRuns: 300 },
    )
  })

  it('the strict schema is what the OpenAI SDK would make of it, and accepts the strict shape', () => {
    fc.assert(
      fc.property(cases, ({ spec, value }) => {
        const { schema } = strictSchema(schemaOf(spec))
        expect(toStrictJsonSchema(structuredClone(schema) as never)).toEqual(schema)
        expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
        expect(z.fromJSONSchema(schema as never).safeParse(onTheWire(spec, value))).toMatchObject({ success: true })
      }),
      { seed, numRuns: 300 },
    )
  })

  it('a reply that ignored the strict shape unwraps to the value it was', () => {
    fc.assert(
      fc.property(cases, ({ spec, value }) => {
        const strict = strictSchema(schemaOf(spec))
        expect(strict.unwrap(spec.kind === 'object' ? value : { value })).toEqual(value)
      }),
      { seed, numRuns: 300 },
    )
  })
})
