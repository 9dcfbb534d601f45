// How large the library is in somebody's bundle: minified and gzipped, with XState, without zod and what is loaded on use.
// Run: node bench/bundle.ts, with the sizes of modules: node bench/bundle.ts --modules
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Rolldown } from 'tsdown'

const front = resolve(import.meta.dirname, '../src/index.ts')
const variants: { readonly [name: string]: string } = {
  everything: `export * from ${JSON.stringify(front)}`,
  'agent, createRuntime, openai': `export { agent, createRuntime, openai } from ${JSON.stringify(front)}`,
  'client, openai': `export { client, openai } from ${JSON.stringify(front)}`,
  'XState alone': `export { assign, createActor, createMachine, fromPromise, setup, toPromise } from 'xstate'`,
}

/** Counted aside: the application has its own zod, and the others are loaded with their first use. */
const ASIDE = /^(zod|openai|undici|zod-to-json-schema|lru-cache|pg)(\/|$)/
const ENTRY = join(import.meta.dirname, 'entry.ts')

const build = async (code: string): Promise<readonly Rolldown.OutputChunk[]> => {
  const plugin: Rolldown.Plugin = { name: 'entry', resolveId: (id) => (id === ENTRY ? ENTRY : null), load: (id) => (id === ENTRY ? code : null) }
  const bundle = await Rolldown.rolldown({ input: ENTRY, platform: 'node', external: (id) => ASIDE.test(id), plugins: [plugin], logLevel: 'silent' })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  return output.filter((part) => part.type === 'chunk')
}

/** The chunks that load with the entry, as opposed to those behind an `import()`. */
const loadedAtOnce = (chunks: readonly Rolldown.OutputChunk[]): readonly Rolldown.OutputChunk[] => {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const names = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName))
  for (const name of names) for (const imported of byName.get(name)?.imports ?? []) if (byName.has(imported)) names.add(imported)
  return [...names].flatMap((name) => byName.get(name) ?? [])
}

const kB = (chunks: readonly Rolldown.OutputChunk[]): string => (gzipSync(chunks.map(({ code }) => code).join('\n'), { level: 9 }).length / 1_000).toFixed(1)

console.log(`${'minified and gzipped, kB'.padEnd(34)}${'at once'.padStart(10)}${'with the rest'.padStart(16)}`)
for (const [name, code] of Object.entries(variants)) {
  const chunks = await build(code)
  const first = loadedAtOnce(chunks)
  console.log(name.padEnd(34) + kB(first).padStart(10) + kB(chunks).padStart(16))
  if (!process.argv.includes('--modules')) continue
  const sizes = first.flatMap(({ moduleIds }) => moduleIds).map((id) => ({ id, bytes: id.startsWith('/') ? gzipSync(readFileSync(id)).length : 0 }))
  for (const { id, bytes } of sizes.toSorted((a, b) => b.bytes - a.bytes).slice(0, 40)) console.log(`  ${(bytes / 1_000).toFixed(1).padStart(6)}  ${id.replace(/.*\/(src|node_modules)\//, '$1/')}`)
}
