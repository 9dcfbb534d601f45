// Every example is run as a user runs it, in a process of its own, and must print what its trailing comment says.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'examples')
const LONGEST_EXAMPLE = 60

const promised = (source: string): string => {
  const [, comment = ''] = source.replaceAll('\r\n', '\n').split('\n// prints:\n')
  return comment.replaceAll(/^\/\/ ?/gm, '').trim()
}

/** The variables a program needs to start, and no key that would reach a real model. */
const environment = (): NodeJS.ProcessEnv => Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(OPENAI|AZURE|STATELOOP|NODE_OPTIONS|VITEST)/.test(name)))

const run = (file: string): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=stateloop-source', '--disable-warning=ExperimentalWarning', file], { cwd: root, env: environment() })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })

/** Programs before and after a migration are longer; each pair has a `compare.ts` that plays both. */
const pairs = readdirSync(join(folder, 'migrate'))
const files = [...readdirSync(folder).filter((name) => name.endsWith('.ts')), ...pairs.map((pair) => `migrate/${pair}/compare.ts`)]

test('there are at least five examples, none longer than 60 lines', () => {
  const long = files.filter((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').length > LONGEST_EXAMPLE)
  expect({ enough: files.length >= 5, long }).toEqual({ enough: true, long: [] })
})

test.for(files)('%s prints what its last comment says', { timeout: 120_000 }, async (name) => {
  const expected = promised(readFileSync(join(folder, name), 'utf8'))
  const { code, stdout, stderr } = await run(join(folder, name))
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(expected).not.toBe('')
  expect(stdout.replaceAll('\r\n', '\n').trim()).toBe(expected)
})
