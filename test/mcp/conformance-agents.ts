// The agents that the conformance suite calls by their names.
import { setupAgent, type AnyAgent } from 'stateloop'
import type { McpServeOptions } from 'stateloop/mcp'
import { z } from 'zod'

/** An agent of the given name that passes some states and says a text, or fails. */
const speaker = (id: string, text: string | undefined, input: z.ZodType = z.object({})): AnyAgent => {
  const t = setupAgent({ id, models: {}, input: input as z.ZodType<object>, onFailure: 'failed' })
  const step = (onDone: 'second' | 'third' | 'said'): any =>
    t.code({
      run: () => {
        if (text === undefined) throw new Error('This tool intentionally returns an error for testing')
        return null
      },
      onDone,
    })
  return t.createAgent({
    initial: 'first',
    states: { first: step('second'), second: step('third'), third: step('said'), said: t.final({ output: () => text ?? '' }), failed: t.final({ outcome: 'failed' }) },
  }) as unknown as AnyAgent
}

/** A schema that is shown as given, and accepts everything. */
const shownAs = (schema: object): z.ZodType => ({ '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }), jsonSchema: { input: () => schema, output: () => schema } } }) as never

/** An agent that waits for a person to fill in a form. */
const asker = (id: string, properties: { readonly [field: string]: object }, input: z.ZodType = z.object({})): AnyAgent => {
  const event = shownAs({ type: 'object', properties, required: [] }) as z.ZodType<object>
  const t = setupAgent({ id, models: {}, input: input as z.ZodType<object>, events: { ANSWER: event }, onFailure: 'failed' })
  return t.createAgent({
    initial: 'asking',
    states: { asking: t.human({ show: () => 'Please fill this in.', on: { ANSWER: 'answered' } }), answered: t.final({ output: () => 'Thank you.' }), failed: t.final({ outcome: 'failed' }) },
  }) as unknown as AnyAgent
}

const text = { type: 'string' }
const options = ['option1', 'option2', 'option3']
const titled = [
  { const: 'value1', title: 'First' },
  { const: 'value2', title: 'Second' },
]
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' } as const
const resource = { type: 'resource', resource: { uri: 'test://resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' } } as const

export const agents: readonly AnyAgent[] = [
  speaker('test_simple_text', 'This is a simple text response for testing.'),
  speaker('test_tool_with_progress', 'done'),
  speaker('test_tool_with_logging', 'done'),
  speaker('test_reconnection', 'done'),
  speaker('test_error_handling', undefined),
  speaker('test_image_content', 'An image.'),
  speaker('test_audio_content', 'A sound.'),
  speaker('test_embedded_resource', 'A resource.'),
  speaker('test_multiple_content_types', 'Several.'),
  speaker(
    'json_schema_2020_12_tool',
    'done',
    shownAs({ type: 'object', $defs: { address: { type: 'object', properties: { street: text, city: text } } }, properties: { name: text, address: { $ref: '#/$defs/address' } }, additionalProperties: false }),
  ),
  asker('test_elicitation', { username: text, email: text }, z.object({ message: z.string() })),
  asker('test_elicitation_sep1034_defaults', {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  }),
  asker('test_elicitation_sep1330_enums', {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['One', 'Two'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  }),
]

export const outputs: NonNullable<McpServeOptions['outputs']> = {
  test_image_content: () => [image],
  test_audio_content: () => [{ type: 'audio', data: 'UklGRiQAAABXQVZFZm10IBAAAAABAAEA', mimeType: 'audio/wav' }],
  test_embedded_resource: () => [resource],
  test_multiple_content_types: (output) => [{ type: 'text', text: String(output) }, image, resource],
}
