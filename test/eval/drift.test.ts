import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { evaluation, findDrift, ResultStore, runEvaluation, type DriftResult, type EvaluatedFunction, type Identity } from '../../src/eval/index.ts'

const identity: Identity = { code: 'c', structure: 's', states: { asking: 'a1' }, unknown: [], files: [] }
const WEEK_MS = 7 * 86_400_000

interface Behaviour {
  readonly output?: string
  readonly path?: readonly string[]
  readonly model?: string
  readonly refuses?: boolean
}

/** An agent as it behaves: how it answers each input. */
const behaving =
  (how: (input: number) => Behaviour): EvaluatedFunction<number, string> =>
  (input, { report }) => {
    const { output = 'a usual answer', path = ['asking', 'sent'], model = 'openai/m-1', refuses = false } = how(input)
    report({ states: path.map((state) => ({ state })), models: [model], refusals: refuses ? 1 : 0, costUsd: 0.01 })
    return output
  }

const desk = (agent: EvaluatedFunction<number, string>) =>
  evaluation({
    name: 'desk',
    agent,
    cases: Array.from({ length: 12 }, (_, at) => ({ id: `n${at}`, input: at, tags: at < 10 ? ['canary'] : [] })),
    scorers: { usual: ({ output }) => String(output).includes('answer') },
    trials: 4,
  })

/** Runs once, a week passes, and then looks for drift. */
const after = async (before: (input: number) => Behaviour, now: (input: number) => Behaviour, today: Identity = identity): Promise<DriftResult> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-drift-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const clock = fakeClock()
  const start = clock.now()
  await runEvaluation(desk(behaving(before)), { store: await ResultStore.open(folder, 'desk'), identity, clock })
  await clock.advance(WEEK_MS)
  return findDrift(desk(behaving(now)), { store: await ResultStore.open(folder, 'desk'), identity: today, clock, since: start })
}

const findings = ({ groups }: DriftResult): readonly string[] => groups.flatMap((group) => group.findings)

test('only pinned cases are run, and nothing is found when nothing moved', async () => {
  const result = await after(
    () => ({}),
    () => ({}),
  )
  expect(result.groups).toMatchObject([{ kind: 'provider', cases: 10, trialsBefore: 40, trialsAfter: 40, findings: [] }])
  expect(result.unknown).toEqual([])
})

test.each([
  ['the pass rate', () => ({ output: 'what?' }), /the pass rate went from 100\.0 % to 0\.0 %/],
  ['the way through the states', () => ({ path: ['asking', 'acting', 'sent'] }), /runs take other ways through the states \(divergence 1\.000/],
  ['refusals', () => ({ refuses: true }), /refusals went from 0\.0 % to 100\.0 %/],
  ['length', () => ({ output: 'an answer that is much longer than a usual one' }), /outputs are \d\.\d\d times as long/],
  ['the model that answers', () => ({ model: 'openai/m-2' }), /openai\/m-2 answered, which did not before/],
])('%s that moved under unchanged hashes is the provider’s', async (_what, now, message) => {
  const result = await after(() => ({}), now)
  expect(result.groups.map(({ kind }) => kind)).toEqual(['provider'])
  expect(findings(result)).toEqual(expect.arrayContaining([expect.stringMatching(message)]))
})

test('what moved after a change of ours stands apart', async () => {
  const changed = { ...identity, states: { asking: 'a2' } }
  const half = (input: number): Behaviour => ({ path: input < 5 ? ['guessing', 'sent'] : ['asking', 'sent'] })
  const result = await after(half, (input) => ({ ...half(input), output: 'what?' }), changed)
  expect(result.groups).toMatchObject([
    { kind: 'provider', cases: 5 },
    { kind: 'ours', cases: 5 },
  ])
})

test('cases of which nothing was stored are named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-drift-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const result = await findDrift(desk(behaving(() => ({}))), { store: await ResultStore.open(folder, 'desk'), identity, clock: fakeClock(), since: 0 })
  expect(result).toMatchObject({ groups: [], unknown: Array.from({ length: 10 }, (_, at) => `n${at}`) })
})
