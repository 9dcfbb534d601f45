import { context, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../../src/clock/index.ts'
import type { StartCause } from '../../../src/journal/index.ts'
import { agent } from '../../../src/agent/index.ts'
import { replyText, script } from '../../../src/model/index.ts'
import { createRuntime } from '../../../src/run/index.ts'
import { adder, listModel, loopAgent, testRuntime } from '../harness.ts'
import { play, settle } from './play.ts'
import { outOfParent, recordTelemetry, treeOf } from './telemetry.ts'

const twoTurns = () => listModel([{ calls: [{ id: 'c1', name: 'add', args: { a: 1, b: 1 } }] }, { text: 'two' }])

const TREE = `
invoke_agent desk
  state triaging
    chat fast
      attempt !rate_limited
      attempt
  state searching
    retrieval kb
      attempt
  state answering
    chat strong
      attempt
  state acting
    execute_tool look
      attempt
    execute_tool look
      attempt
  state answering
    chat strong
      attempt
  state approving
invoke_agent desk
  state approving
  state acting
    execute_tool refund
      attempt
  state answering !overloaded
    chat strong !overloaded
      attempt !overloaded
  state shortAnswer
    state shortAnswer.1-strong !overloaded
      chat strong !overloaded
        attempt !overloaded
    state shortAnswer.2-fast
      chat fast
        attempt
  state checking
    invoke_agent checker
      state checking
        chat fast
          attempt
      state checked
  state answered
`

const one = (spans: readonly ReadableSpan[], index = 0): ReadableSpan => {
  const span = spans[index]
  if (span === undefined) throw new Error('no such span')
  return span
}

describe('the spans of a run', () => {
  it('are its states, calls and attempts, each inside the one it belongs to', async () => {
    const telemetry = recordTelemetry()
    await play()
    expect(treeOf(telemetry.spans())).toEqual(TREE.trim().split('\n'))
    expect(outOfParent(telemetry.spans())).toEqual([])
  })

  it('say who the run is for and how it ended', async () => {
    const telemetry = recordTelemetry()
    const { id } = await play()
    const [first, last] = telemetry.named('invoke_agent desk')
    expect(first?.attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'desk',
      'gen_ai.agent.version': '2',
      'gen_ai.conversation.id': 's1',
      'user.id': 'ada',
      'stateloop.run.id': id,
      'stateloop.route': '/help',
      'stateloop.tenant': 'acme',
      'stateloop.outcome': 'waiting',
    })
    expect(last?.attributes).toMatchObject({ 'stateloop.run.resumed': true, 'stateloop.outcome': 'done', 'stateloop.run.id': id })
    expect(last?.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0)
    expect(last?.attributes['stateloop.cost.usd']).toBeGreaterThan(0)
  })

  it('close a stay in a state with the transition it took', async () => {
    const telemetry = recordTelemetry()
    await play()
    expect(one(telemetry.named('state triaging')).attributes).toMatchObject({
      'stateloop.state.kind': 'model',
      'stateloop.transition.from': 'triaging',
      'stateloop.transition.to': 'searching',
      'stateloop.transition.event': 'xstate.done.actor.triaging',
    })
    const left = telemetry.named('state answering').map(({ attributes }) => [attributes['stateloop.transition.to'], attributes['error.type']])
    expect(left).toEqual([
      ['acting', undefined],
      ['approving', undefined],
      ['shortAnswer.1-strong', 'overloaded'],
    ])
  })

  it('name the model, what it was billed and what failed', async () => {
    const telemetry = recordTelemetry()
    await play()
    const call = one(telemetry.named('chat fast'))
    expect(call.kind).toBe(2)
    expect(call.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'scripted',
      'gen_ai.request.model': 'fast',
      'gen_ai.request.max_tokens': 4096,
      'gen_ai.response.model': 'fast',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.prompt.name': 'desk/triaging',
      'stateloop.attempts': 2,
    })
    expect(call.attributes['stateloop.prompt.hash']).toMatch(/^[0-9a-f]{16}$/)
    const attempts = telemetry.named('attempt').filter(({ parentSpanContext }) => parentSpanContext?.spanId === call.spanContext().spanId)
    expect(attempts.map(({ attributes }) => [attributes['stateloop.attempt'], attributes['http.request.resend_count'], attributes['error.type']])).toEqual([
      [1, undefined, 'rate_limited'],
      [2, 1, undefined],
    ])
    expect(one(telemetry.named('retrieval kb')).attributes).toMatchObject({ 'gen_ai.data_source.id': 'kb', 'gen_ai.retrieval.top_k': 3 })
    expect(one(telemetry.named('execute_tool look')).attributes).toMatchObject({ 'gen_ai.tool.name': 'look', 'gen_ai.tool.type': 'function' })
  })

  it('hold nothing that people, models or tools said unless content is asked for', async () => {
    const telemetry = recordTelemetry()
    await play()
    const written = JSON.stringify(telemetry.spans().map(({ name, attributes, status, events }) => [name, attributes, status, events])) + JSON.stringify(telemetry.logs())
    for (const said of ['Refund order', '90 USD', 'within 30 days', 'amountUsd']) expect(written).not.toContain(said)
    await play({ trace: 'content' })
    const call = telemetry.named('chat strong').find(({ attributes }) => attributes['gen_ai.input.messages'] !== undefined)
    expect(JSON.parse(String(call?.attributes['gen_ai.input.messages']))).toEqual([{ role: 'user', parts: [{ type: 'text', content: 'Refund order 7' }] }])
    expect(JSON.parse(String(call?.attributes['gen_ai.output.messages']))).toMatchObject([{ role: 'assistant', finish_reason: 'tool_calls', parts: [{ type: 'tool_call', name: 'look', arguments: { order: 7 } }, {}] }])
    const tool = telemetry.named('execute_tool refund').at(-1)
    expect(tool?.attributes).toMatchObject({ 'gen_ai.tool.call.arguments': '{"order":7}', 'gen_ai.tool.call.result': '"refunded"' })
  })

  it('of a later life of the run refer to the first one', async () => {
    const telemetry = recordTelemetry()
    const { journal, id } = await play()
    const [first, second] = telemetry.named('invoke_agent desk')
    const kept = (JSON.parse((await journal.read(id))[0]?.text ?? '{}') as { readonly cause: StartCause }).cause.trace
    const { traceId, spanId } = first?.spanContext() ?? { traceId: '', spanId: '' }
    expect(kept).toBe(`00-${traceId}-${spanId}-01`)
    expect(second?.links.map(({ context: linked }) => linked.spanId)).toEqual([spanId])
    expect(second?.spanContext().traceId).not.toBe(traceId)
  })

  it('belong to the span that the caller has open, and what a tool traces belongs to its attempt', async () => {
    const telemetry = recordTelemetry()
    const { runtime } = testRuntime({ providers: [twoTurns()] })
    const tracer = trace.getTracer('application')
    const request = tracer.startSpan('GET /chat')
    const add = adder({ onRun: () => tracer.startSpan('SELECT').end() })
    await context.with(trace.setSpan(context.active(), request), async () => (await runtime.start(loopAgent({ add }), 'x')).outcome())
    request.end()
    expect(one(telemetry.named('invoke_agent loop')).parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    const inner = one(telemetry.named('SELECT'))
    const attempt = telemetry.spans().find((span) => span.spanContext().spanId === inner.parentSpanContext?.spanId)
    const call = telemetry.spans().find((span) => span.spanContext().spanId === attempt?.parentSpanContext?.spanId)
    expect([attempt?.name, call?.name]).toEqual(['attempt', 'execute_tool add'])
  })

  it('are not begun when the caller is not sampled, which calls inside can see', async () => {
    const telemetry = recordTelemetry({ sampled: false })
    const flags: (number | undefined)[] = []
    const add = adder({ onRun: () => flags.push(trace.getSpan(context.active())?.spanContext().traceFlags) })
    const { runtime } = testRuntime({ providers: [twoTurns()] })
    await (await runtime.start(loopAgent({ add }), 'x')).outcome()
    expect(telemetry.spans()).toEqual([])
    expect(flags).toEqual([0])
  })

  it('of a run that is stopped or cancelled in the middle all end', async () => {
    const telemetry = recordTelemetry()
    const { runtime, clock } = testRuntime({ providers: [twoTurns()] })
    const reached = Promise.withResolvers<void>()
    const add = adder({ onRun: () => (reached.resolve(), new Promise(() => {})) })
    const run = await runtime.start(loopAgent({ add }), 'x')
    await reached.promise
    await run.cancel('enough')
    expect((await settle(clock, run.outcome())).outcome).toBe('cancelled')
    expect(treeOf(telemetry.spans())).toEqual(['invoke_agent loop', '  state thinking', '    chat m', '      attempt', '  state acting', '    execute_tool add', '      attempt'])
    expect(one(telemetry.named('execute_tool add')).attributes['stateloop.abandoned']).toBe(true)
    expect(one(telemetry.named('invoke_agent loop')).attributes['stateloop.outcome']).toBe('cancelled')
    expect(one(telemetry.named('invoke_agent loop')).status.code).toBe(0)
  })
})

