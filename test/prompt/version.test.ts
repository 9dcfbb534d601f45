import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definePrompt, misfitsOf, promptHash, promptVersion, textPrompt, type Prompt } from '../../src/prompt/index.ts'

const inCode = definePrompt({
  id: 'answer',
  vars: z.object({ question: z.string(), tone: z.enum(['kind', 'dry']).default('kind'), docs: z.array(z.object({ title: z.string() })), note: z.string().optional() }),
  messages: '{{question}} {{tone}}',
})

/** Another version of the prompt. */
const kept = (vars: z.ZodObject, content: string): Prompt => definePrompt({ id: 'answer', vars, messages: content })
const misfits = (vars: z.ZodObject, content: string): readonly string[] => misfitsOf(kept(vars, content).document, inCode)
const given = { question: 'Why?', docs: [{ title: 'One' }, { title: 'Two' }] }

describe('a version of a prompt', () => {
  it('renders the kept template with the variables of the code, after a round trip through JSON', () => {
    const old = kept(z.object({ question: z.string(), docs: z.array(z.object({ title: z.string() })) }), 'Old: {{question}}{{#each docs}} [{{.title}}]{{/each}}')
    const version = promptVersion(inCode, JSON.parse(JSON.stringify(old.document)))
    expect(version.render(given as never)).toEqual([{ role: 'user', content: 'Old: Why? [One] [Two]' }])
    expect([version.id, version.hash, promptHash(version.document)]).toEqual(['answer', old.hash, old.hash])
  })

  it('is the prompt itself when nothing changed', () => {
    expect(promptVersion(inCode, inCode.document)).toBe(inCode)
  })

  it('has the defaults that its hash covers, also for a variable that is gone', () => {
    const old = kept(z.object({ question: z.string(), tone: z.enum(['kind', 'dry']).default('dry'), sign: z.string().default('Ada') }), '{{question}} {{tone}} {{sign}}')
    expect(promptVersion(inCode, old.document).render(given as never)).toEqual([{ role: 'user', content: 'Why? dry Ada' }])
    expect(promptVersion(inCode, old.document).render({ ...given, tone: 'kind' } as never)).toEqual([{ role: 'user', content: 'Why? kind Ada' }])
  })

  it('is validated by the schema of the code', () => {
    const version = promptVersion(inCode, kept(z.object({ question: z.string() }), '{{question}}').document)
    expect(() => version.render({ question: 1, docs: [] } as never)).toThrow(/invalid_input: The variables of prompt "answer" do not match its schema: question/)
  })

  it.each([
    ['a variable the code no longer declares', z.object({ topic: z.string() }), '{{topic}}', 'it needs the variable "topic", which the code no longer declares'],
    ['a variable the code may leave out', z.object({ note: z.string() }), '{{note}}', 'it needs the variable "note", which the code may leave out'],
    ['a list that is text now', z.object({ question: z.array(z.string()) }), '{{#each question}}{{.}}{{/each}}', '"question" was a list value and is a plain value in the code'],
    ['a default the code no longer takes', z.object({ tone: z.string().default('formal') }), '{{tone}}', 'its default of "tone" is "formal", which the code no longer takes'],
    ['an optional text that is a list now', z.object({ docs: z.string().optional() }), '{{docs}}', '"docs" was a plain value and is a list value in the code'],
    ['an optional variable that is gone', z.object({ topic: z.string().optional() }), '{{topic}}', 'messages[0] (user): {{topic}}: vars declares no "topic", it has question, tone, docs, note'],
    ['a field of the items that is gone', z.object({ docs: z.array(z.object({ text: z.string() })) }), '{{#each docs}}{{.text}}{{/each}}', 'messages[0] (user): {{.text}}: the items have no field "text"'],
  ])('does not fit when it needs %s', (_, vars, content, problem) => {
    expect(misfits(vars, content)).toEqual([problem])
    expect(() => promptVersion(inCode, kept(vars, content).document)).toThrow(problem)
  })

  it('fits with what the code gives beyond its needs', () => {
    expect(misfits(z.object({ tone: z.enum(['kind', 'dry']) }), '{{tone}}')).toEqual([])
    expect(misfits(z.object({ question: z.string().max(3) }), '{{question}}')).toEqual([])
  })

  it('of a later template language is refused', () => {
    expect(misfitsOf({ ...inCode.document, language: 2 } as never, inCode)).toEqual(['it is written in version 2 of the template language, and this release reads version 1'])
  })
})

describe('constant text', () => {
  it.each(['Hello.', 'Use {{name}} as it is.', 'A \\{{ and {{{ and }} stay.', ''])('is rendered as it stands: %j', (text) => {
    expect(textPrompt('p', text).render({} as never)).toEqual([{ role: 'user', content: text }])
  })

  it('has the hash of the same text in a prompt without variables', () => {
    expect(textPrompt('p', 'Hello.').hash).toBe(definePrompt({ id: 'q', vars: z.object({}), messages: 'Hello.' }).hash)
  })
})
