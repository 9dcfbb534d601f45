import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../../src/agent/index.ts'
import { failure } from '../../../src/failure/index.ts'
import { replyFailure, script } from '../../../src/model/index.ts'
import { logRuns, type Observer } from '../../../src/run/index.ts'
import { loopAgent, testRuntime } from '../harness.ts'
import { play } from './play.ts'
import { recordTelemetry } from './telemetry.ts'

type Line = { readonly level: number; readonly msg: string; readonly [field: string]: unknown }

/** A pino whose lines a test can read. */
const lines = (): { readonly observer: Observer; readonly all: () => readonly Line[] } => {
  const written: string[] = []
  const logger = pino({ base: null, timestamp: false }, { write: (text: string) => void written.push(text) })
  return { observer: logRuns(logger), all: () => written.map((text) => JSON.parse(text) as Line) }
}

describe('the log of a run', () => {
  it('has a line for each transition and each attempt, with the level of its outcome', async () => {
    const { observer, all } = lines()
    await play({ observers: [observer] })
    expect(all().map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      '30 run started',
      '30 enters triaging',
      '40 scripted/fast failed: rate_limited, trying again',
      '30 scripted/fast answered',
      '30 triaging → searching',
      '30 kb answered',
      '30 searching → answering',
      '30 scripted/strong answered',
      '30 answering → acting',
      '30 look answered',
      '30 look answered',
      '30 acting → answering',
      '30 scripted/strong answered',
      '30 answering → approving',
      '30 run waits',
      '30 run resumed',
      '30 run resumed',
      '30 approving → acting',
      '30 refund answered',
      '30 acting → answering',
      '40 scripted/strong failed: overloaded',
      '40 answering → shortAnswer.1-strong',
      '40 scripted/strong failed: overloaded',
      '40 shortAnswer.1-strong → shortAnswer.2-fast',
      '30 scripted/fast answered',
      '30 shortAnswer.2-fast → checking',
      '30 enters checking',
      '30 scripted/fast answered',
      '30 checking → checked',
      '30 checking → answered',
      '30 run done',
    ])
  })

  it('holds only fields that are named for it', async () => {
    const { observer, all } = lines()
    const { id } = await play({ observers: [observer] })
    const find = (msg: string): Line | undefined => all().find((line) => line.msg === msg)
    expect(find('run started')).toEqual({ level: 30, msg: 'run started', run: id, agent: 'desk', version: '2', user: 'ada', route: '/help', tenant: 'acme', session: 's1' })
    expect(find('scripted/fast answered')).toEqual({
      level: 30,
      msg: 'scripted/fast answered',
      run: id,
      agent: 'desk',
      state: 'triaging',
      kind: 'model',
      name: 'scripted/fast',
      attempt: 2,
      durationMs: 0,
      inputTokens: expect.any(Number) as number,
      outputTokens: expect.any(Number) as number,
      costUsd: expect.any(Number) as number,
      priceSource: 'agent',
      user: 'ada',
      route: '/help',
      tenant: 'acme',
      prompt: expect.any(String) as string,
      promptHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      stepHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      requestHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    })
    expect(find('checking → checked')).toMatchObject({ actor: '/checking#1', from: 'checking', to: 'checked' })
    const written = JSON.stringify(all())
    for (const said of ['Refund order', '90 USD', 'within 30 days', 'amountUsd', 'as the test says']) expect(written).not.toContain(said)
  })

  it('names the trace and the span, when the run is traced', async () => {
    const telemetry = recordTelemetry()
    const { observer, all } = lines()
    await play({ observers: [observer] })
    const spans = new Map(telemetry.spans().map((span) => [span.spanContext().spanId, span]))
    const answered = all().find(({ msg }) => msg === 'scripted/fast answered')
    expect(spans.get(String(answered?.['span_id']))?.name).toBe('state triaging')
    expect(answered).toMatchObject({ trace_id: telemetry.named('state triaging')[0]?.spanContext().traceId, trace_flags: '01' })
    expect(all().filter((line) => line['trace_id'] === undefined)).toEqual([])
  })

  it('ends with an error when the run failed, without what the failure quotes', async () => {
    const t = setupAgent({ id: 'short', models: { m: 'scripted/m' }, input: z.object({}), onFailure: 'failed' })
    const short = t.createAgent({ initial: 'asking', states: { asking: t.model('m', { prompt: 'p', retry: { attempts: 1 }, onDone: 'done' }), done: t.final({}), failed: t.final({ outcome: 'failed' }) } })
    const { observer, all } = lines()
    const { runtime } = testRuntime({ observers: [observer], providers: [script([replyFailure('auth_failed', { provider: { status: 401, requestId: 'req_1', code: 'invalid_api_key' } })])] })
    await (await runtime.start(short, {})).outcome()
    expect(all().at(-2)).toMatchObject({ level: 40, msg: 'asking → failed', failure: 'auth_failed' })
    expect(all().at(-3)).toMatchObject({ level: 40, failure: 'auth_failed', status: 401, requestId: 'req_1', providerCode: 'invalid_api_key' })
    expect(all().at(-1)).toMatchObject({ level: 50, msg: 'run failed', outcome: 'failed' })
  })

  it('does not change a run whose model cannot be reached', async () => {
    const { observer, all } = lines()
    const { runtime } = testRuntime({ observers: [observer], providers: [] })
    const outcome = await (await runtime.start(loopAgent({}), 'x')).outcome()
    expect(outcome.outcome).toBe('failed')
    expect(JSON.stringify(all())).not.toContain(failure('provider_not_found', 'Add it to createRuntime').message)
  })
})
