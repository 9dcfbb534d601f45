import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { parseLock, promptHash, type Lock } from '../../src/prompt/index.ts'
import { testProject, type TestProject } from './project.ts'

const source = pathToFileURL(fileURLToPath(new URL('../../src/index.ts', import.meta.url))).href
const zod = pathToFileURL(fileURLToPath(new URL('../../node_modules/zod/index.js', import.meta.url))).href

/** The module of an agent whose prompt says this. */
const greeter = (text: string, vars = 'z.object({ input: z.string() })', id = 'greet'): string => `
import { agent, definePrompt, scripted, replyText, lastUserText } from ${JSON.stringify(source)}
import { z } from ${JSON.stringify(zod)}
export const offline = scripted({ id: 'openai', rules: [(request) => replyText(lastUserText(request))], price: { inputUsd: 1, outputUsd: 1 } })
export default agent({ id: 'greeter', model: 'openai/m', prompt: definePrompt({ id: '${id}', vars: ${vars}, messages: ${JSON.stringify(text)} }) })
`

let project: TestProject
beforeAll(async () => {
  project = await testProject()
  await project.write('stateloop.config.mjs', 'export default {}')
  await project.write('agents/forecast/agent.mjs', greeter('Hello {{input}}'))
  for (const [name, text] of Object.entries({ one: 'Hello {{input}}', two: 'Good day {{input}}', three: 'Hi {{input}}!' })) await project.write(`${name}.mjs`, greeter(text))
})
afterAll(() => project[Symbol.asyncDispose]())

const prompts = (name: string, ...args: readonly string[]): ReturnType<TestProject['stateloop']> => project.stateloop(['prompts', ...args, '--agent', `./${name}.mjs`])
const lock = async (): Promise<Lock> => parseLock(await readFile(join(project.folder, 'prompts.lock.json'), 'utf8'), 'the lock')
const active = async (): Promise<string> => {
  const { active: hash, versions } = (await lock()).prompts['greet']!
  return versions[hash]?.messages[0]?.content ?? ''
}
const says = async (name: string, user: string): Promise<string> => {
  const { out } = await project.stateloop(['run', `./${name}.mjs`, '--question', 'Ada', '--user', user])
  return /\n\n(.*)\n\ndone/.exec(out)?.[1] ?? out
}

