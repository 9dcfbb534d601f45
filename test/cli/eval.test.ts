import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, test } from 'vitest'
import { parse } from 'yaml'
import { evalCommand } from '../../src/cli/commands/eval.ts'
import { testProject } from './project.ts'

const numbers = fileURLToPath(new URL('../fixtures/eval/numbers.ts', import.meta.url))
const nothing = fileURLToPath(new URL('../fixtures/eval/nothing.ts', import.meta.url))

const mood = (name: string): void => void (process.env['NUMBERS'] = name)
afterEach(() => {
  delete process.env['NUMBERS']
})

describe('the exit code of eval', () => {
  it('is 0 without a base, and with --strict 4 because nothing could be decided', async () => {
    await using project = await testProject()
    expect((await project.stateloop(['eval', numbers])).code).toBe(0)
    expect((await project.stateloop(['eval', numbers, '--strict'])).code).toBe(4)
  })

  it('is 0 when nothing was lost, and 1 when something was', async () => {
    await using project = await testProject()
    await project.stateloop(['eval', numbers])
    expect((await project.stateloop(['eval', numbers, '--base', 'last', '--strict'])).code).toBe(0)
    mood('wrong')
    const { code, out } = await project.stateloop(['eval', numbers, '--base', 'last'])
    expect(code).toBe(1)
    expect(out).toMatch(/numbers: regressed {2}30 cases · 30 run/)
    expect(out).toMatch(/the change is −50\.0 points, between .*\n {2}with these trials a loss of \d+\.\d points would be seen/)
    expect(out).toContain('and 5 more failing cases: --report html shows all')
  })

  it('is 3 when what lies below the agent failed', async () => {
    await using project = await testProject()
    mood('down')
    const { code, out } = await project.stateloop(['eval', numbers])
    expect(code).toBe(3)
    expect(out).toContain('numbers: could not be judged')
    expect(out).toContain('error: overloaded: The model is busy.')
  })

  it.each([
    [['eval', 'absent.eval.ts'], /There is no file or folder .*absent\.eval\.ts/],
    [['eval'], /There are no \*\.eval\.ts files below/],
    [['eval', nothing], /nothing\.ts exports no evaluation/],
    [['eval', numbers, numbers], /Two evaluations are named "numbers"/],
    [['eval', numbers, '--trials', '0'], /--trials must be a whole number from 1, not "0"/],
    [['eval', numbers, '--budget-usd', 'much'], /--budget-usd must be a number above 0/],
    [['eval', numbers, '--report', 'pdf'], /no report format "pdf"/],
    [['eval', numbers, '--base', 'no-such-ref'], /Looking for the base "no-such-ref" failed/],
    [['eval', 'drift', numbers], /--since must be a date/],
    [['eval', 'add', 'no-such-run'], /There is no run no-such-run/],
  ])('is 2 for %j', async (args, message) => {
    await using project = await testProject()
    const { code, err } = await project.stateloop(args)
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringMatching(message) })
  })
})

test('eval without files runs every *.eval.* of the project, and none under node_modules', async () => {
  await using project = await testProject()
  const text = `export { default } from ${JSON.stringify(numbers)}`
  await project.write('evals/numbers.eval.mjs', text)
  await project.write('node_modules/x/other.eval.mjs', text)
  await project.write('.hidden/other.eval.mjs', text)
  expect((await project.stateloop(['eval'])).out).toMatch(/^numbers: inconclusive/)
  expect((await project.stateloop(['eval', 'evals'])).code).toBe(0)
})

test('eval reuses what still holds only with --affected, and says that a base is missing', async () => {
  await using project = await testProject()
  await project.stateloop(['eval', numbers])
  expect((await project.stateloop(['eval', numbers, '--affected', '--base', 'last'])).out).toMatch(/0 run · 30 reused/)
  expect((await project.stateloop(['eval', numbers, '--base', 'last'])).out).toMatch(/30 run ·/)
  await using other = await testProject()
  expect((await other.stateloop(['eval', numbers, '--base', 'last'])).err).toContain('numbers has no results for last.')
})

test('eval takes what the settings make for code that may run', async () => {
  await using project = await testProject()
  const settings = (price: number): Promise<void> => project.write('stateloop.config.mjs', `export default { services: () => ({ price: ${price} }) }`)
  await settings(1)
  await project.stateloop(['eval', numbers])
  expect((await project.stateloop(['eval', numbers, '--affected'])).out).toMatch(/0 run · 30 reused/)
  await settings(2)
  expect((await project.stateloop(['eval', numbers, '--affected'])).out).toMatch(/30 run ·/)
})

test('eval spends no more trials than it was told to', async () => {
  await using project = await testProject()
  expect((await project.stateloop(['eval', numbers, '--trials', '3'])).out).toMatch(/90 run/)
  const { value } = await project.json('eval', numbers, '--trials', '2')
  expect(value).toMatchObject({ verdict: 'inconclusive', evaluations: [{ name: 'numbers', ran: 60, summary: { passRate: 1, trials: 60 } }] })
})

