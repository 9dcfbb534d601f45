// From a reply to text, output, calls or a failure.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkReply, type ModelReply, type ReplyExpectation } from '../../src/model/index.ts'
import { toToolCall } from '../../src/model/tool-args.ts'
import type { ToolCall } from '../../src/prompt/index.ts'
import { strictSchema, validate, type Schema } from '../../src/schema/index.ts'

const reply = (content: string, extra: Partial<ModelReply> & { readonly calls?: readonly ToolCall[] } = {}): ModelReply => {
  const { calls, ...rest } = extra
  return { message: { role: 'assistant', content, ...(calls === undefined ? {} : { calls }) }, finish: 'stop', usage: null, model: 'm', ...rest }
}

const expecting = (schema: Schema): ReplyExpectation => ({ output: { unwrap: strictSchema(schema).unwrap, validate: (value) => validate(schema, value) } })

const failureOf = (checked: ReturnType<typeof checkReply>): { readonly code: string; readonly message: string; readonly details?: unknown } => {
  if (checked.kind !== 'failed') throw new Error(`expected a failure, got ${JSON.stringify(checked)}`)
  return checked.failure
}

test('text without an output schema is text, exactly as written', () => {
  expect(checkReply(reply('  Hi.\n'))).toEqual({ kind: 'text', text: '  Hi.\n', message: { role: 'assistant', content: '  Hi.\n' } })
})

test('filter, refusal and length come before everything else', () => {
  const calls = [{ id: 'a', name: 'f', args: {} }]
  expect(failureOf(checkReply(reply('partial', { finish: 'content_filter', calls }))).code).toBe('content_filtered')
  expect(failureOf(checkReply(reply('', { refusal: 'I will not.' })))).toMatchObject({ code: 'refused', details: { refusal: 'I will not.', by: 'provider' } })
  expect(failureOf(checkReply(reply('The answer is', { finish: 'length' }))).code).toBe('truncated')
})

test('calls of a reply that stopped at its limit never run', () => {
  const checked = checkReply(reply('', { finish: 'length', calls: [{ id: 'a', name: 'f', args: {} }] }), { tools: { f: { input: z.object({}) } } })
  expect(failureOf(checked).code).toBe('truncated')
})

test.each(['', ' \n\t'])('a reply with nothing but %j is empty', (content) => {
  expect(failureOf(checkReply(reply(content)))).toMatchObject({ code: 'empty_response', retryable: true })
})

test('output is parsed, unwrapped and validated', () => {
  const schema = z.object({ name: z.string(), age: z.number().optional() })
  expect(checkReply(reply('{"name":"Ada","age":null}'), expecting(schema))).toMatchObject({ kind: 'output', value: { name: 'Ada' } })
  expect(checkReply(reply('{"value":[1,2]}'), expecting(z.array(z.number())))).toMatchObject({ kind: 'output', value: [1, 2] })
})

test('a code fence around the whole output is removed, prose around it is not', () => {
  const schema = z.object({ a: z.number() })
  for (const text of ['```json\n{"a":1}\n```', '```\n{"a":1}```', ' ```JSON\n{"a":1}\n``` ']) expect(checkReply(reply(text), expecting(schema))).toMatchObject({ kind: 'output', value: { a: 1 } })
  expect(failureOf(checkReply(reply('Here it is:\n```json\n{"a":1}\n```'), expecting(schema))).code).toBe('invalid_output')
})

const BAD_OUTPUTS: readonly (readonly [string, string, RegExp])[] = [
  ['not the schema', '{"a":"one"}', /a: /],
  ['prose', 'The value is one.', /not JSON/],
  ['cut', '{"a":', /not JSON/],
  ['a duplicate key', '{"a":1,"a":2}', /"a" is there twice/],
  ['a key that reaches a prototype', '{"a":1,"__proto__":{"admin":true}}', /__proto__/],
  ['nested without bottom', `${'['.repeat(5000)}${']'.repeat(5000)}`, /nested deeper/],
]

test.each(BAD_OUTPUTS)('an output that is %s is invalid, and the reply stays for a repair turn', (_what, text, words) => {
  const checked = checkReply(reply(text), expecting(z.object({ a: z.number() })))
  expect(failureOf(checked)).toMatchObject({ code: 'invalid_output', retryable: false })
  expect(failureOf(checked).message).toMatch(words)
  expect(checked.message.content).toBe(text)
})

test('an invalid output names the paths', () => {
  const schema = z.object({ items: z.array(z.object({ price: z.number() })) })
  const { details } = failureOf(checkReply(reply('{"items":[{"price":1},{"price":"x"}]}'), expecting(schema)))
  expect(details).toMatchObject({ issues: [{ path: 'items[1].price' }] })
})

test('a refusal in words is refused, with an output schema too, unless the detector is off', () => {
  const words = "I'm sorry, but I can't help with that."
  expect(failureOf(checkReply(reply(words)))).toMatchObject({ code: 'refused', details: { by: 'text' } })
  expect(failureOf(checkReply(reply(words), expecting(z.object({})))).code).toBe('refused')
  expect(checkReply(reply(words), { refusalDetector: false })).toMatchObject({ kind: 'text' })
  expect(failureOf(checkReply(reply(words), { ...expecting(z.object({})), refusalDetector: false })).code).toBe('invalid_output')
  expect(failureOf(checkReply(reply('NEIN'), { refusalDetector: (text) => text === 'NEIN' })).code).toBe('refused')
})

