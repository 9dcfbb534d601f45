import { trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { recordTelemetry } from '../run/observe/telemetry.ts'
import { testServer } from './world.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`
const START = '/v1/agents/weather/runs?waitMs=1000'

test('a run goes on in the trace that its request came with, and the answer says where', async () => {
  const telemetry = recordTelemetry()
  const { headers } = await testServer().call('POST', START, { input: 'Rain?' }, { traceparent: TRACEPARENT, tracestate: 'vendor=1' })
  const [root] = telemetry.named('invoke_agent weather')
  expect(root?.spanContext().traceId).toBe(TRACE)
  expect(root?.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true })
  expect(new Set(telemetry.spans().map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE]))
  expect(headers.get('traceparent')).toBe(`00-${TRACE}-${root?.spanContext().spanId}-01`)
})

test.for(['', 'nonsense', `00-${'0'.repeat(40)}-1-01`, `00-${TRACE}-zzzzzzzzzzzzzzzz-01`])('a header that is none (%j) starts a trace of its own', async (traceparent) => {
  const telemetry = recordTelemetry()
  await testServer().call('POST', START, { input: 'Rain?' }, { traceparent })
  const [root] = telemetry.named('invoke_agent weather')
  expect(root?.parentSpanContext).toBeUndefined()
})

test("a span of the application's own is the parent, whatever the header says", async () => {
  const telemetry = recordTelemetry()
  const { call } = testServer()
  await trace.getTracer('app').startActiveSpan('handle request', async (span) => {
    await call('POST', START, { input: 'Rain?' }, { traceparent: TRACEPARENT })
    span.end()
  })
  expect(telemetry.named('invoke_agent weather')[0]?.parentSpanContext?.spanId).toBe(telemetry.named('handle request')[0]?.spanContext().spanId)
})

test('without tracing nothing is said of it', async () => {
  const { headers } = await testServer().call('POST', START, { input: 'Rain?' }, { traceparent: TRACEPARENT })
  expect(headers.get('traceparent')).toBeNull()
})
