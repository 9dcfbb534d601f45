import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMAND_LINE_PATH, commandLinePage, FAILURE_CODES_PATH, failureCodesPage, LLMS_PATH, llmsText } from '../../scripts/reference.ts'
import { COMMANDS } from '../../src/cli/program.ts'
import { FAILURE_CODES } from '../../src/failure/index.ts'

const read = async (path: string): Promise<string> => (await readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')).replaceAll('\r\n', '\n')

test.each([
  [FAILURE_CODES_PATH, failureCodesPage],
  [COMMAND_LINE_PATH, commandLinePage],
  [LLMS_PATH, llmsText],
])('%s is what `node --conditions=stateloop-source scripts/reference.ts` writes now', async (path, write) => {
  expect(await read(path)).toBe(write())
})

test('every command and every option is on the page about the command line', async () => {
  const text = await read(COMMAND_LINE_PATH)
  const wanted = COMMANDS.flatMap(({ name, options }) => [`## stateloop ${name}`, ...options.map(({ flags }) => `\n${flags}  `)])
  expect(wanted.filter((part) => !text.includes(part))).toEqual([])
})

test('every page has a sentence in llms.txt', async () => {
  const lines = (await read(LLMS_PATH)).split('\n').filter((line) => line.startsWith('- '))
  expect(lines.length).toBeGreaterThan(40)
  expect(lines.filter((line) => !/^- \[.+\]\(docs\/.+\.md\): \S.{15,}$/.test(line))).toEqual([])
})

test('every failure code is on the page', async () => {
  const text = await read(FAILURE_CODES_PATH)
  const missing = Object.values(FAILURE_CODES).flatMap((group) => Object.keys(group).filter((code) => !text.includes(`- \`${code}\`: `)))
  expect(missing).toEqual([])
})