describe('log events and metrics of a run', () => {
  it('tell every transition and every failed attempt, in the span they belong to', async () => {
    const telemetry = recordTelemetry()
    await play()
    const taken = telemetry.logs().filter(({ name }) => name === 'stateloop.transition')
    expect(taken.map(({ attributes }) => (attributes as { readonly [name: string]: unknown })['stateloop.transition.to']).slice(0, 5)).toEqual(['triaging', 'searching', 'answering', 'acting', 'answering'])
    expect(taken.filter(({ severity }) => severity === 'WARN').map(({ attributes }) => attributes)).toMatchObject([{ 'error.type': 'overloaded' }, { 'error.type': 'overloaded' }])
    const failed = telemetry.logs().filter(({ name }) => name === 'gen_ai.client.operation.exception')
    expect(failed.map(({ attributes }) => (attributes as { readonly [name: string]: unknown })['error.type'])).toEqual(['rate_limited', 'overloaded', 'overloaded'])
    const spans = new Set(telemetry.spans().map((span) => span.spanContext().spanId))
    expect(telemetry.logs().every(({ spanId }) => spans.has(spanId ?? ''))).toBe(true)
  })

  it('measure calls, tokens, cost and failures', async () => {
    const telemetry = recordTelemetry()
    await play()
    const found = Object.fromEntries(
      (await telemetry.metrics()).map(({ descriptor, dataPoints }) => [
        descriptor.name,
        { unit: descriptor.unit, points: dataPoints.map(({ attributes, value }) => ({ attributes, value: typeof value === 'number' ? value : (value as { readonly count: number }).count })) },
      ]),
    )
    expect(Object.keys(found).toSorted()).toEqual([
      'gen_ai.client.operation.duration',
      'gen_ai.client.token.usage',
      'gen_ai.execute_tool.duration',
      'gen_ai.invoke_agent.duration',
      'stateloop.cost',
      'stateloop.failures',
      'stateloop.state.duration',
    ])
    expect(found['gen_ai.client.operation.duration']).toMatchObject({
      unit: 's',
      points: expect.arrayContaining([{ attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'scripted', 'gen_ai.request.model': 'strong', 'error.type': 'overloaded' }, value: 2 }]) as unknown,
    })
    expect(found['gen_ai.execute_tool.duration']?.points.map(({ value }) => value)).toEqual([2, 1])
    expect(found['stateloop.failures']?.points.map(({ attributes, value }) => [attributes['error.type'], value])).toEqual([
      ['rate_limited', 1],
      ['overloaded', 2],
    ])
    expect(found['stateloop.cost']).toMatchObject({ unit: 'USD' })
  })

  it('measure the time to the first token of a run that somebody streams', async () => {
    const telemetry = recordTelemetry()
    const clock = fakeClock()
    const model = script([replyText('two words', { delayMs: 400 })], { clock })
    const runtime = createRuntime({ providers: [model], clock })
    const run = await runtime.start(agent({ id: 'short', model: 'scripted/m', prompt: 'p' }), 'x', { stream: true })
    await settle(clock, run.outcome())
    const first = (await telemetry.metrics()).find(({ descriptor }) => descriptor.name === 'gen_ai.client.operation.time_to_first_chunk')
    expect(first?.dataPoints).toMatchObject([{ attributes: { 'gen_ai.request.model': 'm' }, value: { sum: 0.4 } }])
    expect(one(telemetry.named('chat m')).attributes['gen_ai.response.time_to_first_chunk']).toBe(0.4)
  })
})

describe('a run that nobody traces', () => {
  it('keeps nothing, and its journal has no trace', async () => {
    const { runtime } = testRuntime({ providers: [twoTurns()] })
    const run = await runtime.start(loopAgent({ add: adder() }), 'x')
    expect((await run.outcome()).outcome).toBe('done')
    expect((await runtime.entries(run.id))[0]?.body.cause).not.toHaveProperty('trace')
  })

  it('is not traced either when tracing is off', async () => {
    const telemetry = recordTelemetry()
    const { runtime } = testRuntime({ providers: [twoTurns()], trace: 'off' })
    await (await runtime.start(loopAgent({ add: adder() }), 'x')).outcome()
    expect(telemetry.spans()).toEqual([])
    expect(await telemetry.metrics()).toEqual([])
  })
})
