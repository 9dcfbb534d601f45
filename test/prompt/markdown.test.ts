import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { definePrompt, loadPrompt, promptFromMarkdown } from '../../src/prompt/index.ts'

const vars = z.object({ question: z.string(), tone: z.string() })

const text = `---
id: support.answer
partials:
  rule: |
    Stay {{tone}}.
---

# system

You answer questions.
{{> rule}}

# Style

Short sentences.

# user
{{question}}

# assistant
\`\`\`\`md
# user
\`\`\`
# system
\`\`\`\`
Next?
`

const same = definePrompt({
  id: 'support.answer',
  vars,
  messages: [
    { role: 'system', content: 'You answer questions.\nStay {{tone}}.\n\n# Style\n\nShort sentences.' },
    { role: 'user', content: '{{question}}' },
    { role: 'assistant', content: '````md\n# user\n```\n# system\n````\nNext?' },
  ],
})

describe('promptFromMarkdown', () => {
  it('reads messages from role headings; other headings and fenced ones are text', () => {
    const prompt = promptFromMarkdown(text, { vars })
    expect([prompt.id, prompt.messages]).toEqual([same.id, same.messages])
  })

  it('gives the hash that the same prompt has in code, whatever the line ends and with a byte order mark', () => {
    expect(promptFromMarkdown(text, { vars }).hash).toBe(same.hash)
    expect(promptFromMarkdown(`\uFEFF${text.replaceAll('\n', '\r\n')}`, { vars }).hash).toBe(same.hash)
  })

  it('takes a file without headings as one user message', () => {
    expect(promptFromMarkdown('---\nid: p\n---\n\n# Hello\n{{question}}\n', { vars }).messages).toEqual([{ role: 'user', content: '# Hello\n{{question}}' }])
  })

  it('takes partials that prompts share from the options', () => {
    const prompt = promptFromMarkdown('---\nid: p\n---\n{{> rule}}', { vars, partials: { rule: 'Be {{tone}}.' } })
    expect(prompt.render({ question: '', tone: 'kind' })).toEqual([{ role: 'user', content: 'Be kind.' }])
  })

  it('makes the same checks as a prompt in code', () => {
    expect(() => promptFromMarkdown('---\nid: p\n---\n# system\n{{nope}}\n# user\n{{> gone}}', { vars })).toThrow(
      'agent_invalid: The prompt "p" cannot be used:\n- {{> gone}}: partials has no "gone"\n- messages[0] (system): {{nope}}: vars declares no "nope", it has question, tone',
    )
  })

  it.each([
    ['no front matter', 'Hello', 'it has no front matter. Begin with a line `---`'],
    ['front matter that never ends', '---\nid: p\nHello', 'it has no front matter'],
    ['front matter that is no map', '---\n- p\n---\n', 'its front matter must be a map with an id.'],
    ['front matter that is not YAML', '---\nid: [\n---\n', 'its front matter is not YAML ('],
    ['no id', '---\n\n---\nHello', 'its front matter must be a map with an id.'],
    ['an id that is no text', '---\nid: 7\n---\nHello', 'its front matter has no id.'],
    ['a key with a typo', '---\nid: p\npartial: {}\n---\nHello', 'its front matter has partial; only id and partials are known.'],
    ['partials that are no map', '---\nid: p\npartials: [a]\n---\nHello', 'partials in the front matter must be a map of texts.'],
    ['a partial that is no text', '---\nid: p\npartials: { a: 1 }\n---\nHello', 'the partial "a" is not text.'],
    ['text before the first heading', '---\nid: p\n---\nHello\n# user\nHi', 'there is text before the first heading ("Hello").'],
    ['a partial given twice', '---\nid: p\npartials: { shared: a }\n---\nHello', 'the partials shared are given both in the front matter and in the options.'],
  ])('refuses %s', (_, markdown, problem) => {
    expect(() => promptFromMarkdown(markdown, { vars, partials: { shared: 'x' } })).toThrow(`agent_invalid: The Markdown text cannot be read as a prompt: ${problem}`)
  })
})

describe('loadPrompt', () => {
  const directory = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'prompt-'))
    onTestFinished(() => rmSync(made, { recursive: true }))
    return made
  }

  it('reads a file by path or by file URL', () => {
    const path = join(directory(), 'answer prompt.md')
    writeFileSync(path, text)
    expect(loadPrompt(path, { vars }).hash).toBe(same.hash)
    expect(loadPrompt(pathToFileURL(path), { vars }).hash).toBe(same.hash)
    expect(loadPrompt(pathToFileURL(path).href, { vars }).hash).toBe(same.hash)
  })

  it('names the file that is missing or wrong', () => {
    const path = join(directory(), 'answer.md')
    expect(() => loadPrompt(path, { vars })).toThrow(`agent_invalid: ${path} cannot be read as a prompt: the file could not be opened (ENOENT`)
    writeFileSync(path, 'Hello')
    expect(() => loadPrompt(path, { vars })).toThrow(`agent_invalid: ${path} cannot be read as a prompt: it has no front matter`)
  })
})
