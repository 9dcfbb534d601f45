// An inspector over a journal with runs in it, and what a test needs to ask it.
import { request as send, type IncomingHttpHeaders } from 'node:http'
import { onTestFinished } from 'vitest'
import type { Agent } from '../../src/agent/index.ts'
import { startInspector, type Inspector, type InspectorOptions } from '../../src/inspector/index.ts'
import type { StreamMessage } from '../../src/inspector/page/wire.ts'
import { memoryJournal, type Journal } from '../../src/journal/index.ts'
import { adder, listModel, loopAgent, testRuntime, type Turn } from '../run/harness.ts'

const call = (id: string, a: number): Turn => ({ calls: [{ id, name: 'add', args: { a, b: 1 } }] })

/** A journal with one run of a tool loop, which calls its tool `calls` times. */
export const playedRun = async (
  calls = 1,
  more: { readonly journal?: Journal; readonly turns?: readonly Turn[]; readonly agent?: Agent; readonly seed?: number } = {},
): Promise<{ readonly journal: Journal; readonly agent: Agent; readonly run: string }> => {
  const journal = more.journal ?? memoryJournal()
  const agent = more.agent ?? loopAgent({ add: adder() }, { limits: { transitions: 100_000, modelCalls: 100_000, toolCalls: 100_000, repeat: 100_000 } })
  const turns = more.turns ?? [...Array.from({ length: calls }, (_, index) => call(`c${index}`, index)), { text: 'the answer' }]
  const { runtime } = testRuntime({ providers: [listModel(turns)], journal, seed: more.seed ?? 1 })
  const run = await runtime.start(agent, 'x', { user: 'ada' })
  await run.outcome()
  return { journal, agent, run: run.id }
}

/** An inspector that ends with the test. */
export const opened = async (options: InspectorOptions): Promise<Inspector & { readonly port: number; readonly token: string }> => {
  const inspector = await startInspector({ times: { pollMs: 5 }, ...options })
  onTestFinished(() => inspector.close())
  const { port, hash } = new URL(inspector.url)
  return { ...inspector, port: Number(port), token: hash.slice(1) }
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Asks with exactly these headers; `fetch` would not send a foreign Host. */
export const ask = (port: number, path: string, headers: { readonly [name: string]: string } = {}, more: { readonly method?: string; readonly body?: string } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = send({ host: '127.0.0.1', port, path, method: more.method ?? 'GET', headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(more.body)
  })

/** Messages of a stream that has ended. */
export const messagesIn = (text: string): readonly StreamMessage[] => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as StreamMessage)

/** The header that opens the door. */
export const withToken = ({ token }: { readonly token: string }): { readonly authorization: string } => ({ authorization: `Bearer ${token}` })
