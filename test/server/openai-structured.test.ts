// Structured outputs through the door: what a client asks for by `response_format` is what it gets, or an error.
import { zodResponseFormat } from 'openai/helpers/zod'
import { describe, expect, test } from 'vitest'
import { replyCalls, replyText } from 'stateloop'
import { z } from 'zod'
import { openDoor, refusalOf } from './openai-world.ts'

const Weather = z.object({ city: z.string(), celsius: z.number() })
const response_format = zodResponseFormat(Weather, 'weather')
const messages = [{ role: 'user' as const, content: 'Weather?' }]
const VALID = '{"city":"Bern","celsius":7}'

describe('response_format with a schema', () => {
  test('gives what the schema allows, and the SDK parses it', async () => {
    await using door = await openDoor({ rules: () => replyText(VALID) })
    const { choices } = await door.client.chat.completions.parse({ model: 'fast', messages, response_format })
    expect(choices[0]?.message.parsed).toEqual({ city: 'Bern', celsius: 7 })
    expect(door.asked[0]?.output).toMatchObject({ name: 'weather', schema: { type: 'object', required: ['city', 'celsius'] } })
  })

  test('lets the model repair a reply that does not match, and bills both', async () => {
    await using door = await openDoor({ rules: ({ messages: said }) => replyText(said.length === 1 ? '{"city":"Bern"}' : VALID, { usage: { inputTokens: 10, outputTokens: 5 } }) })
    const { choices, usage } = await door.client.chat.completions.parse({ model: 'fast', messages, response_format })
    expect(choices[0]?.message.parsed).toEqual({ city: 'Bern', celsius: 7 })
    expect(door.asked).toHaveLength(2)
    expect(JSON.stringify(door.asked[1]?.messages.at(-1))).toContain('celsius')
    expect(usage?.prompt_tokens).toBe(20)
  })

  test('fails as invalid_output when no reply matches', async () => {
    await using door = await openDoor({ rules: () => replyText('{"city":7,"celsius":7}') })
    const error = await refusalOf(door.client.chat.completions.create({ model: 'fast', messages, response_format }))
    expect([error.status, error.code, error.headers?.get('x-should-retry')]).toEqual([502, 'invalid_output', 'false'])
    expect(error.message).toContain('city')
  })

  test('takes the JSON out of a code fence, whole and streamed', async () => {
    await using door = await openDoor({ rules: () => replyText(`\`\`\`json\n${VALID}\n\`\`\``) })
    expect((await door.client.chat.completions.create({ model: 'fast', messages, response_format })).choices[0]?.message.content).toBe(VALID)
    const stream = door.client.chat.completions.stream({ model: 'fast', messages, response_format })
    expect((await stream.finalChatCompletion()).choices[0]?.message.parsed).toEqual({ city: 'Bern', celsius: 7 })
  })

  test('streams a valid reply as it comes, and ends one that turns out wrong with an error', async () => {
    await using right = await openDoor({ rules: () => replyText(VALID) })
    const pieces: string[] = []
    for await (const { choices } of await right.client.chat.completions.create({ model: 'fast', messages, response_format, stream: true })) pieces.push(choices[0]?.delta.content ?? '')
    expect(pieces.join('')).toBe(VALID)
    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(1)
    await using wrong = await openDoor({ rules: () => replyText('{"city":"Bern","celsius":"cold"}') })
    const error = await refusalOf(wrong.client.chat.completions.stream({ model: 'fast', messages, response_format }).finalChatCompletion())
    expect(error.error).toMatchObject({ type: 'server_error', stateloop_code: 'stream_truncated' })
  })

  test('leaves a reply that was cut off and a request for tools to the client', async () => {
    await using cut = await openDoor({ rules: () => replyText('{"city":"Be', { finish: 'length' }) })
    expect((await cut.client.chat.completions.create({ model: 'fast', messages, response_format })).choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '{"city":"Be' } })
    await using calls = await openDoor({ rules: () => replyCalls({ name: 'look', args: {} }) })
    const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
    expect((await calls.client.chat.completions.create({ model: 'fast', messages, response_format, tools })).choices[0]?.finish_reason).toBe('tool_calls')
  })
})

test('response_format json_object holds the reply to any JSON object', async () => {
  await using door = await openDoor({ rules: ({ messages: said }) => replyText(said.length === 1 ? 'Sure: rain.' : '{"sky":"rain"}') })
  expect((await door.client.chat.completions.create({ model: 'fast', messages, response_format: { type: 'json_object' } })).choices[0]?.message.content).toBe('{"sky":"rain"}')
  expect(door.asked).toHaveLength(2)
})

test('a schema of any draft is followed, and what of it cannot be followed holds nothing up', async () => {
  const asking = (schema: Record<string, unknown>) => ({ model: 'fast', messages, response_format: { type: 'json_schema' as const, json_schema: { name: 'x', schema } } })
  await using door = await openDoor({ rules: () => replyText('{"a":1}') })
  const code = async (schema: Record<string, unknown>): Promise<unknown> => (await refusalOf(door.client.chat.completions.create(asking(schema)))).code
  expect(await code({ type: 'object', if: { properties: { a: { const: 1 } } }, then: { required: ['b'] } })).toBe('invalid_output')
  expect(await code({ $ref: '#/$defs/n', $defs: { n: { type: 'object', properties: { a: { $ref: '#/$defs/s' } } }, s: { type: 'string' } } })).toBe('invalid_output')
  expect(await code({ type: 'object', not: { required: ['a'] } })).toBe('invalid_output')
  const broken = await door.client.chat.completions.create(asking({ type: 'object', properties: { a: { $ref: '#/nowhere' } } }))
  expect(broken.choices[0]?.message.content).toBe('{"a":1}')
})
