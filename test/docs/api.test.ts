// The API reference: everything public is documented, links in comments resolve, and the list of exports in docs/ is the one of
// the code, so that a change of the API is seen in review.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apiList, apiPage } from '../../scripts/api/index-page.ts'
import { apiPages } from '../../scripts/api/pages.ts'
import { readApi } from '../../scripts/api/reflection.ts'
import { commentProblems } from '../../scripts/api/comment-problems.ts'
import { API_LIST_PATH, API_PATH } from '../../scripts/reference.ts'
import { root } from './pages.ts'

const api = await readApi()
const planted = await readApi({ entryPoints: [['planted', 'test/fixtures/api/entry.ts']], tsconfig: 'test/fixtures/api/tsconfig.json' })

test('every link in a comment resolves', () => {
  expect(api.warnings).toEqual([])
})

test('every export, member and option has a comment, and says its unit and what holds without it', () => {
  expect(commentProblems(api)).toEqual([])
})

test('a link that leads nowhere and what a comment leaves out are found', () => {
  expect(planted.warnings.join()).toContain('nobody')
  expect(commentProblems(planted)).toEqual([
    'planted: GreetOptions.loud has no comment',
    'planted: GreetOptions.waitMs does not say its unit',
    'planted: GreetOptions.name does not say what holds without it',
    'planted: silent has no comment',
    'planted: place.where has no comment',
  ])
})

test.each([
  [API_PATH, apiPage],
  [API_LIST_PATH, apiList],
])('%s is what `node --conditions=stateloop-source scripts/reference.ts` writes now', (path, write) => {
  expect(readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n')).toBe(write(api))
})

test('every entry point has its exports, and every export a page with its signature', () => {
  const pages = apiPages(api)
  expect(api.entryPoints.map(({ name }) => name)).toEqual(expect.arrayContaining(['stateloop', 'stateloop/eval', 'stateloop/mcp']))
  for (const { exports } of api.entryPoints) expect(exports.length).toBeGreaterThan(0)
  const page = (path: string): string => pages.find((one) => one.path === path)?.html ?? ''
  expect(page('stateloop/createRuntime.html')).toContain(
    `import { createRuntime } from 'stateloop'\n\ncreateRuntime(options?: <a href="types/RuntimeOptions.html">RuntimeOptions</a>): <a href="types/Runtime.html">Runtime</a>`,
  )
  expect(page('stateloop/createRuntime.html')).toContain('<dt id="cacheBytes"><code>cacheBytes?: number</code></dt><dd><p>Size of the response cache in memory, bytes. Default 32 MiB.')
})
