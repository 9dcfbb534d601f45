// Cases in a file: JSONL, JSON, CSV or YAML, told by the name's ending. Invariant: whatever the format, a case has the same
// fields, and a row that is none is refused with its place.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { fail } from '../failure/index.ts'
import { parseYaml } from '../prompt/index.ts'
import { formatIssues, validate, type Infer, type Schema } from '../schema/index.ts'
import type { EvalCase } from './case.ts'
import { csvCases } from './csv.ts'

/** A file of cases. It is read when the evaluation runs. */
export interface CaseFile<X = unknown> {
  readonly kind: 'case-file'
  /** Path of the file. */
  readonly path: string
  /** Validates what cases expect; undefined when anything goes. */
  readonly expected: Schema<X> | undefined
}

/** Options of `caseFile`. */
export interface CaseFileOptions<S extends Schema> {
  /** Validates and types what cases expect. Default: anything passes. */
  readonly expected?: S
}

/**
 * Names a file of cases.
 * @example caseFile(new URL('./cases.jsonl', import.meta.url))
 */
export const caseFile = <S extends Schema = Schema>(path: string | URL, { expected }: CaseFileOptions<S> = {}): CaseFile<Infer<S>> => ({
  kind: 'case-file',
  path: path instanceof URL ? fileURLToPath(path) : path,
  expected: expected as Schema<Infer<S>> | undefined,
})

const parseJsonAt = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    return fail('usage', `${where} is not JSON: ${error instanceof Error ? error.message : String(error)}.`, { cause: error })
  }
}

const parseYamlAt = (text: string, where: string): unknown => {
  try {
    return parseYaml(text)
  } catch (error) {
    return fail('usage', `${where} is not YAML: ${error instanceof Error ? error.message : String(error)}.`, { cause: error })
  }
}

const listAt = (value: unknown, path: string): readonly unknown[] => (Array.isArray(value) ? value : fail('usage', `${path} must hold a list of cases.`))

interface Row {
  readonly where: string
  readonly value: unknown
}

const rowsOf = (path: string, text: string): readonly Row[] => {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  const numbered = (values: readonly unknown[], what: string): readonly Row[] => values.map((value, at) => ({ where: `${path}, ${what} ${at + 1}`, value }))
  switch (ending) {
    case 'jsonl':
    case 'ndjson':
      return text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [{ where: `${path}:${at + 1}`, value: parseJsonAt(line, `${path}:${at + 1}`) }]))
    case 'json':
      return numbered(listAt(parseJsonAt(text, path), path), 'case')
    case 'csv':
      return numbered(csvCases(path, text), 'row')
    case 'yaml':
    case 'yml':
      return numbered(listAt(parseYamlAt(text, path), path), 'case')
    default:
      return fail('usage', `${path} ends in .${ending}. Cases are read from .jsonl, .json, .csv, .yaml and .yml.`)
  }
}

const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')

const toCase = ({ where, value }: Row, expected: Schema | undefined): EvalCase => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('usage', `${where} is not a case. A case is an object: { "id": "first", "input": … }.`)
  const found = value as Record<string, unknown>
  if (typeof found['id'] !== 'string' || !('input' in found)) return fail('usage', `${where} lacks ${typeof found['id'] === 'string' ? 'an input' : 'an id'}. A case has both.`)
  if (found['tags'] !== undefined && !isTextList(found['tags'])) return fail('usage', `${where}: tags must be a list of texts.`)
  if (found['cluster'] !== undefined && typeof found['cluster'] !== 'string') return fail('usage', `${where}: cluster must be a text.`)
  if (expected === undefined || found['expected'] === undefined) return found as unknown as EvalCase
  const checked = validate(expected, found['expected'])
  return checked.ok ? ({ ...found, expected: checked.value } as unknown as EvalCase) : fail('usage', `${where}: expected does not match its schema: ${formatIssues(checked.issues)}.`)
}

/** Reads the cases of a file. @throws FailureError `usage` with the place of what is wrong. */
export const readCases = async ({ path, expected }: CaseFile): Promise<readonly EvalCase[]> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => fail('usage', `Reading the cases of ${path} failed: ${error instanceof Error ? error.message : String(error)}.`, { cause: error }))
  return rowsOf(path, text.replace(/^\uFEFF/, '')).map((row) => toCase(row, expected))
}
