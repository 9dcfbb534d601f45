// A run that two processes lead to its end, as an independent collector receives it over OTLP.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startCollector, type Collector, type ReceivedSpan } from './collector.ts'

const WORKER = fileURLToPath(new URL('./desk-worker.ts', import.meta.url))
const run = promisify(execFile)

interface Life {
  readonly id: string
  readonly outcome: string
  readonly hash?: string
}

const life = async (collector: Collector, args: readonly string[], env: { readonly [name: string]: string } = {}): Promise<Life> => {
  const { stdout } = await run(process.execPath, ['--conditions=stateloop-source', '--disable-warning=ExperimentalWarning', WORKER, ...args], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
  })
  return JSON.parse(stdout) as Life
}

const tree = (spans: readonly ReceivedSpan[]): readonly string[] => {
  const ids = new Set(spans.map(({ id }) => id))
  const below = (parent: string, depth: number): readonly string[] =>
    spans
      .filter((span) => (parent === '' ? !ids.has(span.parent) : span.parent === parent))
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((span) => [`${'  '.repeat(depth)}${span.name}${span.failed ? ` !${String(span.attributes['error.type'])}` : ''}`, ...below(span.id, depth + 1)])
  return below('', 0)
}

const received: { collector: Collector | undefined; first: Life | undefined; second: Life | undefined } = { collector: undefined, first: undefined, second: undefined }

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-otlp-'))
  const collector = await startCollector()
  const db = join(folder, 'runs.db')
  const first = await life(collector, [db])
  const second = await life(collector, [db, first.id, first.hash ?? ''])
  Object.assign(received, { collector, first, second })
  return async () => {
    await collector[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
})

const collected = (): Collector => received.collector ?? expect.unreachable('nothing was collected')
const named = (name: string): readonly ReceivedSpan[] => collected().spans.filter((span) => span.name === name)

describe('a run with retries, a fallback, parallel tools, a child agent and a person, led by two processes', () => {
  it('ends well', () => {
    expect(received.first).toMatchObject({ outcome: 'waiting' })
    expect(received.second).toMatchObject({ outcome: 'done' })
  })

  it('arrives as two trees, the second linked to the first', () => {
    const spans = collected().spans
    const [one, two] = named('invoke_agent desk').toSorted((a, b) => a.startMs - b.startMs)
    expect(one?.parent).toBe('')
    expect(two?.links).toEqual([one?.id])
    expect(two?.traceId).not.toBe(one?.traceId)
    expect(tree(spans.filter(({ traceId }) => traceId === one?.traceId))).toEqual([
      'invoke_agent desk',
      '  state triaging',
      '    chat fast',
      '      attempt !rate_limited',
      '      attempt',
      '  state searching',
      '    retrieval kb',
      '      attempt',
      '  state answering',
      '    chat strong',
      '      attempt',
      '  state acting',
      '    execute_tool look',
      '      attempt',
      '    execute_tool look',
      '      attempt',
      '  state answering',
      '    chat strong',
      '      attempt',
      '  state approving',
    ])
    expect(tree(spans.filter(({ traceId }) => traceId === two?.traceId))).toEqual([
      'invoke_agent desk',
      '  state approving',
      '  state acting',
      '    execute_tool refund',
      '      attempt',
      '  state answering !overloaded',
      '    chat strong !overloaded',
      '      attempt !overloaded',
      '  state shortAnswer',
      '    state shortAnswer.1-strong !overloaded',
      '      chat strong !overloaded',
      '        attempt !overloaded',
      '    state shortAnswer.2-fast',
      '      chat fast',
      '        attempt',
      '  state checking',
      '    invoke_agent checker',
      '      state checking',
      '        chat fast',
      '          attempt',
      '      state checked',
      '  state answered',
    ])
  })

  it('carries the conventional attributes, with their types and units', () => {
    const [chat] = named('chat fast')
    expect(chat?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'scripted',
      'gen_ai.request.model': 'fast',
      'gen_ai.request.max_tokens': 4096,
      'gen_ai.response.model': 'fast',
      'gen_ai.response.finish_reasons': ['stop'],
      'stateloop.attempts': 2,
    })
    expect(chat?.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0)
    expect(chat?.schemaUrl).toBe('https://opentelemetry.io/schemas/1.45.0')
    expect(new Set(collected().spans.map(({ service }) => service))).toEqual(new Set(['desk-app']))
    expect(Object.fromEntries(collected().metrics)).toMatchObject({
      'gen_ai.client.operation.duration': 's',
      'gen_ai.client.token.usage': '{token}',
      'gen_ai.execute_tool.duration': 's',
      'gen_ai.invoke_agent.duration': 's',
      'stateloop.cost': 'USD',
      'stateloop.failures': '{failure}',
      'stateloop.state.duration': 's',
    })
  })

  it('tells its transitions as log events of its spans', () => {
    const spans = new Set(collected().spans.map(({ id }) => id))
    const transitions = collected().logs.filter(({ attributes }) => attributes['stateloop.transition.to'] !== undefined)
    expect(transitions.map(({ body }) => body)).toContain('answering → acting')
    expect(transitions.length).toBeGreaterThan(10)
    expect(transitions.every(({ span }) => spans.has(span))).toBe(true)
    expect(transitions.some(({ attributes, severity }) => attributes['error.type'] === 'overloaded' && severity === 'WARN')).toBe(true)
  })

  it('sends neither what was said nor the command line of the process', () => {
    const sent = JSON.stringify([collected().spans, collected().logs, collected().resources])
    for (const said of ['Refund order', '90 USD', 'amountUsd', 'desk-worker.ts', 'process.command_args']) expect(sent).not.toContain(said)
  })
})

describe('the usual variables', () => {
  it('choose the protocol, the sampler and the content', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stateloop-otlp-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await using collector = await startCollector()
    await life(collector, [join(folder, 'a.db')], { OTEL_TRACES_SAMPLER: 'always_off' })
    expect(collector.spans).toEqual([])
    await life(collector, [join(folder, 'b.db')], { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true', OTEL_METRICS_EXPORTER: 'none' })
    expect(collector.spans.find(({ name }) => name === 'chat strong')?.attributes['gen_ai.input.messages']).toContain('Refund order 7')
  })
})
