import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture, testProject, type TestProject } from './project.ts'

let project: TestProject

beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

interface Document {
  readonly run: string
  readonly outcome: string
  readonly output: unknown
  readonly notes: readonly string[]
  readonly waiting: readonly { readonly calls: readonly { readonly hash: string }[] }[]
}

const started = async (...args: readonly string[]): Promise<Document> => (await project.json('run', ...args)).value as Document

describe('stateloop run', () => {
  it('prints a plain line per state, the answer with its sources, the outcome and the run id in a pipe', async () => {
    const { code, out, err } = await project.stateloop(['run', 'desk', '--question', 'Open on Sunday?'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).not.toContain('\u001b')
    expect(out).toContain('offline: scripted rules, not a language model')
    expect(out).toMatch(/✓ answering +model · .+ · \d+ in, \d+ out · \$0\.0000\d+ · desk\/answering@[0-9a-f]{8}\n● sent +final\n/)
    expect(out).toContain('You asked: Open on Sunday?\n\nSources:\n  desk.md\n')
    expect(out).toMatch(/\ndone · 1 model call · 0 tool calls · .+\nrun [0-9a-f-]{36}\n$/)
  })

  it('prints one JSON document with --json, notes included', async () => {
    expect(await started('desk', '--input', '{"question":"hi"}')).toMatchObject({
      outcome: 'done',
      output: { answer: 'You asked: hi', sources: ['desk.md'] },
      notes: [expect.stringContaining('not a language model')],
    })
  })

  it('prints every event as a line and the outcome last with --events', async () => {
    const { out } = await project.stateloop(['run', 'desk', '--question', 'hi', '--events'])
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type?: string; readonly outcome?: string })
    expect(lines[0]).toMatchObject({ type: 'run.started', agent: 'desk' })
    expect(lines.map(({ type }) => type)).toContain('token.delta')
    expect(lines.at(-2)).toMatchObject({ type: 'run.ended', outcome: 'done' })
    expect(lines.at(-1)).toMatchObject({ outcome: 'done' })
    expect(lines.at(-1)).not.toHaveProperty('type')
  })

  it('reads its input from a file and from standard input', async () => {
    await project.write('question.json', '\uFEFF{"question":"from a file"}')
    expect((await started('desk', '--input', '@question.json')).output).toMatchObject({ answer: 'You asked: from a file' })
    const { out } = await project.stateloop(['run', 'desk', '--input', '-'], { input: '{"question":"from a pipe"}' })
    expect(out).toContain('You asked: from a pipe')
  })

  it('finds an agent by its path, by its folder under agents/ and from a folder below the root', async () => {
    const byPath = await project.stateloop(['run', fixture('weather'), '--question', 'Rain?'])
    const byFolder = await project.stateloop(['run', 'forecast', '--question', 'Rain?'], { cwd: `${project.folder}/agents` })
    const byRelative = await project.stateloop(['run', './forecast', '--question', 'Rain?'], { cwd: `${project.folder}/agents` })
    for (const { code, out } of [byPath, byFolder, byRelative]) expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('Grey: Rain?') as string })
  })

  it('gives the same run for the same key', async () => {
    const first = await started('desk', '--question', 'once', '--key', 'k1')
    const second = await started('desk', '--question', 'once', '--key', 'k1')
    expect(second.run).toBe(first.run)
    expect(second.notes).toContainEqual(expect.stringContaining('already started'))
  })

  it('ends with 1 and names the code when the run fails', async () => {
    const { code, out } = await project.stateloop(['run', 'desk', '--question', 'break it'])
    expect(code).toBe(1)
    expect(out).toMatch(/✗ answering .*refused\n/)
    expect(out).toContain('refused: The clerk does not answer that.')
  })

  it('keeps what a model says from steering the terminal', async () => {
    const { out } = await project.stateloop(['run', 'desk', '--question', 'wave'])
    expect(out).toContain('Hello [31mred[0m world.')
  })
})

