import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { setupAgent } from 'stateloop'
import { z } from 'zod'
import { payer, testServer, weather } from './world.ts'

interface Tree {
  readonly label: string
  readonly children: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ label: z.string(), children: z.array(tree) }))

const t = setupAgent({
  id: 'desk',
  models: {},
  input: z.object({ tree, pair: z.tuple([z.string(), z.number()]) }),
  events: { ANSWER: z.object({ text: z.string() }) },
  output: z.object({ ok: z.literal(true) }),
  onFailure: 'failed',
})
const desk = t.createAgent({
  initial: 'asking',
  states: { asking: t.human({ on: { ANSWER: 'answered' } }), answered: t.final({ output: () => ({ ok: true as const }) }), failed: t.final({ outcome: 'failed' }) },
})

const documentOf = async (): Promise<any> => (await testServer({ agents: [weather, payer, desk] }).call('GET', '/openapi.json')).body

test('the document is valid OpenAPI 3.1, recursive schemas and tuples included', async () => {
  const document = await documentOf()
  const validator = new Validator()
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
  expect(() => validator.resolveRefs()).not.toThrow()
  expect(JSON.stringify(document.components.schemas['desk.input'])).toContain('#/components/schemas/desk.input')
  expect(document.components.schemas['desk.input'].properties.pair).toMatchObject({ prefixItems: [{ type: 'string' }, { type: 'number' }] })
})

test('a document that is not valid would be found', async () => {
  const { info: _info, ...broken } = await documentOf()
  expect((await new Validator().validate(broken)).valid).toBe(false)
})

test('each agent has a path of its own with its schemas, and its events can be sent', async () => {
  const document = await documentOf()
  const start = document.paths['/v1/agents/weather/runs'].post
  expect(start.requestBody.content['application/json'].schema.properties.input).toEqual({ $ref: '#/components/schemas/weather.input' })
  expect(document.components.schemas['weather.input']).toMatchObject({ type: 'string' })
  expect(JSON.stringify(document.paths['/v1/runs/{run}/events'].post)).toContain('desk.ANSWER')
})

test('answers are what the document promises', async () => {
  const { call } = testServer()
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })
  const document = await documentOf()
  const { required, properties } = document.components.schemas.Run
  expect(Object.keys(body).filter((name) => !Object.hasOwn(properties, name))).toEqual([])
  expect(required.filter((name: string) => !Object.hasOwn(body, name))).toEqual([])
  const problem = (await call('GET', '/v1/runs/x')).body
  expect(Object.keys(problem).filter((name) => !Object.hasOwn(document.components.schemas.Problem.properties, name))).toEqual([])
})

test('agents are listed with what they take and give', async () => {
  const { body } = await testServer({ agents: [desk] }).call('GET', '/v1/agents')
  expect(body.agents).toMatchObject([{ id: 'desk', input: { type: 'object' }, output: { type: 'object' }, events: { ANSWER: { type: 'object', required: ['text'] } } }])
})
