import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { caseFile, evaluation, exact, readCases, type EvalCase } from '../../src/eval/index.ts'
import { caseHash } from '../../src/eval/case.ts'

const read = async (name: string, text: string, options: Parameters<typeof caseFile>[1] = {}): Promise<readonly EvalCase[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-cases-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, name), text)
  return readCases(caseFile(join(folder, name), options))
}

const expected = [
  { id: 'a', input: { question: 'Rain in Bern, or "snow"?' }, expected: 'yes', tags: ['weather', 'canary'], cluster: 'bern' },
  { id: 'b', input: { question: 'Two\nlines' } },
]

test('the same cases come from JSONL, JSON, CSV and YAML', async () => {
  const csv = 'id,input.question,expected,tags,cluster\r\na,"Rain in Bern, or ""snow""?",yes,weather;canary,bern\r\nb,"Two\nlines",,,\r\n'
  const yaml = 'cases.yaml'
  expect(await read('cases.jsonl', `${expected.map((one) => JSON.stringify(one)).join('\n')}\n\n`)).toEqual(expected)
  expect(await read('cases.json', JSON.stringify(expected))).toEqual(expected)
  expect(await read('cases.csv', csv)).toEqual(expected)
  expect(
    await read(yaml, `- id: a\n  input: { question: 'Rain in Bern, or "snow"?' }\n  expected: 'yes'\n  tags: [weather, canary]\n  cluster: bern\n- id: b\n  input:\n    question: |-\n      Two\n      lines\n`),
  ).toEqual(expected)
})

test('a CSV cell that begins like JSON is JSON', async () => {
  expect(await read('cases.csv', 'id,input,expected\n7,"{""n"":1}",[1\n')).toEqual([{ id: '7', input: { n: 1 }, expected: '[1' }])
})

test.each([
  ['cases.jsonl', '{"id":"a"', /cases\.jsonl:1 is not JSON/],
  ['cases.jsonl', '{"id":"a","input":1}\n{"id":"b"}', /cases\.jsonl:2 lacks an input/],
  ['cases.jsonl', '[]', /cases\.jsonl:1 is not a case/],
  ['cases.jsonl', '{"id":"a","input":1,"tags":"x"}', /tags must be a list/],
  ['cases.json', '{}', /must hold a list/],
  ['cases.yaml', 'a: [', /is not YAML/],
  ['cases.csv', 'id,input,__proto__\n1,2,3', /has the column "__proto__"/],
  ['cases.csv', 'id,input\n1,"2', /ends inside a quoted cell/],
  ['cases.txt', '', /ends in \.txt/],
])('%s with %j is refused with its place', async (name, text, message) => {
  await expect(read(name, text)).rejects.toThrow(message)
})

test('what cases expect is validated where a schema is given', async () => {
  const schema = z.object({ final: z.string(), tools: z.array(z.string()).default([]) })
  expect(await read('cases.jsonl', '{"id":"a","input":1,"expected":{"final":"sent"}}', { expected: schema })).toMatchObject([{ expected: { final: 'sent', tools: [] } }])
  await expect(read('cases.jsonl', '{"id":"a","input":1,"expected":{}}', { expected: schema })).rejects.toThrow(/expected does not match its schema: final/)
})

test('the hash of a case covers what a run sees, not what scorers expect', () => {
  const one = { id: 'a', input: { n: 1 } }
  expect(caseHash({ ...one, expected: 2, tags: ['x'] } as EvalCase)).toBe(caseHash(one))
  expect(caseHash({ ...one, input: { n: 2 } })).not.toBe(caseHash(one))
  expect(caseHash({ ...one, metadata: { decision: 'approve' } })).not.toBe(caseHash(one))
})

const parts = { name: 'x', agent: (input: string) => input, cases: [{ id: 'a', input: 'b' }], scorers: { same: exact() } }

test.each([
  [{ name: 'a/b' }, /cannot name an evaluation/],
  [{ cases: [] }, /has no cases/],
  [{ cases: [{ id: '', input: '' }] }, /Case 1 .* has no id/],
  [
    {
      cases: [
        { id: 'a', input: '' },
        { id: 'a', input: '' },
      ],
    },
    /two cases with the id "a"/,
  ],
  [{ scorers: {} }, /has no scorers/],
  [{ trials: 0 }, /has trials: 0/],
  [{ gate: { margin: 5 } }, /gate\.margin is 5/],
  [{ gate: { alpha: 0 } }, /gate\.alpha is 0/],
  [{ gate: { looks: [3, 1] } }, /gate\.looks is \[3,1\]/],
])('an evaluation with %j is refused', (wrong, message) => {
  expect(() => evaluation({ ...parts, ...wrong })).toThrow(message)
})
