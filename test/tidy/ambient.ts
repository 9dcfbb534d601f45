// The rules that keep the core pure: no clock, no randomness and no network but through the doors that exist for them.
// A name is banned wherever it is mentioned, called or not, so passing `fetch` along is caught as well.
import { lineOf, roomOf, visit } from './source.ts'
import type { Rule, SourceFile } from './source.ts'

interface Ban {
  readonly globals: readonly string[]
  readonly members: readonly string[]
  readonly properties: readonly string[]
  readonly modules: readonly string[]
  /** `new Date()` and `Date()` read the time as well; `new Date(ms)` does not. */
  readonly date: boolean
}

const randomness = ['randomUUID', 'randomBytes', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues', 'webcrypto']

const timeAndChance: Ban = {
  globals: ['setTimeout', 'setInterval', 'performance'],
  members: ['Date.now', 'Math.random', 'process.hrtime', 'process.uptime', 'AbortSignal.timeout'],
  properties: randomness,
  modules: ['node:timers', 'node:timers/promises', 'node:perf_hooks'],
  date: true,
}

const network: Ban = {
  globals: ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'],
  members: [],
  properties: [],
  modules: ['node:http', 'node:https', 'node:http2', 'node:net', 'node:tls', 'node:dgram', 'node:dns', 'node:dns/promises', 'undici'],
  date: false,
}

type Visitors = Parameters<typeof visit>[1]
type Node = Parameters<NonNullable<Visitors['Identifier']>>[0] | Parameters<NonNullable<Visitors['MemberExpression']>>[0]['object']

/** `Date.now` for the member expression that says so, with `globalThis.` left out. */
const chainOf = (node: Node): string => {
  if (node.type === 'Identifier') return node.name
  if (node.type !== 'MemberExpression') return ''
  const last = node.property.type === 'Identifier' && !node.computed ? node.property.name : stringOf(node.property)
  return `${chainOf(node.object)}.${last}`.replace(/^globalThis\./, '')
}

const stringOf = (node: { readonly type: string; readonly value?: unknown }): string => (node.type === 'Literal' ? String(node.value) : '')

const mentions = (file: SourceFile, ban: Ban): readonly string[] => {
  const found: string[] = []
  const names = new Set<unknown>()
  const add = (what: string, start: number): void => {
    found.push(`${file.path}:${lineOf(file.text, start)} uses ${what}`)
  }
  const notAReference = (node: { readonly key: unknown; readonly computed?: boolean; readonly shorthand?: boolean }): void => {
    if (node.computed !== true && node.shorthand !== true) names.add(node.key)
  }
  visit(file, {
    Property: notAReference,
    PropertyDefinition: notAReference,
    MethodDefinition: notAReference,
    TSPropertySignature: notAReference,
    TSMethodSignature: notAReference,
    TSTypeQuery: ({ exprName }) => void names.add(exprName),
    ImportSpecifier: ({ imported }) => void names.add(imported),
    MemberExpression: (node) => {
      if (!node.computed) names.add(node.property)
      const chain = chainOf(node)
      const last = chain.slice(chain.lastIndexOf('.') + 1)
      if (ban.members.includes(chain) || ban.globals.includes(chain) || ban.properties.includes(last)) add(chain, node.start)
    },
    Identifier: (node) => {
      if (ban.globals.includes(node.name) && !names.has(node)) add(node.name, node.start)
    },
    NewExpression: ({ callee, arguments: given, start }) => {
      if (ban.date && given.length === 0 && chainOf(callee) === 'Date') add('new Date()', start)
    },
    CallExpression: ({ callee, start }) => {
      if (ban.date && chainOf(callee) === 'Date') add('Date()', start)
    },
  })
  for (const { specifier, line, names: imported } of file.imports) {
    if (ban.modules.includes(specifier)) found.push(`${file.path}:${line} imports ${specifier}`)
    const random = specifier === 'node:crypto' ? imported.filter((name) => ban.properties.includes(name)) : []
    if (random.length > 0) found.push(`${file.path}:${line} imports ${random.join(', ')}`)
  }
  return [...new Set(found)]
}

const roomNotIn =
  (...allowed: readonly string[]) =>
  (path: string): boolean => {
    const room = roomOf(path)
    return room !== undefined && !allowed.includes(room)
  }

/** A model provider is a folder of `model`, e.g. `src/model/openai/`. */
const isProvider = (path: string): boolean => /^src\/model\/[^/]+\//.test(path)

const clockless = roomNotIn('clock', 'cli', 'testing', 'server', 'inspector', 'client')
const offline = roomNotIn('cli', 'testing', 'server', 'inspector', 'client', 'mcp', 'engine')

export const ambientRules: readonly Rule[] = [
  {
    name: 'time and chance enter only through clock',
    applies: clockless,
    check: (files) => files.flatMap((file) => mentions(file, timeAndChance)),
    planted: {
      'src/run/now.ts': 'export const now = () => Date.now() + new Date().getTime() + new Date(5).getTime()',
      'src/run/chance.ts': "import { randomUUID } from 'node:crypto'\nexport const id = () => randomUUID() + Math.random() + globalThis.crypto.randomUUID()",
      'src/run/timer.ts': 'export const soon = (f: () => void) => [setTimeout(f, 1), performance.now(), globalThis.setInterval]',
      'src/run/sleep.ts': "import { setTimeout as sleep } from 'node:timers/promises'\nexport const wait = () => sleep(1)",
      'src/run/fine.ts': 'export const clock = { setTimeout: 1, now: (d: { now: number; performance: string }) => d.now + d.performance }',
    },
    caught: 9,
  },
  {
    name: 'the core never touches the network',
    applies: (path) => offline(path) && !isProvider(path),
    check: (files) => files.flatMap((file) => mentions(file, network)),
    planted: {
      'src/tool/get.ts': 'export const get = (url: string) => fetch(url)',
      'src/tool/pass.ts': 'export const door = { fetch }',
      'src/run/serve.ts': "import { createServer } from 'node:http'\nexport const server = () => createServer()",
      'src/run/lazy.ts': "export const load = () => import('node:net')",
      'src/run/fine.ts': 'export const f = (io: { fetch: typeof fetch }) => io.fetch("x")',
    },
    caught: 4,
  },
]
