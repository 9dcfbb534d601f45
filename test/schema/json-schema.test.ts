import { describe, expect, it } from 'vitest'
import * as mini from 'zod/mini'
import { z as z3 } from 'zod/v3'
import { z } from 'zod'
import { FailureError } from '../../src/failure/index.ts'
import { toJsonSchema, type Schema } from '../../src/schema/index.ts'

const refusal = (schema: Schema, at?: string): string => {
  try {
    toJsonSchema(schema, at)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof FailureError)) throw error
    return error.message
  }
}

describe('toJsonSchema', () => {
  it.each([
    ['zod 4', z.object({ name: z.string().describe('who'), age: z.number().optional() })],
    ['zod 4 mini', mini.object({ name: mini.string().check(mini.describe('who')), age: mini.optional(mini.number()) })],
  ])('describes what %s accepts', (_library, schema) => {
    expect(toJsonSchema(schema)).toEqual({
      type: 'object',
      properties: { name: { type: 'string', description: 'who' }, age: { type: 'number' } },
      required: ['name'],
    })
  })

  it('describes what zod 3 accepts, a null literal included', () => {
    const schema = z3.object({ name: z3.string().describe('who'), age: z3.number().optional(), gone: z3.literal(null) })
    expect(toJsonSchema(schema)).toEqual({
      type: 'object',
      properties: { name: { type: 'string', description: 'who' }, age: { type: 'number' }, gone: { type: 'null' } },
      required: ['name', 'gone'],
      additionalProperties: false,
    })
  })

  it('asks any other library for its own JSON Schema', () => {
    const asked: unknown[] = []
    const schema: Schema = {
      '~standard': {
        version: 1,
        vendor: 'other',
        validate: (value: unknown) => ({ value }),
        ...{ jsonSchema: { input: (options: unknown) => (asked.push(options), { $schema: 'http://json-schema.org/draft-07/schema#', type: 'string' }) } },
      },
    }
    expect(toJsonSchema(schema)).toEqual({ type: 'string' })
    expect(toJsonSchema(schema)).toEqual({ type: 'string' })
    expect(asked).toEqual([{ target: 'draft-07' }])
  })

  it('refuses a library that shows no JSON Schema and says which would do', () => {
    expect(refusal({ '~standard': { version: 1, vendor: 'other', validate: (value: unknown) => ({ value }) } }, 'output of asking')).toMatch(/^agent_invalid: output of asking: .*Use zod/)
  })

  it.each<readonly [string, Schema, string]>([
    ['zod 4 date', z.object({ orders: z.array(z.object({ at: z.date() })) }), '`orders[].at`'],
    ['zod 4 map', z.object({ properties: z.map(z.string(), z.string()) }), '`properties`'],
    ['zod 4 undefined', z.object({ a: z.union([z.string(), z.undefined()]) }), '`a|2`'],
    ['zod 4 bigint at the root', z.bigint(), 'the whole schema'],
    ['zod 3 date', z3.object({ orders: z3.array(z3.object({ at: z3.date() })) }), '`orders[].at`'],
    ['zod 3 set', z3.object({ tags: z3.set(z3.string()) }), '`tags`'],
    ['zod 3 bigint', z3.object({ n: z3.union([z3.string(), z3.bigint()]) }), '`n|2`'],
  ])('refuses what JSON does not have and names the place: %s', (_name, schema, place) => {
    expect(refusal(schema, 'input')).toMatch(/^agent_invalid: input: .*Use what JSON has/)
    expect(refusal(schema, 'input')).toContain(`input: ${place}: `)
  })
})
