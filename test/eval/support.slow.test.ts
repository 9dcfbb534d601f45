// The support agent's fifty cases as a team would run them: a repository with a base, changes on a branch, and the program
// that gates them. Everything is offline.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock/index.ts'

const exec = promisify(execFile)
const repository = join(import.meta.dirname, '..', '..')
const LIMIT_MS = 120_000

let folder: string
let base: Evaluated
let baseMs: number

const git = (...args: readonly string[]): Promise<unknown> => exec('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', ...args], { cwd: folder })

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const stateloop = (...args: readonly string[]): Promise<Ended> => {
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, STATELOOP_DB: _db, GITHUB_ACTIONS: _actions, ...env } = process.env
  return exec(process.execPath, ['--conditions=stateloop-source', join(repository, 'src/cli/main.ts'), ...args], { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => ({ code: error.code, out: error.stdout, err: error.stderr }),
  )
}

interface Evaluated {
  readonly code: number
  readonly verdict: string
  readonly ran: number
  readonly reused: number
  readonly passRate: number
  readonly reasons: readonly string[]
  readonly mustPassFailures: readonly string[]
}

const evaluated = async (...args: readonly string[]): Promise<Evaluated> => {
  const { code, out, err } = await stateloop('eval', '--json', ...args)
  expect(err).toBe('')
  const { evaluations } = JSON.parse(out) as {
    readonly evaluations: readonly { readonly verdict: string; readonly ran: number; readonly reused: number; readonly summary: { readonly passRate: number }; readonly gate: Evaluated }[]
  }
  const [one] = evaluations
  if (one === undefined) throw new Error(out)
  return { code, verdict: one.verdict, ran: one.ran, reused: one.reused, passRate: one.summary.passRate, reasons: one.gate.reasons, mustPassFailures: one.gate.mustPassFailures }
}

/** Changes one file for the time of a function. */
const withChange = async <T>(path: string, from: string, to: string, work: () => Promise<T>): Promise<T> => {
  const text = await readFile(join(folder, path), 'utf8')
  expect(text).toContain(from)
  await writeFile(join(folder, path), text.replace(from, to))
  try {
    return await work()
  } finally {
    await writeFile(join(folder, path), text)
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateloop-support-'))
  await cp(join(repository, 'agents/support'), join(folder, 'agents/support'), { recursive: true })
  await cp(join(repository, 'docs'), join(folder, 'docs'), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, '.gitignore'), 'node_modules\n.stateloop\n')
  await mkdir(join(folder, 'node_modules'))
  await symlink(repository, join(folder, 'node_modules/stateloop'), 'junction')
  await symlink(join(repository, 'node_modules/zod'), join(folder, 'node_modules/zod'), 'junction')
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '-A')
  await git('commit', '--quiet', '-m', 'base')
  const started = systemClock.monotonic()
  base = await evaluated()
  baseMs = systemClock.monotonic() - started
  await git('checkout', '--quiet', '-b', 'change')
})

afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))

