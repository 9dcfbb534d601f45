// The rules of the repository, run over its own source. Each rule must also catch the violations planted for it,
// and must have seen files, so that none of them can pass by looking at nothing.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ambientRules } from './tidy/ambient.ts'
import { ROOMS, importRules, noDeadFiles } from './tidy/imports.ts'
import { shapeRules } from './tidy/shape.ts'
import { parse, readRepository, root, roomOf } from './tidy/source.ts'

interface Manifest {
  readonly bin: { readonly [name: string]: string }
  readonly exports: { readonly [subpath: string]: string | { readonly 'stateloop-source': string } }
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const published = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [target['stateloop-source']]))
const programs = Object.values(manifest.bin).map((path) => path.replace('./dist/', './src/').replace(/\.js$/, '.ts'))
/** What a browser runs: reached by an address, not by an import. */
const page = './src/inspector/page/main.ts'
const entries = [...published, ...programs, page].map((path) => path.replace('./', ''))

const files = readRepository()
const rules = [...importRules, ...ambientRules, ...shapeRules, noDeadFiles(entries)]

describe('the rules have something to look at', () => {
  test('every room that holds files was read', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const rooms = folders.map(({ name }) => name).filter((name) => readdirSync(join(root, 'src', name)).length > 0)
    expect(new Set(files.flatMap(({ path }) => roomOf(path) ?? []))).toEqual(new Set(rooms))
    expect(ROOMS).toEqual(expect.arrayContaining(rooms))
    expect(rooms.length).toBeGreaterThan(10)
  })

  test('imports were found, relative ones and packages', () => {
    const specifiers = new Set(files.filter(({ path }) => path.startsWith('src/')).flatMap(({ imports }) => imports.map(({ specifier }) => specifier)))
    expect(specifiers).toContain('xstate')
    expect([...specifiers].filter((specifier) => specifier.startsWith('../')).length).toBeGreaterThan(10)
  })

  test('the entry points exist', () => {
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(entries))
  })
})

describe.each(rules)('$name', ({ applies, check, planted, caught }) => {
  test('holds', () => {
    const seen = files.filter(({ path }) => applies(path))
    expect(seen).not.toEqual([])
    expect(check(seen)).toEqual([])
  })

  test('catches what is planted against it', () => {
    const bad = Object.entries(planted).map(([path, text]) => parse(path, text))
    const found = check(bad.filter(({ path }) => applies(path)))
    expect(found, found.join('\n')).toHaveLength(caught)
  })
})
