import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitMarkdown, splitText } from '../../src/tool/markdown.ts'

describe('splitMarkdown', () => {
  it('cuts at headings and names each section by the headings above it', () => {
    const page = ['Before.', '# Guide', 'Intro.', '## Set `up` it', 'Do [this](x.md).', '### Deep', 'More.', '## Limits ##', 'End.'].join('\n')
    expect(splitMarkdown(page, 'guide', 500)).toEqual([
      { anchor: '', title: 'guide', text: 'Before.' },
      { anchor: 'guide', title: 'Guide', text: 'Intro.' },
      { anchor: 'set-up-it', title: 'Guide › Set up it', text: 'Do [this](x.md).' },
      { anchor: 'deep', title: 'Guide › Set up it › Deep', text: 'More.' },
      { anchor: 'limits', title: 'Guide › Limits', text: 'End.' },
    ])
  })

  it('gives repeated headings numbered anchors and skips sections without text', () => {
    const page = '# A\n## Notes\none\n# B\n## Notes\ntwo'
    expect(splitMarkdown(page, 'x', 500).map(({ anchor, title }) => [anchor, title])).toEqual([
      ['notes', 'A › Notes'],
      ['notes-1', 'B › Notes'],
    ])
  })

  it('takes a # inside a code fence for code, whatever the fence', () => {
    const page = '# Run\n```sh\n# not a heading\n```\n~~~~\n# nor this\n~~~\n# nor this\n~~~~\n## Next\ntext'
    expect(splitMarkdown(page, 'x', 500).map(({ anchor }) => anchor)).toEqual(['run', 'next'])
  })

  it('leaves front matter and comments out and takes the title the front matter states', () => {
    const page = '---\ntitle: "The Guide"\nauthor: x\n---\nHello.<!-- secret\nnote -->\n\n# The Guide\nBody.'
    expect(splitMarkdown(page, 'x', 500)).toEqual([
      { anchor: '', title: 'The Guide', text: 'Hello.' },
      { anchor: 'the-guide', title: 'The Guide', text: 'Body.' },
    ])
  })
})

describe('splitText', () => {
  it('cuts between paragraphs, then sentences, then words, then anywhere', () => {
    expect(splitText('aaa bbb\n\nccc\n\nddd', 12)).toEqual(['aaa bbb\n\nccc', 'ddd'])
    expect(splitText('One two. Three four.', 12)).toEqual(['One two.', 'Three four.'])
    expect(splitText('one two three', 8)).toEqual(['one two', 'three'])
    expect(splitText('abcdefgh', 3)).toEqual(['abc', 'def', 'gh'])
  })

  it('keeps every word, in order, and never exceeds the limit or breaks a character', () => {
    const words = fc.array(fc.constantFrom('a', 'bb.', 'longer', 'Satz!', '😀😀', '\n', '\n\n'), { maxLength: 60 })
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 40 }), (list, limit) => {
        const text = list.join(' ')
        const pieces = splitText(text, limit)
        expect(pieces.every((piece) => piece.length <= limit && piece.isWellFormed() && piece.trim() !== '')).toBe(true)
        expect(pieces.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''))
      }),
      { seed: 21, numRuns: 500 },
    )
  })
})