describe('the support agent', () => {
  it('has 50 cases, the must-pass ones all pass, in less than two minutes', () => {
    process.stdout.write(`50 cases in ${(baseMs / 1_000).toFixed(1)} s, the start of the program included\n`)
    expect(base).toMatchObject({ code: 0, verdict: 'inconclusive', ran: 50, mustPassFailures: [], reasons: ['there are no results of a base to compare with'] })
    // Answers quote the pages in docs/, which change without the agent.
    expect(base.passRate).toBeGreaterThan(0.85)
    expect(baseMs).toBeLessThan(LIMIT_MS)
  })

  it('runs nothing when nothing changed, nor when something changed that no case touches', async () => {
    const same = { code: 0, verdict: 'non_inferior', ran: 0, reused: 50, reasons: ['nothing that any case touches has changed'] }
    expect(await evaluated('--base', 'main', '--affected')).toMatchObject(same)
    expect(await withChange('package.json', '"module"', '"module", "private": true', () => evaluated('--base', 'main', '--affected'))).toMatchObject(same)
  })

  it('is blocked by a bug in the body of a tool, which no hash of the agent sees', async () => {
    const bug = () => evaluated('--base', 'main', '--affected')
    const result = await withChange(
      'agents/support/tools.ts',
      "{ ticket: (context.services['tickets'] as Tickets).file(context.key, context.user ?? 'unknown', subject) }",
      '{ ticket: subject.length + context.key.length }',
      bug,
    )
    expect(result).toMatchObject({ code: 1, verdict: 'regressed', ran: 50, reused: 0 })
    expect(result.mustPassFailures).toEqual(expect.arrayContaining(['ticket-person', 'ticket-file']))
  })

  it('is blocked by a worse prompt, and runs only the cases whose run reaches it', async () => {
    const worse = await withChange(
      'agents/support/prompts.ts',
      "{ role: 'user', content: '{{question}}' },\n  ],\n})\n\n/** A short",
      "{ role: 'user', content: 'A user wants to talk to a human about this: {{question}}' },\n  ],\n})\n\n/** A short",
      () => evaluated('--base', 'main', '--affected'),
    )
    expect(worse).toMatchObject({ code: 1, verdict: 'regressed', ran: 46, reused: 4 })
    expect(worse.reasons.join('\n')).toMatch(/even with the bound corrected for looks it is a loss/)
  })

  it('is run again when the data of its retriever changes', async () => {
    expect(await withChange('docs/how-to/limits.md', '# ', '# About ', () => evaluated('--base', 'main', '--affected'))).toMatchObject({ ran: 50, reused: 0 })
  })

  it('shows a failing case with its input, path, reason and the command that opens the run', async () => {
    const text = await withChange('agents/support/tools.ts', "(context.services['tickets'] as Tickets).file(context.key, context.user ?? 'unknown', subject)", 'subject.length', () =>
      stateloop('eval', '--affected', '--report', 'html,md,junit', '--out', 'reports'),
    )
    expect(text.code).toBe(1)
    expect(text.out).toMatch(/✗ ticket-file {2}0 of 1 passed\n {4}input {5}\{"question":"Please file a ticket: the build fails on Windows\."\}/)
    expect(text.out).toMatch(/why {7}tickets: the final state is wrong: \{"tickets":\[\]\}\n {4}path {6}triaging → searching → reranking → answering → approving → acting → answering → sent\n/)
    const [, run = '', db = ''] = /open {6}npx stateloop \w+ (\S+) --db (\S+)\n/.exec(text.out) ?? []
    expect((await stateloop('show', run, '--db', db)).out).toContain('answering')
    for (const name of ['report.html', 'report.md', 'report.xml']) expect(existsSync(join(folder, 'reports', name))).toBe(true)
  })

  it('is steady when nothing drifted, and makes a case of a run', async () => {
    const steady = await stateloop('eval', 'drift', '--since', '2020-01-01', '--json')
    expect(steady.code).toBe(0)
    expect(JSON.parse(steady.out)).toMatchObject({ drift: [{ name: 'support', unknown: [], groups: [{ kind: 'provider', cases: 8, findings: [] }] }] })
    const { out } = await stateloop('run', 'support', '--question', 'How do I resume a run?', '--json')
    const { run } = JSON.parse(out) as { readonly run: string }
    const added = await stateloop('eval', 'add', run, '--expect', '{"final":"sent","tools":["readPage"]}', '--id', 'from-a-run', '--tag', 'howto')
    expect(added).toMatchObject({ code: 0, out: 'added case from-a-run to agents/support/evals/cases.jsonl\n' })
    expect(await evaluated('--base', 'main', '--affected')).toMatchObject({ code: 0, ran: 1, reused: 50 })
    expect(await stateloop('eval', 'add', run, '--id', 'from-a-run')).toMatchObject({ code: 2, err: expect.stringContaining('already has a case from-a-run') })
  })
})
