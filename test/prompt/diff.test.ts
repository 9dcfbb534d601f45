import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Json } from '../../src/failure/index.ts'
import { definePrompt, diffJson, diffPrompts, diffWords, formatJsonChanges, formatPromptDiff, type PromptDocument, type PromptMessage, type WordChange } from '../../src/prompt/index.ts'
import { canonical } from '../../src/schema/index.ts'

const join = (changes: readonly WordChange[], without: WordChange['kind']): string => changes.map(({ kind, text }) => (kind === without ? '' : text)).join('')

const documentOf = (messages: readonly PromptMessage[], vars: z.ZodObject = z.object({})): PromptDocument => definePrompt({ id: 'p', vars, messages }).document

describe('diffWords', () => {
  it('shows words that went before words that came', () => {
    expect(diffWords('Answer in three short sentences.', 'Answer in two sentences, please.')).toEqual([
      { kind: 'same', text: 'Answer in ' },
      { kind: 'removed', text: 'three' },
      { kind: 'added', text: 'two' },
      { kind: 'same', text: ' ' },
      { kind: 'removed', text: 'short ' },
      { kind: 'same', text: 'sentences' },
      { kind: 'added', text: ', please' },
      { kind: 'same', text: '.' },
    ])
  })

  it('compares scripts without spaces by character', () => {
    expect(diffWords('请用两句话回答。', '请用三句话回答。')).toEqual([
      { kind: 'same', text: '请用' },
      { kind: 'removed', text: '两' },
      { kind: 'added', text: '三' },
      { kind: 'same', text: '句话回答。' },
    ])
  })

  it('keeps both texts whole, and finds nothing between equal ones', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'word', ' ', '\n', ', ', '{{x}}', '日本', '👍🏽'), { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(words, words, (before, after) => {
        const changes = diffWords(before, after)
        expect([join(changes, 'added'), join(changes, 'removed')]).toEqual([before, after])
        expect(changes.every(({ kind }) => kind === 'same')).toBe(before === after)
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  it('makes the fewest edits', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 })
    const longestCommon = (a: readonly string[], b: readonly string[]): number => {
      const [first, ...rest] = a
      if (first === undefined) return 0
      const at = b.indexOf(first)
      return Math.max(longestCommon(rest, b), at === -1 ? 0 : 1 + longestCommon(rest, b.slice(at + 1)))
    }
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const kept = diffWords(a.join('.'), b.join('.'))
          .filter(({ kind }) => kind === 'same')
          .map(({ text }) => text)
          .join('')
        expect(kept.length).toBe(longestCommon([...a.join('.')], [...b.join('.')]))
      }),
      { seed: 4, numRuns: 40 },
    )
  })

  it('replaces the whole of texts with nothing much in common instead of working for ever', () => {
    const text = (prefix: string): string => Array.from({ length: 2_000 }, (_, index) => `${prefix}${index}`).join(' ')
    const changes = diffWords(text('a'), text('b'))
    expect(changes.map(({ kind }) => kind)).toEqual(['removed', 'added'])
  })
})

describe('diffJson', () => {
  it('names each place that differs, and what came and went in lists of names', () => {
    const changes = diffJson({ a: 1, list: ['x', 'y'], gone: null, deep: { rows: [{ n: 1 }, { n: 2 }] } }, { a: '1', list: ['y', 'z'], deep: { rows: [{ n: 1 }, { n: 3 }, {}] } })
    expect(changes).toEqual([
      { path: 'a', kind: 'changed', before: 1, after: '1' },
      { path: 'deep.rows[1].n', kind: 'changed', before: 2, after: 3 },
      { path: 'deep.rows[2]', kind: 'added', after: {} },
      { path: 'gone', kind: 'removed', before: null },
      { path: 'list', kind: 'removed', before: 'x' },
      { path: 'list', kind: 'added', after: 'z' },
    ])
    expect(formatJsonChanges(changes)).toBe('~ a: 1 → "1"\n~ deep.rows[1].n: 2 → 3\n+ deep.rows[2]: {}\n- gone: null\n- list: "x"\n+ list: "z"')
  })

  it('finds differences between two documents exactly when they are not equal', () => {
    const json = fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json)
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(diffJson(a, structuredClone(a))).toEqual([])
        expect(diffJson(a, b).length === 0).toBe(canonical(a) === canonical(b))
        expect(diffJson([a], [a, b])).not.toEqual([])
      }),
      { seed: 4, numRuns: 300 },
    )
  })
})

describe('diffPrompts', () => {
  const before = documentOf(
    [
      { role: 'system', content: 'You are kind.' },
      { role: 'user', content: '{{question}}' },
    ],
    z.object({ question: z.string().max(100), tone: z.enum(['a', 'b']) }),
  )
  const after = documentOf(
    [
      { role: 'system', content: 'You are very kind.' },
      { role: 'user', content: 'What is rain?' },
      { role: 'assistant', content: 'Water.' },
      { role: 'user', content: '{{question}}' },
    ],
    z.object({ question: z.string().max(200), tone: z.enum(['a', 'c']).optional(), more: z.boolean() }),
  )

  it('sees examples that were put in between, a message that changed and variables that did', () => {
    const diff = diffPrompts(before, after)
    expect(diff.same).toBe(false)
    expect(diff.messages.map(({ kind, role }) => `${kind} ${role}`)).toEqual(['changed system', 'added user', 'added assistant', 'same user'])
    expect(formatPromptDiff(diff)).toBe(
      [
        '~ system',
        '    You are {+very +}kind.',
        '+ user',
        '    What is rain?',
        '+ assistant',
        '    Water.',
        '  user',
        '    {{question}}',
        'vars',
        '    + properties.more: {"type":"boolean"}',
        '    ~ properties.question.maxLength: 100 → 200',
        '    - properties.tone.enum: "b"',
        '    + properties.tone.enum: "c"',
        '    - required: "tone"',
        '    + required: "more"',
      ].join('\n'),
    )
  })

  it('is the same exactly when the hashes are', () => {
    expect(formatPromptDiff(diffPrompts(before, before))).toBe('no difference')
    expect(diffPrompts(before, JSON.parse(JSON.stringify(before)) as PromptDocument).same).toBe(true)
    expect(diffPrompts(after, before).same).toBe(false)
  })

  it('shows a message whose role changed as one that went and one that came', () => {
    const diff = diffPrompts(documentOf([{ role: 'user', content: 'Hi' }]), documentOf([{ role: 'system', content: 'Hi' }]))
    expect(diff.messages).toEqual([
      { kind: 'removed', role: 'user', words: [{ kind: 'removed', text: 'Hi' }] },
      { kind: 'added', role: 'system', words: [{ kind: 'added', text: 'Hi' }] },
    ])
  })
})