describe('stateloop prompts, from the first lock to a rollback', () => {
  it('checks fail until there is a lock that knows the prompts', async () => {
    expect(await prompts('one', 'check')).toMatchObject({ code: 1, out: expect.stringContaining('greet is not in the lock. Add it with `stateloop prompts release greet`.') as string })
    await expect(access(join(project.folder, 'prompts.lock.json'))).rejects.toThrow()
    expect(await prompts('one', 'release')).toMatchObject({ code: 0, out: expect.stringMatching(/^greet: everybody has [0-9a-f]{12}\n$/) as string })
    expect(await prompts('one', 'check')).toEqual({ code: 0, out: '✓ 1 prompt in the code, known to the lock\n', err: '' })
    expect(await prompts('one', 'release')).toMatchObject({ code: 0, out: 'the lock says so already\n' })
  })

  it('fails the check with the difference when a template changed and the lock did not', async () => {
    const { code, out } = await prompts('two', 'check')
    expect(code).toBe(1)
    expect(out).toMatch(/^✗ greet changed from [0-9a-f]{12} to [0-9a-f]{12}, but the lock did not\. Ship it with `stateloop prompts release greet`/)
    expect(out).toContain('[-Hello-]{+Good+}')
    const json = await project.json('prompts', 'check', '--agent', './two.mjs')
    expect(json).toMatchObject({ code: 1, value: { ok: false, findings: [{ kind: 'changed', id: 'greet', diff: { same: false } }] } })
  })

  it('runs the active version, whatever the code holds, and says which', async () => {
    expect(await says('two', 'ada')).toBe('Hello Ada')
    const { out } = await project.stateloop(['run', './two.mjs', '--question', 'Ada'])
    const hash = promptHash((await lock()).prompts['greet']!.versions[(await lock()).prompts['greet']!.active]!)
    expect(out).toContain(`· greet@${hash.slice(0, 8)}\n`)
    const shown = await project.stateloop(['show', /run ([0-9a-f-]{36})/.exec(out)![1]!])
    expect(shown.out).toContain(`· greet@${hash.slice(0, 8)}\n`)
  })

  it('rolls a version out to some, ramps it, kills it and revives it', async () => {
    expect(await prompts('two', 'rollout', 'greet', '--percent', '40', '--variant', 'polite')).toMatchObject({ code: 0, out: 'greet: polite has 40 %, by user in experiment greet; all others have the active version\n' })
    const users = Array.from({ length: 12 }, (_, index) => `u${index}`)
    const seen = async (): Promise<readonly string[]> => {
      const texts: string[] = []
      for (const user of users) texts.push(await says('two', user))
      return texts
    }
    const first = await seen()
    expect(new Set(first)).toEqual(new Set(['Hello Ada', 'Good day Ada']))
    expect(await seen()).toEqual(first)
    await prompts('two', 'rollout', 'greet', '--percent', '70', '--variant', 'polite')
    const ramped = await seen()
    for (const [index, text] of first.entries()) if (text === 'Good day Ada') expect(ramped[index]).toBe(text)
    expect(await prompts('two', 'rollout', 'greet', '--kill')).toMatchObject({ out: expect.stringContaining('killed, everybody has the active version') as string })
    expect(new Set(await seen())).toEqual(new Set(['Hello Ada']))
    await prompts('two', 'rollout', 'greet', '--revive')
    expect(await seen()).toEqual(ramped)
  })

  it('releases, rolls back to what was before, and to any version that was kept', async () => {
    await prompts('two', 'release', 'greet')
    await prompts('three', 'release', 'greet')
    expect(await active()).toBe('Hi {{input}}!')
    expect(await prompts('three', 'rollback', 'greet')).toMatchObject({ code: 0, out: expect.stringMatching(/^greet: everybody has [0-9a-f]{12} instead of [0-9a-f]{12}\n$/) as string })
    expect(await active()).toBe('Good day {{input}}')
    expect(await says('three', 'ada')).toBe('Good day Ada')
    const oldest = Object.entries((await lock()).prompts['greet']!.versions).find(([, document]) => document.messages[0]?.content === 'Hello {{input}}')![0]
    await prompts('three', 'rollback', 'greet', oldest.slice(0, 8))
    expect(await active()).toBe('Hello {{input}}')
  })

  it('takes a version that ran before there was a lock from the content store', async () => {
    await project.write('free.mjs', greeter('Ahoy {{input}}', undefined, 'greet-freely'))
    await project.stateloop(['run', './free.mjs', '--question', 'Ada'])
    const { out } = await prompts('one', 'show', 'greet-freely@ran')
    expect(out).toContain('greet-freely · ran\n')
    expect(out).toContain('Ahoy {{input}}')
    expect(out).toContain('Ahoy <input>')
  })

  it('refuses a version that does not fit the code, and leaves the lock as it is', async () => {
    const before = await lock()
    await project.write('town.mjs', greeter('Hello {{town}}', 'z.object({ town: z.string() })'))
    const refused = await prompts('town', 'rollback', 'greet')
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('it needs the variable "input", which the code no longer declares') as string })
    expect(await prompts('town', 'rollout', 'greet', '--percent', '1')).toMatchObject({ code: 2 })
    expect(await lock()).toEqual(before)
  })

  it('refuses a lock that is none', async () => {
    await project.write('broken.lock.json', '{ "version": 1, "prompts": { "greet": { "active": "x" } } }')
    expect(await prompts('one', 'list', '--lock', 'broken.lock.json')).toMatchObject({ code: 2, err: expect.stringContaining('is not a lock of prompts') as string })
  })
})

describe('changes of the lock at the same time', () => {
  it('are all made, and a rollback from a version that nobody has seen is refused', async () => {
    await using other = await testProject()
    await other.write('stateloop.config.mjs', 'export default {}')
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) await other.write(`${name}.mjs`, greeter('Hello {{input}}', undefined, name))
    const run = (...args: readonly string[]) => other.stateloop(['prompts', ...args])
    const read = async (): Promise<Lock> => parseLock(await readFile(join(other.folder, 'prompts.lock.json'), 'utf8'), 'the lock')
    for (const { code } of await Promise.all(names.map((name) => run('release', name, '--agent', `./${name}.mjs`)))) expect(code).toBe(0)
    expect(Object.keys((await read()).prompts)).toEqual(names)
    await other.write('a2.mjs', greeter('Good day {{input}}', undefined, 'a'))
    await run('release', 'a', '--agent', './a2.mjs')
    const both = await Promise.all([run('rollback', 'a', '--agent', './a.mjs'), run('rollback', 'a', '--agent', './a2.mjs')])
    expect(both.map(({ code }) => code).toSorted()).toEqual([0, 2])
    // Which of the two it says depends on whether both had read the lock before one of them changed it.
    expect(both.map(({ err }) => err).join('')).toMatch(/Another process changed a at the same time|No version of a was active before/)
    expect((await read()).prompts['a']).toMatchObject({ previous: [] })
  })
})

