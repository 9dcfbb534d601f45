import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventReader } from '../../src/client/event-source.ts'

const read = (...texts: readonly string[]) => {
  const reader = eventReader()
  return texts.flatMap((text) => [...reader.push(text)])
}
const dataOf = (text: string): readonly string[] => read(text).map(({ data }) => data)

// The cases of the Web Platform Tests for EventSource, `eventsource/format-*`.
test.for([
  ['format-bom', '\uFEFFdata:1\n\n\uFEFFdata:2\n\ndata:3\n\n', ['1', '3']],
  ['format-comments', `data:1\r:\0\n:\r\ndata:2\n:${'x'.repeat(2_048)}\rdata:3\n:data:fail\r:${'x'.repeat(2_048)}\ndata:4\n\n`, ['1\n2\n3\n4']],
  ['format-data-before-final-empty-line', 'retry:1000\ndata:test1\n\nid:test\ndata:test2', ['test1']],
  ['format-field-data', 'data:\n\ndata\ndata\n\ndata:test\n\n', ['', '\n', 'test']],
  ['format-field-parsing', 'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n', ['\0\n 2\n1\n3\n\n4']],
  ['format-field-unknown', 'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\n\n', ['test\n']],
  ['format-leading-space', 'data:\ttest\rdata: \ndata:test\n\n', ['\ttest\n\ntest']],
  ['format-newlines', 'data:test\r\ndata\ndata:test\r\n\r', ['test\n\ntest']],
  ['format-null-character', 'data:\0\n\n\n\n', ['\0']],
  ['format-utf-8', 'data:ok…\n\n', ['ok…']],
] as const)('%s', ([, text, expected]) => {
  expect(dataOf(`${text}${text.endsWith('\r') ? '\n' : ''}`)).toEqual(expected)
})

test('an id stays until another comes, one with NUL is left alone, and an empty one clears it', () => {
  expect(read('id:1\ndata:a\n\ndata:b\n\nid:2\0\ndata:c\n\nid\ndata:d\n\n').map(({ id }) => id)).toEqual(['1', '1', '1', ''])
})

test('only a whole number is a time to wait', () => {
  const reader = eventReader()
  reader.push('retry:1000\n')
  reader.push('retry:1.5\nretry:x\nretry\n')
  expect(reader.retryMs()).toBe(1000)
})

test('events are the same however the stream is cut', () => {
  const line = fc.oneof(
    fc.constantFrom('data', 'data:', 'id:7', ':', '', '\uFEFFdata:x'),
    fc.string({ maxLength: 6 }).map((text) => `data:${text}`),
  )
  const stream = fc
    .array(
      fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')).map(([text, end]) => text + end),
      { maxLength: 12 },
    )
    .map((lines) => `${lines.join('')}data:end\n\n`)
  fc.assert(
    fc.property(stream, fc.array(fc.nat(60), { maxLength: 8 }), (text, cuts) => {
      const at = [0, ...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
      expect(read(...at.map((from, index) => text.slice(from, at[index + 1] ?? text.length)))).toEqual(read(text))
    }),
    { seed: 4, numRuns: 500 },
  )
})

test('the client loads nothing of Node and nothing of ours but types', () => {
  for (const name of ['client', 'event-source', 'events', 'index', 'request']) {
    const source = readFileSync(new URL(`../../src/client/${name}.ts`, import.meta.url), 'utf8')
    const loaded = [...source.matchAll(/^(?:import|export) (?!type)[^\n]*from '([^']+)'/gm)].map(([, from]) => from)
    expect(loaded.filter((from) => !from?.startsWith('./'))).toEqual([])
  }
})