test('eval writes reports where it is told to', async () => {
  await using project = await testProject()
  const { out } = await project.stateloop(['eval', numbers, '--report', 'html,md', '--report', 'junit,json', '--out', join(project.folder, 'reports')])
  for (const name of ['report.html', 'report.md', 'report.xml', 'report.json']) {
    expect(existsSync(join(project.folder, 'reports', name))).toBe(true)
    expect(out).toContain(`wrote ${join('reports', name)}`)
  }
})

test('eval tells GitHub: annotations on standard output, the report in the summary of the step', async () => {
  await using project = await testProject({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: 'summary.md' })
  await project.stateloop(['eval', numbers])
  mood('wrong')
  const { out } = await project.stateloop(['eval', numbers, '--base', 'last'])
  expect(out).toMatch(/^::error title=Eval numbers%3A regressed::the change is −50\.0 points/m)
  expect(readFileSync(join(project.folder, 'summary.md'), 'utf8')).toContain('## Evals: regressed')
})

test('drift runs cases anew and finds what moved under unchanged hashes', async () => {
  await using project = await testProject()
  await project.stateloop(['eval', numbers])
  const steady = await project.stateloop(['eval', 'drift', numbers, '--since', '2020-01-01'])
  expect(steady).toMatchObject({ code: 0, out: expect.stringMatching(/numbers: steady\n {2}unchanged hashes: a difference is the provider’s \(30 cases, 30 trials before, 30 now\)/) })
  mood('wrong')
  const drifted = await project.stateloop(['eval', 'drift', numbers, '--since', '2020-01-01'])
  expect(drifted.code).toBe(1)
  expect(drifted.out).toMatch(/the pass rate went from 100\.0 % to 50\.0 %/)
  const later = await project.stateloop(['eval', 'drift', numbers, '--since', '2999-01-01'])
  expect(later).toMatchObject({ code: 0, out: expect.stringContaining('no earlier results of 30 cases since then, such as n0, n1, n2') })
})

test('eval add makes a case of a run, once for an id', async () => {
  await using project = await testProject()
  const { value } = await project.json('run', 'forecast', '--input', '"Rain in Bern?"')
  const { run } = value as { readonly run: string }
  const file = join(project.folder, 'cases.jsonl')
  await mkdir(project.folder, { recursive: true })
  await writeFile(file, '{"id":"first","input":"x"}')
  expect(await project.stateloop(['eval', 'add', run, '--to', file, '--expect', '{"sky":"rain"}', '--tag', 'weather', '--tag', 'canary'])).toMatchObject({ code: 0 })
  const [, added = ''] = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(JSON.parse(added)).toEqual({ id: `run-${run.slice(-12)}`, input: 'Rain in Bern?', expected: { sky: 'rain' }, tags: ['weather', 'canary'], sourceRun: run })
  expect(await project.stateloop(['eval', 'add', run, '--to', file])).toMatchObject({ code: 2, err: expect.stringContaining('already has a case') })
  expect(await project.stateloop(['eval', 'add', run, '--to', 'cases.yaml'])).toMatchObject({ code: 2, err: expect.stringContaining('Cases are added to .jsonl files') })
})

describe('new --ci', () => {
  it('writes a workflow that runs commands which exist, and the page about CI shows it', async () => {
    await using project = await testProject()
    expect(await project.stateloop(['new', '--ci'])).toMatchObject({ code: 0, out: expect.stringContaining('wrote .github/workflows/evals.yml') })
    const text = readFileSync(join(project.folder, '.github/workflows/evals.yml'), 'utf8')
    const { jobs } = parse(text) as { readonly jobs: { readonly evals: { readonly steps: readonly { readonly run?: string; readonly uses?: string }[] } } }
    const commands = jobs.evals.steps.flatMap(({ run }) => (run?.startsWith('npx stateloop ') === true ? [run.slice('npx stateloop '.length).split(' ')] : []))
    expect(commands.map(([name]) => name)).toEqual(['eval', 'eval', 'eval'])
    const known = evalCommand.options.map(({ flags }) => flags.split(' ')[0])
    expect(commands.flat().filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([])
    const page = readFileSync(fileURLToPath(new URL('../../docs/how-to/evals-in-ci.md', import.meta.url)), 'utf8')
    expect(page.replaceAll('\r\n', '\n')).toContain(`\`\`\`yaml\n${text}\`\`\``)
  })

  it('never writes over a file unasked', async () => {
    await using project = await testProject()
    await project.write('.github/workflows/evals.yml', 'mine')
    expect(await project.stateloop(['new', '--ci'])).toMatchObject({ code: 2, err: expect.stringContaining('is there already') })
    expect(readFileSync(join(project.folder, '.github/workflows/evals.yml'), 'utf8')).toBe('mine')
    expect(await project.stateloop(['new', '--ci', '--force'])).toMatchObject({ code: 0 })
    expect(await project.stateloop(['new'])).toMatchObject({ code: 2, err: expect.stringContaining('stateloop new --ci') })
  })
})