describe('stateloop prompts list, show and diff', () => {
  it('list says where code and lock differ', async () => {
    await prompts('one', 'release', 'greet')
    const { out } = await prompts('two', 'list')
    expect(out).toMatch(/^prompt +code +active +state +rollout +agents\ngreet +[0-9a-f]{12} +[0-9a-f]{12} +another version is active +\.\/two\.mjs\n$/)
    expect((await project.json('prompts', 'list', '--agent', './two.mjs')).value).toMatchObject({ prompts: [{ id: 'greet', agents: ['./two.mjs'] }], problems: [] })
  })

  it('list tells of an agent that cannot be loaded, and check fails on it', async () => {
    await project.write('broken.mjs', 'export default 1')
    expect(await prompts('broken', 'list')).toMatchObject({ code: 0, err: expect.stringContaining('Agent ./broken.mjs could not be loaded') as string })
    expect(await prompts('broken', 'check')).toMatchObject({ code: 1, out: expect.stringContaining('Agent ./broken.mjs could not be loaded') as string })
  })

  it('diff shows words, variables and an example with the values given', async () => {
    const { out } = await project.stateloop(['prompts', 'diff', 'greet@active', 'greet@code', '--agent', './two.mjs', '--vars', '{"input":"Ada"}'])
    expect(out).toMatch(/^greet@active [0-9a-f]{12} → greet@code [0-9a-f]{12}\n/)
    expect(out).toContain('[-Hello-]{+Good+}')
    expect(out).toContain('{+day +}Ada')
    expect((await prompts('one', 'diff', 'greet')).out).toContain('no difference')
  })

  it('show and diff read the steps that ran: model, parameters, tools and schema', async () => {
    await project.stateloop(['run', 'forecast', '--question', 'Rain?'])
    const step = await stepOf(await lastRun())
    const { out } = await prompts('one', 'show', step)
    expect(out).toMatch(new RegExp(`^step ${step}`))
    expect(out).toContain('"maxOutputTokens"')
    expect((await prompts('one', 'show', 'greet@code')).out).toContain(`\nsteps that asked with it\n    ${step.slice(0, 12)} openai/m\n`)
    expect(await prompts('one', 'diff', step, step)).toMatchObject({ code: 0, out: expect.stringContaining('no difference') as string })
    expect(await prompts('one', 'diff', step, 'greet')).toMatchObject({ code: 2, err: expect.stringContaining('A step can be compared with a step only') as string })
  })

  it.each([
    [['show', 'gret'], "Did you mean 'greet'?"],
    [['show', 'abcdef123456'], 'No version of a prompt is called "abcdef123456"'],
    [['rollout', 'greet'], 'Say one of --percent, --kill and --revive.'],
    [['rollout', 'greet', '--percent', 'half'], '--percent takes a number'],
    [['rollout', 'greet', '--percent', '5', '--by', 'moon'], '--by takes user, tenant, session, route, run'],
    [['rollback', 'nobody'], 'The lock has no prompt "nobody"'],
  ])('%j says what to write instead', async (args, problem) => {
    expect(await prompts('one', ...args)).toMatchObject({ code: 2, err: expect.stringContaining(problem) as string })
  })
})

