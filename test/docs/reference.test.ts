import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { FAILURE_CODES_PATH, failureCodesPage } from '../../scripts/reference.ts'
import { FAILURE_CODES } from '../../src/failure/index.ts'

const page = (): Promise<string> => readFile(fileURLToPath(new URL(`../../${FAILURE_CODES_PATH}`, import.meta.url)), 'utf8')

test('the page about failure codes is what scripts/reference.ts writes now', async () => {
  expect((await page()).replaceAll('\r\n', '\n')).toBe(failureCodesPage())
})

test('every failure code is on the page', async () => {
  const text = await page()
  const missing = Object.values(FAILURE_CODES).flatMap((group) => Object.keys(group).filter((code) => !text.includes(`- \`${code}\`: `)))
  expect(missing).toEqual([])
})
