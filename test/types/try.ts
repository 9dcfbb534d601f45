import { z } from 'zod'
import { definePrompt, partSchema } from '../../src/prompt/index.ts'
const vars = z.object({ question: z.string(), n: z.number().optional(), docs: z.array(z.object({ title: z.string(), tags: z.array(z.string()).optional() })), photo: partSchema, photos: z.array(partSchema).optional() })
export const ok = definePrompt({ id: 'a', vars, partials: { tone: 'Be {{n}}', row: '{{.title}}' }, messages: [
 { role: 'system', content: 'x \\{{ not }} {{> tone}} {{#when n}}{{n}}{{else}}none{{/when}} {{#each docs}}{{> row}} {{.}} {{#each .tags}}{{.}}{{/each}}{{.title}}{{question}}{{/each}} {"a":{{n}}} {{{n}}}' },
 { role: 'user', content: '{{ question }}\n{{@photo}}\n{{@photos}}{{#each photos}}{{@.}}{{/each}}' } ] })
ok.render({ question: '', docs: [], photo: { type: 'text', text: '' } })
ok.render({ docs: [], photo: { type: 'text', text: '' } })
definePrompt({ id: 'a', vars, messages: 'Hi {{qestion}} and {{other}}' })
definePrompt({ id: 'a', vars, messages: [{ role: 'system', content: '{{@photo}}' }] })
definePrompt({ id: 'a', vars, messages: '{{photo}}' })
definePrompt({ id: 'a', vars, messages: '{{#each docs}}{{.titel}}{{/each}}' })
definePrompt({ id: 'a', vars, messages: '{{.title}}' })
definePrompt({ id: 'a', vars, messages: '{{#each question}}{{.titel}}{{/each}}' })
definePrompt({ id: 'a', vars, messages: '{{#when question}}' })
definePrompt({ id: 'a', vars, messages: '{{> tone}}' })
definePrompt({ id: 'a', vars, partials: { tone: '{{style}}' }, messages: '{{> tone}}' })
definePrompt({ id: 'a', vars, messages: [{ role: 'usr', content: '{{@photo}}' }] })
