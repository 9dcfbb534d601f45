// What the compiler says about prompts. Checked by `tsc`, never run.
import { z } from 'zod'
import { expectTypeOf } from 'vitest'
import { definePrompt, loadPrompt, partSchema, type Part, type Prompt, type TemplateProblems } from '../../src/prompt/index.ts'

interface Vars {
  readonly question: string
  readonly tone?: string
  readonly docs: readonly { readonly title: string; readonly tags?: readonly string[] }[]
  readonly photo: Part
  readonly photos?: readonly Part[]
}
type Wrong<P extends string> = { readonly messages: { readonly [Problem in P]: never } }
type InSystem<Content extends string> = readonly [{ readonly role: 'system'; readonly content: Content }]

// Everything of the language, used rightly.
expectTypeOf<TemplateProblems<'no tags', Vars, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{question}} {{ tone }} {{docs}}', Vars, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{#when tone}}{{tone}}{{else}}plain{{/when}}', Vars, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{#each docs}}{{.}} {{.title}} {{question}} {{#each .tags}}{{.}}{{/each}}{{.title}}{{/each}}', Vars, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{@photo}}{{@photos}}{{#each photos}}{{@.}}{{/each}}', Vars, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'\\{{ not a tag }} {"a":{{question}}} {{{question}}}', Vars, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{> row}}', Vars, { row: '{{question}}' }>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{#each docs}}{{> row}}{{/each}}', Vars, { row: '{{.title}}' }>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<'{{anything}}', { readonly [name: string]: string }, {}>>().toEqualTypeOf<unknown>()
expectTypeOf<TemplateProblems<string, Vars, {}>>().toEqualTypeOf<unknown>()

// Each mistake, with the words that the compiler shows.
expectTypeOf<TemplateProblems<'{{qestion}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{qestion}}: vars declares no "qestion"'>>()
expectTypeOf<TemplateProblems<'{{a}} {{b}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{a}}: vars declares no "a"' | '{{b}}: vars declares no "b"'>>()
expectTypeOf<TemplateProblems<'{{#when nope}}x{{/when}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{nope}}: vars declares no "nope"'>>()
expectTypeOf<TemplateProblems<'{{#each docs}}{{.titel}}{{/each}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{.titel}}: the items have no field "titel"'>>()
expectTypeOf<TemplateProblems<'{{#each docs}}{{title}}{{/each}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{title}}: vars declares no "title"'>>()
expectTypeOf<TemplateProblems<'{{#each question}}{{.x}}{{/each}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{#each question}} needs a list'>>()
expectTypeOf<TemplateProblems<'{{#each photo}}{{@.}}{{/each}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{#each photo}} needs a list'>>()
expectTypeOf<TemplateProblems<'{{.title}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{.title}} stands outside {{#each}}'>>()
expectTypeOf<TemplateProblems<'{{#each docs}}{{/each}}{{.}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{.}} stands outside {{#each}}'>>()
expectTypeOf<TemplateProblems<'{{#when tone}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{#when}} is never closed'>>()
expectTypeOf<TemplateProblems<'{{#when tone}}{{#each docs}}{{/when}}{{/each}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{/when}} closes nothing that is open' | '{{#when}} is never closed'>>()
expectTypeOf<TemplateProblems<'{{else}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{else}} stands outside {{#when}}'>>()
expectTypeOf<TemplateProblems<'{{question', Vars, {}>>().toEqualTypeOf<Wrong<'a {{ is never closed: add }}'>>()
expectTypeOf<TemplateProblems<'{{> tone}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{> tone}}: partials has no "tone"'>>()
expectTypeOf<TemplateProblems<'{{> row}}', Vars, { row: '{{style}}' }>>().toEqualTypeOf<Wrong<'{{style}}: vars declares no "style"'>>()
expectTypeOf<TemplateProblems<'{{> row}}', Vars, { row: '{{> row}}' }>>().toEqualTypeOf<Wrong<'partial "row": partials cannot include others'>>()
expectTypeOf<TemplateProblems<'{{photo}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{photo}} is a part of a message: write {{@photo}}'>>()
expectTypeOf<TemplateProblems<'{{@question}}', Vars, {}>>().toEqualTypeOf<Wrong<'{{@question}} is not a part of a message: write {{question}}'>>()
expectTypeOf<TemplateProblems<InSystem<'{{@photo}}'>, Vars, {}>>().toEqualTypeOf<Wrong<'{{@photo}}: only user messages can hold parts'>>()

const vars = z.object({ question: z.string(), lines: z.number().default(3), tone: z.string().optional() })

const answer = definePrompt({
  id: 'answer',
  vars,
  messages: [
    { role: 'system', content: 'Answer in {{lines}} lines.{{#when tone}} Be {{tone}}.{{/when}}' },
    { role: 'user', content: '{{question}}' },
  ],
})
expectTypeOf(answer).toEqualTypeOf<Prompt<{ question: string; lines?: number | undefined; tone?: string | undefined }>>()
answer.render({ question: 'Why?' })
// @ts-expect-error question is missing
answer.render({ lines: 2 })
// @ts-expect-error question must be text
answer.render({ question: 2 })

// @ts-expect-error a placeholder that vars does not declare
definePrompt({ id: 'answer', vars, messages: 'Hi {{qestion}}' })
definePrompt({
  id: 'answer',
  vars,
  // @ts-expect-error the mistake is in the second message
  messages: [
    { role: 'system', content: 'Hi' },
    { role: 'user', content: '{{nope}}' },
  ],
})
// @ts-expect-error not a role
definePrompt({ id: 'answer', vars, messages: [{ role: 'tool', content: '{{question}}' }] })
// @ts-expect-error the partial uses what vars does not declare
definePrompt({ id: 'answer', vars, partials: { style: '{{style}}' }, messages: '{{> style}}' })
definePrompt({ id: 'describe', vars: z.object({ photo: partSchema }), messages: 'What is this?\n{{@photo}}' }).render({ photo: { type: 'image', data: { url: 'https://example.com/a.png' } } })

// A prompt from a file has the type of its variables.
loadPrompt('answer.md', { vars }) satisfies Prompt<{ question: string }>
// @ts-expect-error the file is rendered with what vars declares
loadPrompt('answer.md', { vars: z.object({ question: z.string() }) }) satisfies Prompt<{ query: string }>
