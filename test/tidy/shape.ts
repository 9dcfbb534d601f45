// Rules about the shape of a file: its length and the length of its functions, its name, its first comment, and what may not be left in it.
// Nothing here has an exemption list: a file that does not fit is cut in two.
import { lineOf, roomOf, visit } from './source.ts'
import type { Rule, SourceFile } from './source.ts'

type Handlers = Parameters<typeof visit>[1]
type Callee = Parameters<NonNullable<Handlers['CallExpression']>>[0]['callee']

const MOST_LINES = 400
const MOST_FUNCTION_LINES = 70

const everywhere = (): boolean => true
const inSource = (path: string): boolean => path.startsWith('src/')
const isTest = (path: string): boolean => path.startsWith('test/') || path.endsWith('.test.ts')
const lines = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('\n')

interface Range {
  readonly start: number
  readonly end: number
}

interface Measured {
  readonly all: readonly Range[]
  /** The functions given to `describe`, `test` and the like: chapters of a test file, each measured on its own. */
  readonly chapters: readonly Range[]
}

const chapterWords = new Set(['describe', 'suite', 'test', 'it', 'bench', 'beforeAll', 'beforeEach', 'afterAll', 'afterEach'])

/** The first name of a callee: `test` for `test.each(rows)`. */
const firstName = (callee: Callee): string => {
  if (callee.type === 'Identifier') return callee.name
  if (callee.type === 'MemberExpression') return firstName(callee.object)
  return callee.type === 'CallExpression' ? firstName(callee.callee) : ''
}

const functionsOf = (file: SourceFile): Measured => {
  const all: Range[] = []
  const chapters: Range[] = []
  const add = (node: Range): void => void all.push(node)
  visit(file, {
    FunctionDeclaration: add,
    FunctionExpression: add,
    ArrowFunctionExpression: add,
    CallExpression: ({ callee, arguments: given }) => {
      if (!isTest(file.path) || !chapterWords.has(firstName(callee))) return
      chapters.push(...given.filter(({ type }) => type === 'ArrowFunctionExpression' || type === 'FunctionExpression'))
    },
  })
  return { all, chapters }
}

const lineCount = (text: string, { start, end }: Range): number => text.slice(start, end).split('\n').length

const isInside = (inner: Range, outer: Range): boolean => inner !== outer && inner.start >= outer.start && inner.end <= outer.end

/** The lines of a function, less those of the chapters inside it. */
const functionLines = (file: SourceFile, one: Range, chapters: readonly Range[]): number => {
  const inner = chapters.filter((chapter) => isInside(chapter, one))
  const outermost = inner.filter((chapter) => !inner.some((other) => isInside(chapter, other)))
  return outermost.reduce((left, chapter) => left - lineCount(file.text, chapter), lineCount(file.text, one))
}

const lengths: Rule = {
  name: `files have at most ${MOST_LINES} lines and functions at most ${MOST_FUNCTION_LINES}`,
  applies: everywhere,
  check: (files) =>
    files.flatMap((file) => {
      const count = file.text.trimEnd().split('\n').length
      const { all, chapters } = functionsOf(file)
      const long = all
        .map((one) => ({ line: lineOf(file.text, one.start), count: functionLines(file, one, chapters) }))
        .filter((one) => one.count > MOST_FUNCTION_LINES)
        .map((one) => `${file.path}:${one.line} is a function of ${one.count} lines`)
      return count > MOST_LINES ? [`${file.path} has ${count} lines`, ...long] : long
    }),
  planted: {
    'src/run/long.ts': lines(MOST_LINES + 1, (index) => `export const n${index} = ${index}`),
    'src/run/function.ts': `export const sum = () => {\n${lines(MOST_FUNCTION_LINES - 1, () => '  0')}\n}`,
    'src/run/fits.ts': `export const sum = () => {\n${lines(MOST_FUNCTION_LINES - 2, () => '  0')}\n}`,
    'test/run/chapter.test.ts': `describe('a', () => {\n${lines(100, (index) => `  test('${index}', () => 0)`)}\n})`,
    'test/run/one.test.ts': `describe('a', () => {\n  test('b', () => {\n${lines(MOST_FUNCTION_LINES, () => '  0')}\n  })\n})`,
  },
  caught: 3,
}

