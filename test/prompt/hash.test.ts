import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definePrompt, promptHash, type Partials } from '../../src/prompt/index.ts'

const system = 'You answer briefly. {{> rule}}'
const rule = 'Stay {{tone}}.'
const tone = z.enum(['kind', 'dry'])

/** The hash of one prompt with some things changed. */
const hashWith = (changed: { id?: string; vars?: z.ZodObject; content?: string; role?: 'system' | 'user'; partials?: Partials } = {}): string =>
  definePrompt({
    id: changed.id ?? 'answer',
    vars: changed.vars ?? z.object({ question: z.string().max(2_000), tone }),
    partials: changed.partials ?? { rule },
    messages: [
      { role: changed.role ?? 'system', content: changed.content ?? system },
      { role: 'user', content: '{{question}}' as string },
    ],
  }).hash

const base = hashWith()

describe('promptHash', () => {
  it('is the SHA-256 of canonical JSON, as any other program computes it', () => {
    const json =
      '{"language":1,"messages":[{"content":"You answer briefly. Stay {{tone}}.","role":"system"},{"content":"{{question}}","role":"user"}],' +
      '"vars":{"properties":{"question":{"maxLength":2000,"type":"string"},"tone":{"enum":["dry","kind"],"type":"string"}},"required":["question","tone"],"type":"object"}}'
    expect(base).toBe(createHash('sha256').update(json).digest('hex'))
    expect(base).toBe('72733395df06b610197ae17d231a8a29243394e159b68c3cc55679af910913ce')
  })

  it('is the hash of the document that a content store keeps, also after a round trip through JSON', () => {
    const prompt = definePrompt({ id: 'p', vars: z.object({ a: z.string() }), messages: 'Hi {{a}}' })
    const document = prompt.document
    expect(document).toEqual({
      language: 1,
      messages: [{ role: 'user', content: 'Hi {{a}}' }],
      vars: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    })
    expect(promptHash(JSON.parse(JSON.stringify(document)))).toBe(prompt.hash)
  })

  it.each([
    ['a word of a message', { content: `${system} Now.` }],
    ['a space', { content: `${system} ` }],
    ['the role of a message', { role: 'user' }],
    ['the text of a partial', { partials: { rule: 'Be {{tone}}.' } }],
    ['a constraint of a variable', { vars: z.object({ question: z.string().max(1_000), tone }) }],
    ['whether a variable may be absent', { vars: z.object({ question: z.string().max(2_000).optional(), tone }) }],
    ['a default', { vars: z.object({ question: z.string().max(2_000), tone: tone.default('dry') }) }],
    ['the values of an enum', { vars: z.object({ question: z.string().max(2_000), tone: z.enum(['kind', 'dry', 'odd']) }) }],
    ['a further variable', { vars: z.object({ question: z.string().max(2_000), tone, more: z.string() }) }],
  ] as const)('changes with %s', (_, changed) => {
    expect(hashWith(changed)).not.toBe(base)
  })

  it.each([
    ['the id', { id: 'other' }],
    ['the name of a partial', { content: 'You answer briefly. {{> other}}', partials: { other: rule } }],
    ['text moved into a message from its partial', { content: `You answer briefly. ${rule}`, partials: {} }],
    ['a partial nobody uses', { partials: { rule, unused: 'x' } }],
    ['the order in which variables are declared', { vars: z.object({ tone, question: z.string().max(2_000) }) }],
    ['the order of enum values', { vars: z.object({ question: z.string().max(2_000), tone: z.enum(['dry', 'kind']) }) }],
  ] as const)('does not change with %s', (_, changed) => {
    expect(hashWith(changed)).toBe(base)
  })

  it('does not change with the line ends of a checkout', () => {
    const hash = (content: string, partial: string): string => hashWith({ content: `${content} {{> p}}`, partials: { p: partial } })
    expect(hash('a\r\nb', 'c\r\nd')).toBe(hash('a\nb', 'c\nd'))
  })

  it('takes text as it is written, and does not make two ways to write an accent one', () => {
    expect(hashWith({ content: 'Caf\u00e9 {{> rule}}' })).not.toBe(hashWith({ content: 'Cafe\u0301 {{> rule}}' }))
    expect(hashWith({ content: 'Caf\u00e9 {{> rule}}' })).toBe(hashWith({ content: 'Café {{> rule}}' }))
  })

  it('keeps the order of messages', () => {
    const hash = (contents: readonly string[]): string => definePrompt({ id: 'p', vars: z.object({}), messages: contents.map((content) => ({ role: 'user', content })) }).hash
    expect(hash(['a', 'b'])).not.toBe(hash(['b', 'a']))
    expect(hash(['ab'])).not.toBe(hash(['a', 'b']))
  })

  it('takes fields called required or enum for what they are', () => {
    const schema = (order: 'ab' | 'ba'): z.ZodObject => z.object({ required: z.tuple([z.literal(order === 'ab' ? 'a' : 'b'), z.literal(order === 'ab' ? 'b' : 'a')]), enum: z.string() })
    const hash = (vars: z.ZodObject): string => definePrompt({ id: 'p', vars, messages: 'x' }).hash
    expect(hash(schema('ab'))).not.toBe(hash(schema('ba')))
  })
})
