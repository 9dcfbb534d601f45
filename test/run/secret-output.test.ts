// What a model says in a field that a schema marks as secret: the machine, the journal and everyone who watches see a name,
// and only code and tools of the same process see the value.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { memoryJournal, sqliteJournal, type Journal } from '../../src/journal/index.ts'
import type { ModelProvider } from '../../src/model/index.ts'
import { exportRun, formatRecording } from '../../src/replay/index.ts'
import { client, createRuntime, logRuns, type RunEvent, type Runtime } from '../../src/run/index.ts'
import { secret } from '../../src/schema/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { recordTelemetry } from './observe/telemetry.ts'

const IBAN = 'CH93-0076-2011-6238-5295-7'
const PIN = 'pin 40 17 "quoted"'
const NAME = /^\[secret:[0-9a-f-]{36}\]$/

const Account = z.object({ owner: z.string(), iban: secret(z.string()), kind: z.enum(['private', 'business']) })

const used: string[] = []
const pay = defineTool({ description: 'Pays.', input: z.object({ iban: z.string() }), effect: 'reversible', run: ({ iban }) => void used.push(`tool ${iban}`) })

const t = setupAgent({
  id: 'teller',
  models: { m: { model: 'fake/m', price: { inputUsd: 1, outputUsd: 1 } } },
  tools: { pay },
  events: { SIGN: z.object({ pin: secret(z.string()) }), LEAVE: z.object({}) },
  input: z.object({ letter: z.string() }),
  context: z.object({ letter: z.string(), account: Account, pin: z.string() }),
  onFailure: 'failed',
})
const teller = t.createAgent({
  initial: 'reading',
  states: {
    reading: t.model('m', {
      prompt: ({ context }) => context.letter,
      output: Account,
      cache: { ttlMs: 60_000 },
      repairs: 2,
      retry: { attempts: 1 },
      save: 'account',
      onDone: { match: 'kind', to: { private: 'checking', business: 'checking' } },
    }),
    checking: t.code({ run: ({ context }, { reveal }) => void used.push(`code ${reveal(context.account)?.iban}`), onDone: 'deciding' }),
    deciding: t.decide('m', { prompt: 'Sign.', on: { SIGN: { description: 'Signs.', to: 'paying', save: ({ event }) => ({ pin: event.pin }) }, LEAVE: { description: 'Leaves.', to: 'done' } } }),
    paying: t.tool('pay', { args: ({ context }) => ({ iban: context.account?.iban ?? '' }), onDone: 'asking' }),
    asking: t.human({ on: { LEAVE: 'done' } }),
    done: t.final({ output: ({ context }) => ({ iban: context.account?.iban ?? '', pin: context.pin }) }),
    failed: t.final({ outcome: 'failed' }),
  },
}) as Agent

const good = JSON.stringify({ owner: 'Ada', iban: IBAN, kind: 'private' })
const REPLIES = [
  // Cut in the middle, so that it is no JSON.
  `"${IBAN}" ${good.slice(0, 50)}`,
  JSON.stringify({ owner: 'Ada', iban: IBAN, kind: IBAN }),
  good,
  JSON.stringify({ choice: { event: 'SIGN', payload: { pin: PIN } } }),
]

const provider = (replies: readonly string[], asked: string[]): ModelProvider => {
  let turn = 0
  return {
    id: 'fake',
    price: { inputUsd: 1, outputUsd: 1 },
    call: async ({ messages }, { onDelta }) => {
      asked.push(JSON.stringify(messages))
      const said = replies[turn++] ?? good
      for (const piece of said.match(/[^]{1,7}/g) ?? []) onDelta?.({ type: 'text', text: piece })
      return { message: { role: 'assistant', content: said }, finish: 'stop', usage: { inputTokens: 1, outputTokens: 1 }, model: 'm' }
    },
  }
}

interface Played {
  readonly journal: Journal
  readonly runtime: Runtime
  readonly run: string
  readonly written: { readonly [sink: string]: string }
  readonly asked: readonly string[]
}

const play = async (): Promise<Played> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-secret-output-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  used.length = 0
  const asked: string[] = []
  const lines: string[] = []
  const events: RunEvent[] = []
  const telemetry = recordTelemetry()
  const journal = sqliteJournal({ path: join(folder, 'runs.db') })
  const runtime = createRuntime({ journal, providers: [provider(REPLIES, asked)], trace: 'content', observers: [logRuns(pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }))] })
  const run = await runtime.start(teller, { letter: 'Pay Ada.' }, { stream: true })
  runtime.watch(run.id, (event) => events.push(event))
  expect((await run.outcome()).outcome).toBe('waiting')
  const recording = formatRecording(await exportRun(journal, run.id))
  const entries = JSON.stringify([await journal.read(run.id), await journal.get(run.id)])
  const database = (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')))).join('\n')
  const traces = JSON.stringify([telemetry.spans().map(({ name, attributes, status }) => [name, attributes, status]), telemetry.logs()])
  return { journal, runtime, run: run.id, asked, written: { events: JSON.stringify(events), log: lines.join(''), recording, entries, database, traces } }
}

const leaks = (text: string): boolean => [IBAN, PIN, IBAN.slice(5, 20), 'pin 40', JSON.stringify(PIN).slice(1, -1)].some((form) => text.includes(form))

describe('a secret that a model says in its output', () => {
  it('is in nothing that is written, rejected replies and failures included', async () => {
    const { written, runtime } = await play()
    for (const [sink, text] of Object.entries(written)) expect([sink, leaks(text)], text.slice(0, 2_000)).toEqual([sink, false])
    for (const sink of ['events', 'recording', 'entries', 'database', 'traces'] as const) expect(written[sink], sink).toContain('[secret:')
    expect(written['entries']).toContain('invalid_output')
    await runtime.close()
  })

  it('is itself to code and tools, and a name to the model and to whoever started the run', async () => {
    const { runtime, run, asked } = await play()
    expect(used).toEqual([`code ${IBAN}`, `tool ${IBAN}`])
    expect(asked.filter((text) => leaks(text))).toEqual([])
    await runtime.send(run, { type: 'LEAVE' })
    expect(await runtime.outcome(run)).toMatchObject({ outcome: 'done', output: { iban: expect.stringMatching(NAME) as string, pin: expect.stringMatching(NAME) as string } })
    await runtime.close()
  })

  it('keeps its name in a process that takes the run up, where only its value is gone', async () => {
    const { journal, run } = await play()
    const other = createRuntime({ journal, providers: [provider([], [])], agents: [teller] })
    await other.send(run, { type: 'LEAVE' })
    expect(await other.outcome(run)).toMatchObject({ outcome: 'done', output: { iban: expect.stringMatching(NAME) as string } })
    await other.close()
  })

  it('is not kept in the cache, where another run would find a name that means nothing to it', async () => {
    const asked: string[] = []
    const ai = client({ models: { m: 'fake/m' }, providers: [provider([good, good], asked)], journal: memoryJournal() })
    const call = { model: 'm', prompt: 'x', output: Account, cache: { ttlMs: 60_000 } } as const
    for (const outcome of [await ai.call(call), await ai.call(call)]) expect(outcome).toMatchObject({ outcome: 'done', output: { owner: 'Ada', iban: expect.stringMatching(NAME) as string } })
    expect(asked).toHaveLength(2)
    const plain = { ...call, output: Account.omit({ iban: true }) }
    await ai.call(plain)
    await ai.call(plain)
    expect(asked).toHaveLength(3)
    await ai.close()
  })
})
