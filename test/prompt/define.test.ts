import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FailureError } from '../../src/failure/index.ts'
import { definePrompt, type Prompt } from '../../src/prompt/index.ts'

/** Defines a prompt as JavaScript would: without the compiler. */
const define = definePrompt as unknown as (definition: unknown) => Prompt
const problemsOf = (definition: unknown): unknown => {
  try {
    define(definition)
  } catch (error) {
    if (error instanceof FailureError && error.code === 'agent_invalid') return error.failure.details?.['problems']
    throw error
  }
  return []
}

const vars = z.object({
  question: z.string(),
  tone: z.string().nullable().optional(),
  docs: z.array(z.object({ title: z.string(), tags: z.array(z.string()).optional() })),
})
const of = (messages: unknown, more: object = {}): unknown => problemsOf({ id: 'p', vars, messages, ...more })

describe('definePrompt', () => {
  it('keeps id, variable names and messages with partials in place', () => {
    const prompt = definePrompt({
      id: 'support.answer',
      vars,
      partials: { rule: 'Be {{tone}}.' },
      messages: [{ role: 'system', content: 'Hello. {{> rule}}' }],
    })
    expect(prompt).toMatchObject({
      kind: 'prompt',
      id: 'support.answer',
      varNames: ['question', 'tone', 'docs'],
      messages: [{ role: 'system', content: 'Hello. Be {{tone}}.' }],
    })
  })

  it('takes text alone as one user message', () => {
    expect(definePrompt({ id: 'p', vars: z.object({}), messages: 'Hello' }).messages).toEqual([{ role: 'user', content: 'Hello' }])
  })

  it('accepts every tag of the language where it belongs', () => {
    expect(of('{{question}}{{#when tone}}{{tone}}{{else}}-{{/when}}{{#each docs}}{{.}}{{.title}}{{question}}{{#each .tags}}{{.}}{{/each}}{{/each}}\\{{x}}')).toEqual([])
  })

  it('is not disturbed by later changes of what it was made from', () => {
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const prompt = definePrompt({ id: 'p', vars: z.object({}), messages })
    messages[0] = { role: 'user', content: 'Bye' }
    expect([prompt.messages, prompt.render({})]).toEqual([[{ role: 'user', content: 'Hello' }], [{ role: 'user', content: 'Hello' }]])
  })

  it('reports every problem at once', () => {
    expect(of([{ role: 'system', content: '{{qestion}}' }, { role: 'tool', content: '{{#when tone}}' }, { role: 'user' }], { id: 'two words' })).toEqual([
      'the id is "two words", it must be text without spaces',
      'messages[1]: the role is "tool", it must be system, user or assistant',
      'messages[2]: content must be text',
      'messages[0] (system): {{qestion}}: vars declares no "qestion", it has question, tone, docs',
      'messages[1] (tool): {{#when tone}} is never closed: add {{/when}}',
    ])
  })

  it.each([
    ['a field the items lack', '{{#each docs}}{{.titel}}{{/each}}', '{{.titel}}: the items have no field "titel"'],
    ['a field of the items without its dot', '{{#each docs}}{{title}}{{/each}}', '{{title}}: vars declares no "title", it has question, tone, docs'],
    ['an item outside each', '{{.title}}', '{{.title}} stands outside {{#each}}'],
    ['an item after each', '{{#each docs}}{{/each}}{{.}}', '{{.}} stands outside {{#each}}'],
    ['each over text', '{{#each question}}{{.}}{{/each}}', '{{#each question}} needs a list'],
    ['each over an item that is no list', '{{#each docs}}{{#each .title}}{{/each}}{{/each}}', '{{#each .title}} needs a list'],
    ['an unknown variable in a condition', '{{#when nope}}{{/when}}', '{{nope}}: vars declares no "nope", it has question, tone, docs'],
    ['an unknown variable in the other branch', '{{#when tone}}{{else}}{{nope}}{{/when}}', '{{nope}}: vars declares no "nope", it has question, tone, docs'],
    ['a block that closes another', '{{#when tone}}{{/each}}{{/when}}', '{{/each}} closes nothing that is open'],
    ['a second else', '{{#when tone}}{{else}}{{else}}{{/when}}', '{{else}} stands outside {{#when}}'],
    ['braces that never close', 'Hello {{question', 'a {{ is never closed: add }}, or write \\{{ for two braces as text'],
    ['half of a surrogate pair', 'Hello \uD800', 'the text has half of a surrogate pair, which has no UTF-8 form'],
  ])('refuses %s', (_, messages, problem) => {
    expect(of(messages)).toEqual([`messages[0] (user): ${problem}`])
  })

  it.each(['{{}}', '{{two words}}', '{{#unless tone}}', '{{a.b}}', '{{..}}', '{{"a"}}'])('refuses %s, which is no tag, and shows the tags there are', (messages) => {
    expect(of(messages)).toEqual([expect.stringContaining('is not a tag: write {{name}}, {{@name}}')])
  })

  it('refuses a part in a message that is not the user’s', () => {
    expect(of([{ role: 'assistant', content: '{{@question}}' }])).toEqual(['messages[0] (assistant): {{@question}}: only user messages can hold parts'])
  })

  it('refuses partials that are missing, nested, unbalanced or end in a backslash', () => {
    const partials = { nested: '{{> leaf}}', leaf: 'x', open: '{{#when tone}}', escape: 'C:\\' }
    expect(of('{{> nope}}', { partials })).toEqual(['{{> nope}}: partials has no "nope"'])
    expect(of('{{> toString}}', { partials })).toEqual(['{{> toString}}: partials has no "toString"'])
    expect(of('{{> nested}}', { partials })).toEqual(['partial "nested": {{> leaf}} stands in a partial, and partials cannot include others'])
    expect(of('{{> open}}', { partials })).toEqual(['partial "open": {{#when tone}} is never closed: add {{/when}}'])
    expect(of('{{> escape}}', { partials })).toEqual(['partial "escape": it ends with a backslash, which would escape a tag after it'])
    expect(of('{{> leaf}}', { partials })).toEqual([])
  })

  it('refuses variables that are not an object, and no messages at all', () => {
    expect(problemsOf({ id: 'p', vars: z.string(), messages: [] })).toEqual(['messages is empty', 'vars must describe an object with named fields, as z.object({ … }) does'])
    expect(problemsOf({ id: 'p', vars, messages: 7 })).toEqual(['messages must be text or a list of { role, content }'])
  })

  it('lets a schema with further fields use names it does not list', () => {
    expect(problemsOf({ id: 'p', vars: z.looseObject({ a: z.string() }), messages: '{{b}}' })).toEqual([])
  })

  it('names the variable whose schema cannot be shown', () => {
    expect(() => define({ id: 'p', vars: z.object({ when: z.date() }), messages: 'x' })).toThrow(/agent_invalid: vars of prompt "p"/)
  })
})
