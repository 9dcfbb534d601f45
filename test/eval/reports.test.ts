// Reports as their readers see them: JUnit by its schema, Markdown by a renderer, JSON by its shape.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { marked } from 'marked'
import { describe, expect, it, test } from 'vitest'
import { validateXML } from 'xmllint-wasm'
import { annotations, htmlReport, jsonReport, junitReport, markdownReport } from '../../src/eval/index.ts'
import { overallOf } from '../../src/eval/report/report.ts'
import { nasty, odd, regressed, reportOf, resultOf } from './results.ts'
import { caseResult } from './seen.ts'

test('the worst finding is the verdict over all, and too many errors are no regression', () => {
  expect(overallOf(reportOf(regressed))).toBe('regressed')
  expect(overallOf(reportOf(odd))).toBe('infrastructure')
  expect(overallOf(reportOf(odd, regressed))).toBe('regressed')
  expect(overallOf(reportOf(resultOf([caseResult('a', '+', '+'), caseResult('b', '+', '+')])))).toBe('inconclusive')
  expect(overallOf(reportOf(resultOf(Array.from({ length: 30 }, (_, at) => caseResult(String(at), '+', '+')))))).toBe('non_inferior')
})

describe('JUnit', () => {
  const validate = async (xml: string): Promise<readonly string[]> => {
    const schema = await readFile(join(import.meta.dirname, '../fixtures/eval/junit.xsd'), 'utf8')
    const { errors } = await validateXML({ xml: [{ fileName: 'report.xml', contents: xml }], schema: [schema] })
    return errors.map(({ message }) => message)
  }

  it('is valid by the schema, whatever models wrote', async () => {
    for (const report of [reportOf(regressed), reportOf(nasty), reportOf(odd), reportOf(nasty, odd, regressed)]) expect(await validate(junitReport(report))).toEqual([])
  })

  it('is what the schema would refuse when it held something else', async () => {
    expect(await validate(junitReport(reportOf(regressed)).replace('<testcase', '<testcase owner="me"'))).toHaveLength(1)
    expect((await validate(junitReport(reportOf(regressed)).replace('</testsuites>', ''))).length).toBeGreaterThan(0)
  })

  it('fails cases that got worse or are new and fail, and no others', () => {
    const xml = junitReport(reportOf(regressed))
    expect(xml).toContain('<testsuites name="stateloop eval" tests="50" failures="21" errors="0" time="12.345">')
    expect(xml.match(/<failure /g)).toHaveLength(21)
    expect(xml).toContain('<property name="worse-0 trial 0" value="failed, score 0.000"/>')
    expect(xml).toMatch(/<testcase name="better" classname="support" time="0\.500"><system-out>/)
  })

  it('tells errors, untried cases and recordings apart', () => {
    const xml = junitReport(reportOf(odd))
    expect(xml).toContain('<testsuite name="support recordings" tests="3" failures="1" errors="0" skipped="0" time="0.000">')
    expect(xml).toContain('<error message="error: rate_limited" type="infrastructure">')
    expect(xml).toContain('<skipped message="no trial was run"/>')
  })
})

describe('Markdown', () => {
  it('begins with the mark by which the comment is found again', () => {
    expect(markdownReport(reportOf(regressed)).split('\n')[0]).toBe('<!-- stateloop-eval -->')
  })

  it('renders as tables with a row for each evaluation and each case that moved', async () => {
    const html = await marked.parse(markdownReport(reportOf(regressed, odd)))
    expect(html.match(/<table>/g)?.length).toBeGreaterThanOrEqual(4)
    expect(html).toContain('<h2>Evals: regressed</h2>')
    expect(html).toMatch(/<summary>support: 21 cases moved<\/summary>/)
    expect(html).toContain('<td>worse-0</td>')
    expect(html).toContain('<summary>support: 1 of 3 recordings replay as recorded</summary>')
    expect(html).toContain('<summary>support: 1 failing without a base to compare with</summary>')
    expect(html).toMatch(/agrees with 90\.0 % of 10 labelled rows, kappa 0\.80/)
    expect(html).not.toMatch(/^\|/m)
  })

  it('lets nothing that a model wrote become markup, a mention or a cell', async () => {
    const text = markdownReport(reportOf(nasty))
    const html = await marked.parse(text)
    expect(html).not.toMatch(/<script|<strong>bold|<a |<code>code/)
    expect(text).not.toContain('@someone')
    expect(text.match(/<!--/g)).toHaveLength(1)
    const rows = [...html.matchAll(/<tr>\n([^]*?)<\/tr>/g)].map(([, row = '']) => row.match(/<t[hd]/g)?.length)
    expect(new Set(rows)).toEqual(new Set([8, 4, 6]))
  })
})

test('annotations are one line each, errors for what blocks', () => {
  const lines = annotations(reportOf(regressed, nasty))
  expect(lines).toHaveLength(10)
  expect(lines[0]).toMatch(/^::error title=Eval support%3A regressed::the change is /)
  expect(lines.every((line) => /^::(error|warning) title=[^\n]*::[^\n]*$/.test(line))).toBe(true)
  expect(annotations(reportOf(nasty)).join('\n')).not.toMatch(/^::error::injected/m)
  expect(annotations(reportOf(resultOf(Array.from({ length: 30 }, (_, at) => caseResult(String(at), '+', '+')))))).toEqual([])
})

test('JSON holds the verdict, the summary and every trial, and survives JSON', () => {
  const value = jsonReport(reportOf(regressed, odd))
  expect(JSON.parse(JSON.stringify(value))).toMatchObject({
    version: 1,
    verdict: 'regressed',
    evaluations: [
      {
        name: 'support',
        verdict: 'regressed',
        summary: { cases: 50, passRate: 0.58 },
        baseSummary: { passRate: 48 / 49 },
        cases: expect.arrayContaining([expect.objectContaining({ id: 'worse-0', trials: [expect.objectContaining({ status: 'failed' })] })]),
      },
      { verdict: 'infrastructure', costUsd: null, stoppedBy: 'budget-usd', recordings: [{ status: 'diverged' }, { status: 'stale' }, { status: 'same' }] },
    ],
  })
})

test('HTML holds no script, no address and no raw text of a model', () => {
  const html = htmlReport(reportOf(nasty, regressed, odd))
  expect(html).not.toMatch(/<script|javascript:|(src|href)=|@import|url\(/i)
  expect(html).not.toContain('**bold**</')
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(html).toContain("content=\"default-src 'none'; style-src 'unsafe-inline'\"")
})
