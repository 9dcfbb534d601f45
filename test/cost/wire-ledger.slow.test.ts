// Every recorded call with usage is made again, through a client over a loopback socket into the ledger, and what the ledger
// and the journal say of it is what an independent reader finds in the recording.
import { expect, it } from 'vitest'
import { systemClock } from '../../src/clock/index.ts'
import { reportCosts } from '../../src/cost/index.ts'
import { memoryJournal, type CallRecord } from '../../src/journal/index.ts'
import { openai } from '../../src/model/index.ts'
import { client } from '../../src/run/index.ts'
import { faultServer } from '../../src/testing/index.ts'
import { hasShared, isStream, sharedFolder } from '../wire/recordings.ts'
import { exactNano, listed, recordedCalls, type Recorded } from './recorded.ts'

if (!hasShared) process.stdout.write(`No recordings at ${sharedFolder}: only the sample in test/fixtures/wire is played into the ledger.\n`)

const recorded = recordedCalls()
const HOUR_MS = 3_600_000

/** What should be charged. */
const expectedOf = ({ provider, asked, answered, atMs, usage }: Recorded) => {
  const list = listed(provider, answered, atMs) ?? listed(provider, asked, atMs)
  return { ...usage, costNano: list === null ? null : exactNano(list, usage) }
}

const chargedIn = ({ usage, costNano }: CallRecord) => ({
  inputTokens: usage?.inputTokens ?? null,
  outputTokens: usage?.outputTokens ?? null,
  cachedTokens: usage?.cachedTokens ?? 0,
  cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
  reasoningTokens: usage?.reasoningTokens ?? 0,
  costNano,
})

it('every recorded call is in the ledger and in the journal as an independent reader finds it', { timeout: 120_000 }, async () => {
  if (hasShared) expect(recorded.length).toBeGreaterThan(750)
  await using server = await faultServer({ faults: recorded.map(({ recording: { response } }) => ({ status: response.status, headers: response.headers, body: response.body })) })
  let nowMs = 0
  const clock = { ...systemClock, now: () => nowMs }
  const names = [...new Set(recorded.map(({ provider }) => provider))]
  const providers = (id: string) => {
    const [name = '', wire] = id.split('.')
    return openai({ id: name, baseURL: server.url, apiKey: 'test-key-1234', wire: wire === 'responses' ? 'responses' : 'chat' })
  }
  const known = new Map(names.flatMap((name) => [name, `${name}.responses`]).map((id) => [id, providers(id)]))
  const calls = client({ models: {}, providers: (id) => known.get(id), clock, journal: memoryJournal({ clock, keepEnded: recorded.length }), breaker: false, limiter: false })
  for (const [number, one] of recorded.entries()) {
    const { recording, provider, asked, atMs } = one
    nowMs = atMs
    const model = `${provider}${recording.api === 'openai.responses' ? '.responses' : ''}/${asked}` as const
    const run = await calls.complete({ model, messages: [{ role: 'user', content: 'as recorded' }], user: `call ${number}`, route: one.file, retry: { attempts: 1 }, stream: isStream(recording) })
    await run.outcome()
    const records = (await calls.runtime.entries(run.id)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' ? (cause.outcome.calls ?? []) : []))
    expect(records.map(chargedIn), `${recording.file}:${recording.line}`).toEqual([expectedOf(one)])
  }
  expect(server.requests).toHaveLength(recorded.length)
  const { ledger } = calls.runtime.journal
  if (ledger === undefined) throw new Error('no ledger')
  const times = recorded.map(({ atMs }) => atMs)
  const { groups, total } = await reportCosts(ledger, { by: ['user'], sinceMs: Math.min(...times), untilMs: Math.max(...times) + HOUR_MS })
  const found = new Map(groups.map((group) => [group.key.user, group]))
  for (const [number, one] of recorded.entries()) {
    const { costNano, ...tokens } = expectedOf(one)
    expect(found.get(`call ${number}`), one.file).toMatchObject({ ...tokens, calls: 1, costUsd: costNano === null ? null : costNano / 1e9, unpricedCalls: costNano === null ? 1 : 0 })
  }
  const sum = (of: (one: ReturnType<typeof expectedOf>) => number): number => recorded.reduce((all, one) => all + of(expectedOf(one)), 0)
  expect(total).toMatchObject({ calls: recorded.length, inputTokens: sum((one) => one.inputTokens), outputTokens: sum((one) => one.outputTokens), costUsd: sum((one) => one.costNano ?? 0) / 1e9 })
  await calls.close()
})
