import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { HTTP_API_PATH, httpApiPage } from '../../scripts/http-reference.ts'

test('the page about the HTTP API is what scripts/http-reference.ts writes now', async () => {
  const page = await readFile(fileURLToPath(new URL(`../../${HTTP_API_PATH}`, import.meta.url)), 'utf8')
  expect(page.replaceAll('\r\n', '\n')).toBe(httpApiPage())
})
