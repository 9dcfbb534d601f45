import { expect, test } from 'vitest'
import type { Page } from '../docs/pages.ts'
import type { NewcomerFolder } from './folder.ts'
import { follow } from './follow.ts'

/** A folder that answers each line from a list, and remembers what was done in it. */
const folderThat = (answers: { readonly [line: string]: string }): { readonly folder: NewcomerFolder; readonly done: readonly string[] } => {
  const done: string[] = []
  const folder: NewcomerFolder = {
    path: '/nowhere',
    type: (line) => {
      done.push(line)
      return line in answers ? Promise.resolve(answers[line] ?? '') : Promise.reject(new Error(`${line} is no command here`))
    },
    begin: () => Promise.reject(new Error('nothing stays here')),
    save: (path, text) => Promise.resolve(void done.push(`${path}: ${text.trim()}`)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return { folder, done }
}

const RUN = '01a22dd8-255e-7492-b7c6-5f3d72536414'
const OTHER = '01a22ddc-39de-734a-9164-2b891c75d215'

const page: Page = {
  path: 'page.md',
  text: [
    '```ts\n// src/one.ts\nconsole.log(1)\n```',
    '```ts\nneverSaved()\n```',
    '```sh\n# a remark\nnode src/one.ts   # runs it\nlist \\\n  --all\n```',
    `\`\`\`text\n${RUN}  done  229 ms  2026-11-30T19:04:29Z  e18076ba\n…\nthe end\n\`\`\``,
    'Write it to `data/cases.jsonl`\n\n```jsonl\n{"id":1}\n```',
    '```sh\nshow <run>\n```',
  ].join('\n\n'),
}
const printed = `${OTHER} done 1.4 s 2026-12-01T08:00:00.123Z 0ad4d2ea\nmore\nthe end\n`

test('files are saved and commands typed in the order of the page, and what is shown may differ in ids, times and hashes only', async () => {
  const { folder, done } = folderThat({ 'node src/one.ts': '', 'list --all': printed, [`show ${OTHER}`]: 'shown' })
  const followed = await follow(folder, page)
  expect(done).toEqual(['src/one.ts: // src/one.ts\nconsole.log(1)', 'node src/one.ts', 'list --all', 'data/cases.jsonl: {"id":1}', `show ${OTHER}`])
  expect(followed.printed.get('show <run>')).toBe('shown')
})

test('a page that shows something else than is printed is found', async () => {
  const { folder } = folderThat({ 'node src/one.ts': '', 'list --all': printed.replace('done', 'failed') })
  await expect(follow(folder, page)).rejects.toThrow('page.md shows what is printed')
})

test('a page that names a command which fails is found, and a line that is skipped is not typed', async () => {
  const { folder, done } = folderThat({ 'list --all': printed, [`show ${OTHER}`]: '' })
  await expect(follow(folder, page)).rejects.toThrow('node src/one.ts is no command here')
  await follow(folder, page, { skip: /^node/ })
  expect(done.filter((line) => line.startsWith('node'))).toHaveLength(1)
})
