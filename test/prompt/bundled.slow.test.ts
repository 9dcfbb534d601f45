// The hash of a prompt is that of its data: a bundler may rename, reorder and minify the module that holds it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'tsdown'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const source = `import { definePrompt } from 'stateloop'
import { z } from 'zod'

// How answers sound. This comment is not part of any prompt.
const manners = 'Be {{tone}}, \${not a placeholder}, and \\u00e9legant.'
const veryLongNameThatIsMangled = z.enum(['kind', 'dry']).describe('how it sounds')

export const answer = definePrompt({
  id: 'bundled.answer',
  vars: z.object({ question: z.string().max(500), tone: veryLongNameThatIsMangled.default('kind'), pages: z.array(z.object({ title: z.string() })) }),
  partials: { manners },
  messages: [
    { role: 'system', content: 'Answer. {{> manners}}\\n{{#each pages}}\\n- {{.title}}\\n{{/each}}' }, // trailing
    { role: 'user', content: '{{question}}' },
  ],
})
`

let folder: string
beforeAll(async () => {
  await mkdir(join(root, '.stateloop'), { recursive: true })
  folder = await mkdtemp(join(root, '.stateloop', 'bundled-'))
  await writeFile(join(folder, 'prompts.ts'), source)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const hashIn = async (path: string): Promise<string> => {
  const script = `console.log((await import(${JSON.stringify(pathToFileURL(path).href)})).answer.hash)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=stateloop-source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], { cwd: root })
  return stdout.trim()
}

it('is the same from source, without comments, and from a minified bundle', async () => {
  const outDir = join(folder, 'out')
  await build({
    config: false,
    cwd: root,
    entry: [join(folder, 'prompts.ts')],
    outDir,
    format: 'esm',
    minify: true,
    dts: false,
    logLevel: 'silent',
    clean: false,
    fixedExtension: true,
    deps: { neverBundle: ['stateloop', 'zod'] },
  })
  const bundle = join(outDir, 'prompts.mjs')
  const text = await readFile(bundle, 'utf8')
  expect(text).not.toContain('veryLongNameThatIsMangled')
  await writeFile(join(folder, 'bare.ts'), source.replaceAll(/ *\/\/.*$/gm, ''))
  const hash = await hashIn(join(folder, 'prompts.ts'))
  expect(hash).toMatch(/^[0-9a-f]{64}$/)
  expect(await hashIn(bundle)).toBe(hash)
  expect(await hashIn(join(folder, 'bare.ts'))).toBe(hash)
})
