// Every example in a comment compiles with the imports that it says by its names, and with the given things that it takes for
// granted.
import { expect, test } from 'vitest'
import { membersOf } from '../../scripts/api/options.ts'
import { commentOf, isType, KIND, readApi, type Reflection } from '../../scripts/api/reflection.ts'
import { compile } from './compile.ts'

/** What examples use without making it. */
const GIVEN = `
declare const agent: import('stateloop').AnyAgent
declare const agents: readonly import('stateloop').AnyAgent[]
declare const airline: import('stateloop').AnyAgent
declare const weather: import('stateloop').Agent<string, string>
declare const support: import('stateloop').Agent<{ question: string }, { text: string }>
declare const getWeather: import('stateloop').Tool
declare const journal: import('stateloop').Journal
declare const runtime: import('stateloop').Runtime
declare const run: import('stateloop').RunHandle
declare const labels: readonly import('stateloop/eval').LabelledRow[]
declare const text: string
declare const token: string
declare const show: (text: string) => void
declare const anthropic: ReturnType<typeof import('@ai-sdk/openai-compatible').createOpenAICompatible>
declare const serve: (options: { services: import('stateloop/restate').RestateServices['services'][number][]; port: number }) => Promise<number>
declare const { test }: typeof import('vitest')
declare const expect: ((path: string) => { toReplay(): Promise<void> }) & { extend(matchers: object): void }
declare const { pino }: typeof import('pino')
declare const { createWebSocketInspector }: typeof import('@statelyai/inspect')
declare const { wrapLanguageModel }: typeof import('ai')
`

const api = await readApi()
const main = api.entryPoints.find(({ name }) => name === 'stateloop')

const codeOf = (reflection: Reflection): readonly string[] =>
  (commentOf(reflection)?.blockTags ?? [])
    .filter(({ tag }) => tag === '@example')
    .map(({ content }) =>
      content
        .map(({ text }) => text)
        .join('')
        .replaceAll(/^```\w*\n|\n```$/g, ''),
    )

/** Names of values among exports that code uses without saying where they come from. */
const usedIn = (code: string, exports: readonly Reflection[], calls: boolean): readonly string[] =>
  exports.filter((one) => !isType(one) && new RegExp(`(?<![\\w.'])${one.name}${calls ? '\\(' : '\\b(?!:)'}`).test(code) && !code.includes(`import { ${one.name} }`)).map(({ name }) => name)

const importing = (names: readonly string[], from: string): string => (names.length === 0 ? '' : `import { ${names.join(', ')} } from '${from}'\n`)

/** An example as a module: a value of a member is checked against the member's type. */
const moduleOf = (entryPoint: (typeof api.entryPoints)[number], owner: Reflection, member: Reflection | undefined, code: string): string => {
  const own = usedIn(code, entryPoint.exports, false)
  const others = entryPoint === main ? [] : usedIn(code, main?.exports ?? [], true).filter((name) => !own.includes(name))
  const value = member !== undefined && /^[[{]/.test(code)
  const anyTypes = owner.typeParameters === undefined ? '' : `<${owner.typeParameters.map(() => 'any').join()}>`
  return `${importing(own, entryPoint.name)}${importing(others, 'stateloop')}import { z } from 'zod'
${value ? `export const example: NonNullable<import('${entryPoint.name}').${owner.name}${anyTypes}['${member.name}']> = ${code}` : code}
export type Zod = typeof z
`
}

const modules = new Map<string, string>()
for (const entryPoint of api.entryPoints) {
  for (const owner of entryPoint.exports.filter(({ kind }) => kind !== KIND.reference)) {
    for (const member of [undefined, ...(owner.kind === KIND.variable ? [] : membersOf(owner))]) {
      codeOf(member ?? owner).forEach((code, index) =>
        modules.set(`${[entryPoint.name.replace('/', '-'), owner.name, ...(member === undefined ? [] : [member.name]), index].join('.')}.ts`, moduleOf(entryPoint, owner, member, code)),
      )
    }
  }
}

test('every example in a comment compiles', { timeout: 180_000 }, async () => {
  expect(modules.size).toBeGreaterThan(40)
  expect(await compile({ ...Object.fromEntries(modules), 'given.d.ts': GIVEN })).toBe('')
})
