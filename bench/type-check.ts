// What the types of a large agent cost: the compiler's check time over a file that only sets the agent up, and the time
// it takes to create the agent. Run: node --conditions=stateloop-source bench/type-check.ts
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const rounds = 7

const setup = `import { defineRetriever, defineTool, setupAgent } from 'stateloop'
import { z } from 'zod'
const lookup = defineTool({ description: 'Looks up.', input: z.object({ id: z.number() }), output: z.object({ status: z.string() }), run: () => ({ status: 'sent' }) })
const kb = defineRetriever({ search: () => [] })
const t = setupAgent({
  id: 'large',
  models: { fast: 'openai/gpt-5-mini' },
  tools: { lookup },
  retrievers: { kb },
  input: z.object({ q: z.string() }),
  context: z.object({ n: z.number(), status: z.string() }),
  init: () => ({ n: 0 }),
})
const end = { done: t.final({ output: ({ context }) => context.n }), failed: t.final({ outcome: 'failed' }) }
`

const state = (index: number, count: number): string => {
  const next = index + 1 < count ? `s${index + 1}` : 'done'
  const model = (save: string): string =>
    `t.model('fast', { prompt: ({ context }) => context.q, output: z.object({ kind: z.enum(['a', 'b']), n${index}: z.number() }), save: ${save}, maxVisits: 3, onDone: { match: 'kind', to: { a: '${next}', b: 's0' } }, onError: { timeout: 's0', refused: 'failed', '*': 'failed' } })`
  const kinds = [
    model(`({ output }) => ({ n: output.n${index} })`),
    `t.tool('lookup', { args: ({ context }) => ({ id: context.n }), save: ({ output }) => ({ status: output.status }), maxVisits: 3, onDone: '${next}', onError: { tool_failed: 's0', '*': 'failed' } })`,
    `t.retrieve('kb', { query: ({ context }) => context.q, maxVisits: 3, onDone: { cases: [{ when: ({ output, context }) => output.length > context.n, to: '${next}' }], else: 's0' }, onError: { '*': 'failed' } })`,
    model(`({ output, context }) => ({ n: context.n + output.n${index} })`),
  ]
  return `    s${index}: ${kinds[index % kinds.length] ?? ''},\n`
}

const agentOf = (count: number): string =>
  `${setup}export const make = () => t.createAgent({\n  initial: 's0',\n  states: {\n${Array.from({ length: count }, (_, index) => state(index, count)).join('')}    ...end,\n  },\n})\n`

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

const checkSeconds = (folder: string, file: string): number => {
  const settings = join(folder, `${file}.json`)
  writeFileSync(settings, JSON.stringify({ extends: join(root, 'tsconfig.json'), files: [join(folder, `${file}.ts`)], include: [], exclude: [] }))
  const printed = execFileSync(process.execPath, [tsc, '-p', settings, '--extendedDiagnostics', '--singleThreaded'], { encoding: 'utf8' })
  const [, seconds] = /Check time:\s+([\d.]+)s/.exec(printed) ?? []
  if (seconds === undefined) throw new Error(`The compiler did not print its check time:\n${printed}`)
  return Number(seconds)
}

const createMs = async (path: string): Promise<{ readonly first: number; readonly later: number }> => {
  const { make } = (await import(pathToFileURL(path).href)) as { readonly make: () => unknown }
  const times = Array.from({ length: 200 }, () => {
    const before = performance.now()
    make()
    return performance.now() - before
  })
  return { first: times[0] ?? 0, later: median(times) }
}

mkdirSync(join(root, '.stateloop'), { recursive: true })
const folder = mkdtempSync(join(root, '.stateloop', 'bench-types-'))
try {
  const files: { readonly [name: string]: string } = {
    baseline: `${setup}export const make = () => t.createAgent({ initial: 'done', states: { done: end.done } })\n`,
    states50: agentOf(50),
    states200: agentOf(200),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.ts`), text)
  const checks = Object.fromEntries(Object.keys(files).map((name): [string, number[]] => [name, []]))
  for (let round = 0; round < rounds; round++) for (const name of Object.keys(files)) checks[name]?.push(checkSeconds(folder, name))
  // The least of several rounds: what else runs on the machine can only add.
  const least = (name: string): number => Math.min(...(checks[name] ?? []))
  console.log(`TypeScript check time, one thread, least of ${rounds}; the baseline sets up the agent and has one state`)
  for (const name of Object.keys(files)) console.log(`${name.padEnd(12)}${least(name).toFixed(3).padStart(8)} s   ${(least(name) - least('baseline')).toFixed(3).padStart(7)} s over baseline`)
  for (const name of ['states50', 'states200']) {
    const { first, later } = await createMs(join(folder, `${name}.ts`))
    console.log(`creating ${name.padEnd(12)}${first.toFixed(1).padStart(7)} ms the first time, ${later.toFixed(2)} ms after`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
