// Writes reports to files, and to where GitHub Actions looks for them. Invariant: a report is a function of results; writing
// one changes no verdict.
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { annotations, htmlReport, jsonReport, junitReport, markdownReport, type EvalReport } from '../../eval/index.ts'
import { fail } from '../../failure/index.ts'
import type { Io } from '../io.ts'

const FORMATS = {
  html: { file: 'report.html', write: htmlReport },
  md: { file: 'report.md', write: markdownReport },
  junit: { file: 'report.xml', write: junitReport },
  json: { file: 'report.json', write: (report: EvalReport) => `${JSON.stringify(jsonReport(report), null, 2)}\n` },
} as const

type FormatName = keyof typeof FORMATS
const isFormat = (text: string): text is FormatName => Object.hasOwn(FORMATS, text)

/** Reads `--report html,md`. @throws FailureError `usage`. */
export const formatsOf = (given: readonly string[] | undefined): readonly FormatName[] => {
  const names = (given ?? []).flatMap((text) => text.split(',')).map((text) => text.trim())
  const unknown = names.find((name) => !isFormat(name))
  if (unknown !== undefined) fail('usage', `There is no report format ${JSON.stringify(unknown)}. There are: ${Object.keys(FORMATS).join(', ')}.`)
  return names.filter(isFormat)
}

/** Writes reports into a folder. @returns their paths. */
export const writeReports = async (report: EvalReport, formats: readonly FormatName[], folder: string): Promise<readonly string[]> => {
  if (formats.length > 0) await mkdir(folder, { recursive: true })
  return Promise.all(
    formats.map(async (format) => {
      const path = join(folder, FORMATS[format].file)
      await writeFile(path, FORMATS[format].write(report))
      return path
    }),
  )
}

/** In GitHub Actions: annotations on standard output, and the report in the summary of the step. */
export const tellGitHub = async (io: Io, report: EvalReport): Promise<void> => {
  if (io.env['GITHUB_ACTIONS'] !== 'true') return
  for (const line of annotations(report)) io.out(`${line}\n`)
  const summary = io.env['GITHUB_STEP_SUMMARY']
  if (summary !== undefined && summary !== '') await appendFile(resolve(io.cwd, summary), markdownReport(report))
}

/** A path as it is shown. */
export const shownPath = (io: Io, path: string): string => relative(io.cwd, path) || path
