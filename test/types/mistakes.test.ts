import { beforeAll, describe, expect, test } from 'vitest'
import { compileFiles } from './compile.ts'
import { mistakes, preamble } from './mistakes.ts'

const fileOf = (index: number): string => `mistake${index}.ts`

describe('a mistake in an agent does not compile, and the message names it', () => {
  let printed: { readonly [file: string]: string }
  beforeAll(async () => {
    const files = Object.fromEntries(mistakes.map(({ code }, index) => [fileOf(index), `${preamble}export const mistake = ${code}\n`]))
    printed = await compileFiles({ 'sound.ts': preamble, ...files })
  }, 120_000)

  test('while everything around it does', () => {
    expect(mistakes.length).toBeGreaterThanOrEqual(20)
    expect(Object.keys(printed).sort()).toEqual(mistakes.map((_mistake, index) => fileOf(index)).sort())
  })

  test.each(mistakes.map((mistake, index) => ({ ...mistake, index })))('an author $what', ({ says, index }) => {
    const message = printed[fileOf(index)] ?? ''
    for (const words of says) expect(message).toContain(words)
  })
})