test('a valid output that speaks of a refusal is an output', () => {
  expect(checkReply(reply('"I can\'t help with that."'), expecting(z.string())).kind).toBe('output')
})

const tools = { find: { input: z.object({ id: z.number(), note: z.string().default('none') }) }, list: { input: z.object({}) } }

const callsOf = (calls: readonly ToolCall[]): Extract<ReturnType<typeof checkReply>, { readonly kind: 'calls' }> => {
  const checked = checkReply(reply('', { calls, finish: 'tool_calls' }), { tools })
  if (checked.kind !== 'calls') throw new Error(`expected calls, got ${checked.kind}`)
  return checked
}

test('valid calls carry their validated input', () => {
  const { calls } = callsOf([
    { id: 'a', name: 'find', args: { id: 1 } },
    { id: 'b', name: 'list', args: {} },
  ])
  expect(calls).toEqual([
    { call: { id: 'a', name: 'find', args: { id: 1 } }, input: { id: 1, note: 'none' } },
    { call: { id: 'b', name: 'list', args: {} }, input: {} },
  ])
})

const BAD_CALLS: readonly (readonly [string, ToolCall, string, RegExp])[] = [
  ['an unknown tool', { id: 'a', name: 'fnd', args: {} }, 'unknown_tool', /find, list/],
  ['a tool named like a property of every object', { id: 'a', name: 'toString', args: {} }, 'unknown_tool', /toString/],
  ['arguments that are no JSON', toToolCall('a', 'find', '{"id":'), 'invalid_args', /not JSON/],
  ['arguments that do not match', toToolCall('a', 'find', '{"id":"7"}'), 'invalid_args', /id: /],
  ['arguments that are a list', toToolCall('a', 'find', '[1]'), 'invalid_args', /object/],
  ['a __proto__ key', toToolCall('a', 'find', '{"id":1,"__proto__":{"admin":true}}'), 'invalid_args', /__proto__/],
  ['a nested constructor key', toToolCall('a', 'find', '{"id":1,"x":{"constructor":{"prototype":{}}}}'), 'invalid_args', /constructor/],
  ['a __proto__ key written with escapes', toToolCall('a', 'find', '{"id":1,"\\u005f_proto__":{}}'), 'invalid_args', /__proto__/],
  ['a duplicate key', toToolCall('a', 'find', '{"id":1,"id":2}'), 'invalid_args', /twice/],
  ['half an emoji', toToolCall('a', 'find', '{"id":1,"note":"\\ud83d"}'), 'invalid_args', /surrogate/],
  ['bottomless nesting', toToolCall('a', 'find', `{"id":${'['.repeat(3000)}${']'.repeat(3000)}}`), 'invalid_args', /nested deeper/],
  ['a __proto__ key from a provider in this process', { id: 'a', name: 'find', args: JSON.parse('{"id":1,"__proto__":{}}') as ToolCall['args'] }, 'invalid_args', /__proto__/],
]

test.each(BAD_CALLS)('a call with %s has a problem of its own, the others go on', (_what, call, code, words) => {
  const { calls } = callsOf([call, { id: 'ok', name: 'list', args: {} }])
  expect(calls[0]?.problem).toMatchObject({ code })
  expect(calls[0]?.problem?.message).toMatch(words)
  expect(calls[0]).not.toHaveProperty('input')
  expect(calls[1]).toEqual({ call: { id: 'ok', name: 'list', args: {} }, input: {} })
  expect(({} as { readonly admin?: boolean }).admin).toBeUndefined()
})

test('duplicate ids are replaced, the same way each time, in the thread as well', () => {
  const same = (id: string): ToolCall => ({ id, name: 'list', args: {} })
  const { calls, message } = callsOf([same('x'), same('x'), same('x_2'), same('x')])
  expect(calls.map(({ call }) => call.id)).toEqual(['x', 'x_3', 'x_2', 'x_4'])
  expect(message.calls).toEqual(calls.map(({ call }) => call))
  const long = 'i'.repeat(60)
  expect(callsOf([same(long), same(long)]).calls[1]?.call.id).toBe(`${'i'.repeat(38)}_2`)
})

test('a message whose ids are fine is handed through, not copied', () => {
  const original = reply('', { calls: [{ id: 'a', name: 'list', args: {} }] })
  expect(checkReply(original, { tools }).message).toBe(original.message)
})

test.for([{}, { tools: {} }])('a reply with calls where no tools were offered is malformed', (expected) => {
  const checked = checkReply(reply('', { calls: [{ id: 'a', name: 'list', args: {} }] }), expected)
  expect(checked).toMatchObject({ kind: 'failed', failure: { code: 'malformed_response', message: expect.stringContaining('calls list, but it was offered no tools') as string } })
})

test('calls of tools that somebody else knows are given as they are', () => {
  const calls = [{ id: 'a', name: 'list', args: {} }]
  expect(checkReply(reply('', { calls }), { anyCalls: true })).toMatchObject({ kind: 'calls', message: { calls } })
})