const noAny: Rule = {
  name: 'src never says any',
  applies: inSource,
  check: (files) =>
    files.flatMap((file) => {
      const found: string[] = []
      visit(file, { TSAnyKeyword: ({ start }) => void found.push(`${file.path}:${lineOf(file.text, start)} says any`) })
      return found
    }),
  planted: { 'src/run/any.ts': 'export const f = (x: any): Record<string, any> => ({ any: x as unknown }) // any' },
  caught: 2,
}

const emptyNames = /(^|[-/])((utils?|helpers?|common|misc|shared)(\.ts$|\/)|types\.ts$)/

const names: Rule = {
  name: 'a file is named for the one thing in it',
  applies: everywhere,
  check: (files) => files.filter(({ path }) => emptyNames.test(path)).map(({ path }) => `${path} has a name that says nothing`),
  planted: {
    'src/run/utils.ts': '',
    'src/run/run-types.ts': '',
    'src/common/id.ts': '',
    'test/helpers/make.ts': '',
    'src/run/commonality.ts': '',
    'test/types/agent.ts': '',
  },
  caught: 4,
}

const reExports: Rule = {
  name: 'only front doors re-export',
  applies: inSource,
  check: (files) =>
    files
      .filter(({ path }) => !path.endsWith('/index.ts'))
      .flatMap((file) => {
        const found: string[] = []
        const add = (start: number): void => void found.push(`${file.path}:${lineOf(file.text, start)} re-exports from another file`)
        visit(file, {
          ExportNamedDeclaration: ({ source, start }) => (source === null ? undefined : add(start)),
          ExportAllDeclaration: ({ start }) => add(start),
        })
        return found
      }),
  planted: {
    'src/run/a.ts': "export * from './b.ts'\nexport type { B } from './b.ts'\nexport const a = 1",
    'src/run/index.ts': "export { a } from './a.ts'",
  },
  caught: 2,
}

const openings: Rule = {
  name: 'a file opens by saying what it is',
  applies: (path) => inSource(path) && !path.endsWith('index.ts'),
  check: (files) => files.filter(({ text, comments }) => !/^(#![^\n]*\n)?$/.test(text.slice(0, comments[0]?.start ?? text.length))).map(({ path }) => `${path} does not open with a comment`),
  planted: {
    'src/run/silent.ts': 'export const a = 1\n// too late',
    'src/run/empty.ts': 'export const a = 1',
    'src/run/fine.ts': '// A value.\nexport const a = 1',
    'src/cli/fine.ts': '#!/usr/bin/env node\n// A program.\nconst a = 1',
  },
  caught: 2,
}

const marker = /\b(TODO|FIXME|XXX|HACK|WIP)\b|@ts-(ignore|nocheck)|(eslint|oxlint)-disable/
const heldBack = new Set(['only', 'skip', 'todo', 'fails'])
const testWords = new Set(['test', 'it', 'describe', 'suite'])

const leftovers: Rule = {
  name: 'nothing is left over: no markers, silenced checks, debugging or held-back tests',
  applies: everywhere,
  check: (files) =>
    files.flatMap((file) => {
      const found = file.comments.filter((comment) => marker.test(comment.value)).map((comment) => `${file.path}:${lineOf(file.text, comment.start)} has the comment "${comment.value.trim()}"`)
      const add = (what: string, start: number): void => void found.push(`${file.path}:${lineOf(file.text, start)} has ${what}`)
      const prints = inSource(file.path) && roomOf(file.path) !== 'cli'
      visit(file, {
        DebuggerStatement: ({ start }) => add('a debugger statement', start),
        MemberExpression: ({ object, property, start }) => {
          const [of, name] = [object.type === 'Identifier' ? object.name : '', property.type === 'Identifier' ? property.name : '']
          if (testWords.has(of) && heldBack.has(name)) add(`${of}.${name}`, start)
          if (prints && of === 'console') add(`console.${name}`, start)
        },
      })
      return found
    }),
  planted: {
    'src/run/later.ts': "// TODO: the rest\nexport const text = 'TODO in a string is data'\ndebugger\nconsole.log(text)",
    'src/cli/print.ts': "console.log('a program prints')",
    'test/run/held.test.ts': "// @ts-ignore\ntest.skip('a', () => {})\ndescribe.only('b', () => {})\ntest('c', () => {})",
  },
  caught: 6,
}

export const shapeRules: readonly Rule[] = [lengths, noAny, names, reExports, openings, leftovers]
