import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { findSecrets } from '../../src/failure/index.ts'
import { formatRecording, parseRecording, redactRecording, refuseSecrets, replay } from '../../src/replay/index.ts'
import { pseudonyms } from '../../src/replay/pseudonym.ts'
import { recordRun } from '../../src/replay/record.ts'
import { createRuntime } from '../../src/run/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { listModel, type Turn } from '../run/harness.ts'

const refund = defineTool({
  description: 'Pays back.',
  input: z.object({ email: z.string(), amount: z.number() }),
  effect: 'irreversible',
  run: ({ email, amount }) => ({ email, paid: amount, note: `Paid ${amount} to ${email}` }),
})

const agent = (() => {
  const t = setupAgent({
    id: 'refunds',
    models: { m: { model: 'fake/m', maxOutputTokens: 100 } },
    tools: { refund },
    input: z.object({ first_name: z.string(), text: z.string() }),
    context: z.object({ first_name: z.string(), text: z.string(), answer: z.string() }),
    onFailure: 'failed',
  })
  return t.createAgent({
    initial: 'asking',
    states: {
      asking: t.model('m', { prompt: ({ context }) => `${context.first_name} says: ${context.text}`, tools: ['refund'], maxVisits: 3, onTools: { refund: 'approving' }, save: 'answer', onDone: 'done' }),
      approving: t.approve({ onApproved: 'acting', onRejected: 'asking', onError: { '*': 'failed' } }),
      acting: t.tools({ onDone: 'asking' }),
      done: t.final({ output: ({ context }) => context.answer }),
      failed: t.final({ outcome: 'failed' }),
    },
  }) as unknown as Agent
})()

const turns: readonly Turn[] = [{ calls: [{ id: 'c', name: 'refund', args: { email: 'ada@lovelace.example', amount: 20 } }] }, { text: 'Dear Ada, 20 was paid to ada@lovelace.example.' }]

const recording = async () => {
  const runtime = createRuntime({ providers: [listModel(turns)], clock: fakeClock() })
  const run = await runtime.start(agent, { first_name: 'Ada', text: 'I am in Canada. Call +1 555 010 9999.' }, { user: 'user-77' })
  const first = await run.outcome()
  const hash = first.outcome === 'waiting' ? first.waiting[0]?.calls?.[0]?.hash : undefined
  await run.send({ type: 'APPROVE', hash: hash ?? '' }, 'boss@lovelace.example')
  expect(await run.outcome()).toMatchObject({ outcome: 'done' })
  return recordRun(runtime.journal, run.id, agent)
}

describe('a redacted recording', () => {
  it('has pseudonyms of the same shape wherever a value is repeated, and still replays', async () => {
    const { recording: redacted, replaced } = await redactRecording(agent, await recording(), { key: 'k' })
    const text = formatRecording(redacted)
    expect(replaced).toBe(5)
    for (const personal of ['ada@lovelace', 'boss@lovelace', 'user-77', '555 010 9999', '"Ada"', 'Dear Ada,']) expect(text).not.toContain(personal)
    const name = /Dear (\w+),/.exec(text)?.[1] ?? ''
    expect(text).toContain(`"first_name":"${name}"`)
    expect(text).toContain(`${name} says: I am in Canada. Call +`)
    const [mail] = /\w{3}@example\.com/.exec(text) ?? ['']
    expect(text.split(mail).length).toBeGreaterThan(4)
    expect(redacted.redacted).toBe(true)
    const again = parseRecording(text)
    expect((await replay(agent, again)).status).toBe('same')
  })

  it('has the same pseudonyms under the same key, others under another', async () => {
    const [one, two, other] = await Promise.all(['k', 'k', 'l'].map(async (key) => (await redactRecording(agent, await recording(), { key })).recording.row.user))
    expect(one).toBe(two)
    expect(one).not.toBe(other)
  })

  it('replaces further fields, and keeps those that are named', async () => {
    const text = formatRecording((await redactRecording(agent, await recording(), { key: 'k', fields: ['amount'], keep: ['first_name'] })).recording)
    expect(text).toContain('"first_name":"Ada"')
    expect(text).not.toContain('"amount":20')
  })

  it('is refused when other names would lead another way', async () => {
    const t = setupAgent({ id: 'gate', models: {}, input: z.object({ email: z.string() }) })
    const gate = t.createAgent({
      initial: 'choosing',
      states: {
        choosing: t.choose({ cases: [{ when: ({ context }) => context.email.endsWith('@lovelace.example'), to: 'inside' }], else: 'outside' }),
        inside: t.final({}),
        outside: t.final({}),
      },
    } as never) as unknown as Agent
    const runtime = createRuntime({ clock: fakeClock() })
    const run = await runtime.start(gate, { email: 'ada@lovelace.example' })
    await run.outcome()
    const recorded = await recordRun(runtime.journal, run.id, gate)
    await expect(redactRecording(gate, recorded, { key: 'k' })).rejects.toThrow(/With pseudonyms the run would go another way: .*start → inside, but start → outside/)
    expect((await redactRecording(gate, recorded, { key: 'k', keep: ['email'] })).replaced).toBe(0)
  })
})

describe('pseudonyms', () => {
  it('keep type, length and shape', () => {
    const { text, number } = pseudonyms('k')
    expect(text('Ada Lovelace-9')).toMatch(/^[A-Z][a-z]{2} [A-Z][a-z]{7}-\d$/)
    expect(text('ada.l@mail.example')).toMatch(/^[a-z]{3}\.[a-z]@example\.com$/)
    expect(text('王小明')).toMatch(/^[0-9a-f]{4}$/)
    expect(String(number(4711))).toMatch(/^[1-9]\d{3}$/)
    expect(number(-3)).toBeLessThan(0)
  })
})

describe('a secret', () => {
  const samples = {
    'an OpenAI key': `sk-proj-${'a1B2'.repeat(8)}`,
    'an Anthropic key': `sk-ant-api03-${'x'.repeat(24)}`,
    'an AWS access key id': `AKIA${'Z'.repeat(16)}`,
    'a GitHub token': `ghp_${'a'.repeat(36)}`,
    'a password in an address': 'postgres://me:hunter2@db.example/x',
  }

  it('of a known shape is found, and nothing else is', () => {
    for (const [kind, text] of Object.entries(samples)) expect(findSecrets(`see ${text} there`).map((secret) => secret.kind)).toEqual([kind])
    expect(findSecrets('sk-short https://example.com/a:b@c 0123456789abcdef0123456789abcdef task-force-of-many-people')).toEqual([])
  })

  it('is never written: the refusal names kind and line, not the secret', async () => {
    const good = await recording()
    const bad = { ...good, row: { ...good.row, key: samples['a GitHub token'] } }
    expect(() => refuseSecrets(good)).not.toThrow()
    expect(() => refuseSecrets(bad)).toThrow(/would hold a GitHub token \(ghp_…\) in line 1\. Nothing was written/)
    expect(() => refuseSecrets(bad)).not.toThrow(/ghp_a/)
  })
})