describe('a run taken up by another command', () => {
  it('goes on after the approval of exactly the call that was shown', async () => {
    const { code, out } = await project.stateloop(['run', 'desk', '--question', 'a refund please', '--db', 'other.db'])
    expect(code).toBe(0)
    const [command = ''] = /stateloop approve .*/.exec(out) ?? []
    expect(command).toMatch(/^stateloop approve [0-9a-f-]{36} --hash [0-9a-f]{64} --db other\.db$/)
    const approved = await project.stateloop([...command.split(' ').slice(1), '--by', 'ann'])
    expect(approved.code).toBe(0)
    expect(approved.out).toMatch(/✓ approving .*\n✓ acting .*\n✓ answering .*\n● sent/)
    expect(approved.out).toContain('The refund was paid.')
    expect(approved.err).toMatch(/refunding \{"amount":12\}\n$/)
  })

  it('goes on with the arguments that a person wrote, once they match the schema of the tool', async () => {
    const { run, waiting } = await started('desk', '--question', 'a refund please')
    const hash = waiting[0]?.calls[0]?.hash ?? ''
    const wrong = await project.json('approve', run, '--hash', hash, '--edit', '{"amount":"all"}')
    expect(wrong).toMatchObject({ code: 2, value: { error: { code: 'invalid_event', message: expect.stringContaining('The edited arguments do not match the schema of refund: amount') as string } } })
    expect(await project.json('approve', run, '--edit', '{"amount":5}')).toMatchObject({ code: 2, value: { error: { code: 'usage' } } })
    const { code, err } = await project.stateloop(['approve', run, '--hash', hash, '--edit', '{"amount":5}', '--by', 'ann'])
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/refunding \{"amount":5\}\n$/) as string })
  })

  it('tells the model when the call is rejected', async () => {
    const { run } = await started('desk', '--question', 'a refund please')
    expect((await project.json('reject', run, '--all', '--reason', 'too much')).value).toMatchObject({
      outcome: 'done',
      output: { answer: 'The refund was rejected.' },
    })
  })

  it('refuses a decision that names no call or one that is not open', async () => {
    const { run, waiting } = await started('desk', '--question', 'a refund please')
    const hash = waiting[0]?.calls[0]?.hash ?? ''
    const nothing = await project.json('approve', run)
    expect(nothing).toMatchObject({ code: 2, value: { error: { code: 'usage', message: expect.stringContaining(hash) as string } } })
    expect(await project.json('approve', run, '--hash', 'f'.repeat(64))).toMatchObject({ code: 2, value: { error: { code: 'event_not_accepted' } } })
    expect((await project.json('approve', run, '--hash', hash.slice(0, 8))).value).toMatchObject({ outcome: 'done' })
    expect(await project.json('approve', run, '--all')).toMatchObject({ code: 2, value: { error: { code: 'run_ended' } } })
  })

  it('takes declared events and nothing else', async () => {
    const { run } = await started('order', '--input', '{"item":"cup"}')
    expect(await project.json('send', run, '{"type":"PAYED"}')).toMatchObject({ code: 2, value: { error: { code: 'invalid_event' } } })
    expect(await project.json('send', run, '{"type":"PAID","amount":"much"}')).toMatchObject({ code: 2, value: { error: { code: 'invalid_event' } } })
    expect(await project.json('send', run, '{"amount":3}')).toMatchObject({ code: 2, value: { error: { code: 'usage' } } })
    expect(await project.json('send', run, '{"type":"PAID","amount":3}')).toMatchObject({
      code: 0,
      value: { outcome: 'done', output: { item: 'cup', packed: true } },
    })
    expect(await project.json('send', run, '{"type":"PAID","amount":3}')).toMatchObject({ code: 2, value: { error: { code: 'run_ended' } } })
  })

  it('ends with 5 when it is cancelled and with 4 when it is limited', async () => {
    const first = await started('order', '--input', '{"item":"cup"}')
    expect(await project.json('cancel', first.run, '--reason', 'changed my mind')).toMatchObject({
      code: 5,
      value: { outcome: 'cancelled', failure: { message: expect.stringContaining('changed my mind') as string } },
    })
    const second = await started('order', '--input', '{"item":"cup"}')
    expect(await project.json('send', second.run, '{"type":"GONE"}')).toMatchObject({ code: 4, value: { outcome: 'limited' } })
  })

  it('still waits after it was resumed without news', async () => {
    const { run } = await started('order', '--input', '{"item":"cup"}')
    const { code, out } = await project.stateloop(['resume', run])
    expect(code).toBe(0)
    expect(out).toMatch(/… paying +/)
    expect(out).toContain(`stateloop send ${run} '{"type":"PAID"}'`)
  })
})

describe('stateloop show and runs', () => {
  it('show a run as its states with tokens, cost and failures', async () => {
    const { run } = await started('desk', '--question', 'a refund please', '--user', 'u7')
    await project.stateloop(['approve', run, '--all'])
    const { out } = await project.stateloop(['show', run])
    expect(out).toMatch(/^desk 2\.1\.0 · run .*\nstarted .* · user u7 · \d entries\n\n✓ answering +model · .*openai\/clerk-1.*\n✓ approving +approve · .*\n✓ acting +tools · .*\n✓ answering +model · .*\n● sent +final\n/)
    const { value } = await project.json('show', run)
    const { visits, run: row } = value as {
      readonly visits: readonly { readonly state: string; readonly inputTokens: number; readonly costUsd: number }[]
      readonly run: { readonly inputTokens: number; readonly costUsd: number }
    }
    expect(visits.map(({ state }) => state)).toEqual(['answering', 'approving', 'acting', 'answering', 'sent'])
    expect(visits.reduce((sum, visit) => sum + visit.inputTokens, 0)).toBe(row.inputTokens)
    expect(visits.reduce((sum, visit) => sum + visit.costUsd, 0)).toBeCloseTo(row.costUsd, 9)
  })

  it('list runs by status and agent', async () => {
    const { run } = await started('order', '--input', '{"item":"plate"}', '--route', '/shop')
    expect((await project.json('runs', '--status', 'waiting', '--agent', 'order', '--route', '/shop')).value).toMatchObject({ runs: [{ id: run, costUsd: 0 }] })
    const { out } = await project.stateloop(['runs', '--agent', 'order', '--limit', '1'])
    expect(out).toMatch(new RegExp(`^run +agent +status .*\n${run} +order +waiting +paying`))
    expect(await project.json('runs', '--status', 'asleep')).toMatchObject({ code: 2, value: { error: { code: 'usage' } } })
  })
})