describe('stateloop prompts log and compare', () => {
  it('log shows each version with its runs, calls and cost, the newest first', async () => {
    const { code, out } = await prompts('one', 'log', 'greet')
    expect(code).toBe(0)
    expect(out).toMatch(/^version +is +first +last +runs +calls +failed +tokens +cost +p50 +p95\n/)
    const { value } = await project.json('prompts', 'log', 'greet', '--agent', './one.mjs')
    const { versions } = value as { readonly versions: readonly { readonly hash: string; readonly runs: number; readonly calls: number; readonly costUsd: number; readonly where: readonly string[] }[] }
    const hashes = Object.keys((await lock()).prompts['greet']!.versions)
    for (const { hash, runs, calls, costUsd } of versions) {
      expect(hashes).toContain(hash)
      expect([runs, costUsd > 0]).toEqual([calls, true])
    }
    expect(versions.find(({ where }) => where.includes('active'))?.where).toContain('code')
    expect(await prompts('one', 'log', 'nobody')).toMatchObject({ code: 2, err: expect.stringContaining('There is no prompt "nobody"') as string })
  })

  it('log counts calls that were turned away among the failed', async () => {
    const journal = sqliteJournal({ path: join(project.folder, '.stateloop', 'stateloop.db') })
    const call = { agent: 'a', state: 's', model: 'm', prompt: 'busy', promptHash: 'abcdef0123456789', at: Date.now(), latencyMs: 5, isCall: true, firstOf: 0 } as const
    const turnedAway = { ...call, usage: null, costNano: 0, failed: true, isUnbilled: true } as const
    await journal.settle?.('run', { charges: [{ ...call, usage: { inputTokens: 1, outputTokens: 1 }, costNano: 7, failed: false }, turnedAway, turnedAway, turnedAway] })
    await journal.close()
    expect((await prompts('one', 'log', 'busy')).out).toMatch(/\nabcdef012345 .* 0 +1 +75\.0 % +1 in, 1 out /)
    expect((await project.json('prompts', 'log', 'busy')).value).toMatchObject({ versions: [{ calls: 1, failed: 0, unbilled: 3 }] })
  })

  it('compare shows the variants of the experiment with intervals and against control', async () => {
    const { value } = await project.json('prompts', 'compare', 'greet', '--experiment', 'greet', '--agent', './two.mjs')
    const { experiment, sides } = value as {
      readonly experiment: string
      readonly sides: readonly {
        readonly variant: string
        readonly measures: { readonly units: number; readonly costUsdPerRun: { readonly value: number; readonly interval: readonly number[] } }
        readonly difference?: unknown
      }[]
    }
    expect(experiment).toBe('greet')
    expect(sides.map(({ variant }) => variant)).toEqual(['control', 'polite'])
    for (const { measures } of sides) {
      expect(measures.units).toBeGreaterThan(1)
      expect(measures.costUsdPerRun.interval[0]).toBeLessThanOrEqual(measures.costUsdPerRun.value)
    }
    expect(sides.map(({ difference }) => difference !== undefined)).toEqual([false, true])
    const { out } = await prompts('two', 'compare', 'greet', '--experiment', 'greet')
    expect(out).toMatch(/^greet · experiment greet by user · intervals hold 95 %\nvariant +version +units/)
    expect(out).toMatch(/\npolite against control: cost per run .*, .*; latency p50 .*; failed runs, points .*\n$/)
  })

  it('compare says so when there was no experiment', async () => {
    const { out } = await project.stateloop(['prompts', 'compare', 'greet-freely', '--agent', './free.mjs'])
    expect(out).toContain('not an experiment')
    expect(await prompts('one', 'compare', 'greet', '--experiment', 'moon')).toMatchObject({ code: 2, err: expect.stringContaining('No run took part in the experiment "moon"') as string })
  })

  it('compare shows how an evaluation scored each version', async () => {
    await project.write(
      'hello.eval.mjs',
      `import { evaluation, matches } from ${JSON.stringify(pathToFileURL(fileURLToPath(new URL('../../src/eval/index.ts', import.meta.url))).href)}
import agent, { offline } from './two.mjs'
export default evaluation({ name: 'hello', agent, providers: [offline], cases: [{ id: 'a', input: 'Ada', expected: '' }, { id: 'b', input: 'Bob', expected: '' }], scorers: { polite: matches(/^Good day/) } })
`,
    )
    const evaluated = await project.stateloop(['eval', './hello.eval.mjs'])
    expect(evaluated).toMatchObject({ code: 0 })
    const { value } = await project.json('prompts', 'compare', 'greet', '--experiment', 'greet', '--agent', './two.mjs')
    const { sides } = value as { readonly sides: readonly { readonly variant: string; readonly scores: readonly { readonly evaluation: string; readonly passRate: number }[] }[] }
    expect(sides.map(({ variant, scores }) => [variant, scores.map(({ evaluation, passRate }) => [evaluation, passRate])])).toEqual([
      ['control', []],
      ['polite', [['hello', 1]]],
    ])
  })
})

describe('this repository', () => {
  it('has a lock that knows the prompts of its agents', async () => {
    let out = ''
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const io = {
      out: (text: string) => void (out += text),
      err: () => {},
      readInput: () => Promise.resolve(''),
      terminal: false,
      columns: () => 80,
      style: (_: string, text: string) => text,
      cwd: root,
      env: {},
      platform: 'linux' as const,
      program: 'stateloop',
    }
    expect({ code: await runCli(['prompts', 'check'], io), out }).toEqual({ code: 0, out: expect.stringContaining('in the code, known to the lock') as string })
  })
})

const lastRun = async (): Promise<string> => {
  const { value } = await project.json('runs', '--limit', '1')
  return (value as { readonly runs: readonly { readonly id: string }[] }).runs[0]!.id
}

/** The step hash of a run's first call, read from its events. */
const stepOf = async (run: string): Promise<string> => {
  const { sqliteJournal } = await import('../../src/journal/index.ts')
  const journal = sqliteJournal({ path: join(project.folder, '.stateloop/stateloop.db') })
  const text = (await journal.read(run)).map((entry) => entry.text).join('\n')
  await journal.close()
  return /"stepHash":"([0-9a-f]+)"/.exec(text)![1]!
}
