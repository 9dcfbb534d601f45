// Thirty secrets, each planted where secrets turn up in practice, and every byte that is written down searched for each of
// them in every form. What a model or a tool is given may hold them; what is remembered may not.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { failure } from '../../src/failure/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { ModelCallError, type ModelProvider, type ModelReply } from '../../src/model/index.ts'
import { exportRun, formatRecording, recordRun } from '../../src/replay/index.ts'
import { createRuntime, logRuns, type RunEvent, type RunOutcome } from '../../src/run/index.ts'
import { secret } from '../../src/schema/index.ts'
import { defineRetriever, defineTool } from '../../src/tool/index.ts'
import { recordTelemetry } from './observe/telemetry.ts'

const basic = (value: string): string => `Basic ${Buffer.from(`user:${value}`).toString('base64')}`

/** Where each secret is planted, and the secret. */
const PLANTED = {
  environmentKey: 'sk-env-4f0Z9q2LmXw7',
  environmentUrlPassword: 'p4ss-in-a-url-81',
  providerKey: 'sk-provider-77Aa00Bb',
  systemPrompt: 'tok_system_prompt_01',
  userPrompt: 'tok_user_prompt_0002',
  inputText: 'ghp_inputText00000003',
  inputKey: 'key-as-object-key-04',
  markedInput: '4242-4242-4242-4242',
  errorMessage: 'tok_error_message_05',
  errorHeader: 'AKIA0000HEADER000006',
  errorDetails: 'tok_error_details_07',
  toolArguments: 'tok_tool_argument_08',
  toolArgumentsBase64: 'tok_tool_base64_0009',
  markedArguments: 'tok_marked_argument_10',
  toolResult: 'tok_tool_result_0011',
  toolResultBasicAuth: 'tok_basic_auth_00012',
  toolResultUrl: 'tok url & value =13!',
  toolResultJson: 'tok"json\\value\n0014',
  markedResult: 'tok_marked_result_15',
  toolError: 'tok_tool_error_00016',
  toolErrorStack: 'tok_tool_stack_00017',
  toolLog: 'tok_tool_log_000018',
  toolLogField: 'tok_tool_logfield_19',
  retrieved: 'tok_retrieved_000020',
  retrievedMetadata: 'tok_metadata_0000021',
  code: 'tok_code_result_0022',
  codeError: 'tok_code_error_00023',
  reply: 'tok_reply_text_00024',
  replyJson: '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END KEY-----',
  shown: 'tok_shown_person_026',
  event: 'tok_event_payload_27',
  markedEvent: 'tok_marked_event_028',
  childInput: 'tok_child_input_0029',
  output: 'tok_final_output_030',
} as const

const S = PLANTED
const MARKED: readonly string[] = [S.markedInput, S.markedArguments, S.markedResult, S.markedEvent]

/** Forms in which a secret would be recognised by whoever finds it. */
const formsOf = (value: string): readonly string[] => {
  const json = JSON.stringify(value).slice(1, -1)
  return [value, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('base64').replaceAll('=', '').slice(0, -2), Buffer.from(`user:${value}`).toString('base64').slice(8, -4)]
}

const used: string[] = []
/** What the output callback says of its own; nothing for runs that are folded again by somebody without the secrets. */
const signing = { with: '' }
const call = defineTool({
  description: 'Calls an API.',
  input: z.object({ token: z.string(), header: z.string(), password: secret(z.string()), card: z.string() }),
  output: z.object({ text: z.string(), auth: z.string(), url: z.string(), json: z.string(), session: secret(z.string()) }),
  run: ({ password, card }, { log }) => {
    used.push(password, card)
    log(`called with ${S.toolLog}`, { field: S.toolLogField })
    return {
      text: `found ${S.toolResult}`,
      auth: basic(S.toolResultBasicAuth),
      url: `https://x.test/?t=${encodeURIComponent(S.toolResultUrl)}`,
      json: JSON.stringify({ inner: S.toolResultJson }),
      session: S.markedResult,
    }
  },
})
const broken = defineTool({
  description: 'Fails.',
  input: z.object({}),
  run: () => {
    throw Object.assign(new Error(`refused ${S.toolError}`), { stack: `Error\n    at ${S.toolErrorStack}` })
  },
})
const kb = defineRetriever({ search: () => [{ id: 'a', text: `see ${S.retrieved}`, metadata: { [S.inputKey]: S.retrievedMetadata } }] })

const c = setupAgent({ id: 'child', models: { m: 'fake/m' }, input: z.object({ text: z.string() }), context: z.object({ text: z.string(), said: z.string() }), onFailure: 'failed' })
const child = c.createAgent({
  initial: 'answering',
  states: {
    answering: c.model('m', { prompt: ({ context }) => context.text, save: 'said', onDone: 'answered' }),
    answered: c.final({ output: ({ context }) => context.said ?? '' }),
    failed: c.final({ outcome: 'failed' }),
  },
})

const t = setupAgent({
  id: 'leaky',
  models: { m: { model: 'fake/m', price: { inputUsd: 1, outputUsd: 1 } } },
  tools: { call, broken },
  retrievers: { kb },
  agents: { child },
  events: { PAY: z.object({ note: z.string(), pin: secret(z.string()) }) },
  input: z.object({ question: z.string(), card: secret(z.string()) }),
  context: z.object({ question: z.string(), card: z.string(), docs: z.array(z.any()), made: z.any(), answer: z.string(), note: z.string(), pin: z.string() }),
  onFailure: 'failed',
})
const leaky = t.createAgent({
  initial: 'searching',
  states: {
    searching: t.retrieve('kb', { query: ({ context }) => context.question, k: 1, save: 'docs', cache: { ttlMs: 60_000 }, onDone: 'coding' }),
    coding: t.code({ run: () => ({ value: S.code }), save: 'made', onDone: 'failing' }),
    failing: t.code({
      run: () => {
        throw new Error(`cannot reach ${S.codeError}`)
      },
      onDone: 'asking',
      onError: { '*': 'asking' },
    }),
    asking: t.model('m', {
      prompt: ({ context }) => [
        { role: 'system', content: `Use ${S.systemPrompt}.` },
        { role: 'user', content: `${context.question} ${S.userPrompt} ${context.card}` },
      ],
      thread: 'talk',
      tools: ['call', 'broken'],
      maxVisits: 4,
      retry: { attempts: 2, backoffMs: 1 },
      onTools: 'acting',
      save: 'answer',
      onDone: 'paying',
    }),
    acting: t.tools({ onDone: 'asking' }),
    paying: t.human({ show: ({ context }) => ({ why: `${context.answer ?? ''} ${S.shown}` }), on: { PAY: { to: 'delegating', save: ({ event }) => ({ note: event.note, pin: event.pin }) } } }),
    delegating: t.agent('child', { input: ({ context }) => ({ text: `${context.note ?? ''} ${S.childInput}` }), onDone: 'paid' }),
    paid: t.final({ output: ({ context }) => ({ answer: context.answer, made: context.made, signed: signing.with, pin: context.pin }) }),
    failed: t.final({ outcome: 'failed' }),
  },
}) as Agent

const asked: string[] = []
const provider = (): ModelProvider => {
  let turn = 0
  const usage = { inputTokens: 1, outputTokens: 1 }
  const text = (content: string): ModelReply => ({ message: { role: 'assistant', content }, finish: 'stop', usage, model: 'm' })
  return {
    id: 'fake',
    price: { inputUsd: 1, outputUsd: 1 },
    secrets: () => [S.providerKey],
    call: async ({ messages }, { onDelta }) => {
      asked.push(JSON.stringify(messages))
      turn += 1
      if (turn === 1)
        throw new ModelCallError(
          failure('provider_error', `500 ${S.errorMessage}`, { retryable: true, details: { said: S.errorDetails }, cause: new Error(`Headers.append: "${basic(S.errorHeader)}"`), provider: { code: S.providerKey } }),
          {},
        )
      if (turn === 2) {
        const card = /\[secret:[^\]]+\]/.exec(JSON.stringify(messages))?.[0] ?? 'none'
        const args = { token: S.toolArguments, header: Buffer.from(S.toolArgumentsBase64).toString('base64'), password: S.markedArguments, card }
        return {
          message: {
            role: 'assistant',
            content: '',
            calls: [
              { id: 'c1', name: 'call', args },
              { id: 'c2', name: 'broken', args: {} },
            ],
          },
          finish: 'tool_calls',
          usage,
          model: 'm',
        }
      }
      const said = `${S.reply} ${S.environmentKey} ${S.environmentUrlPassword} ${JSON.stringify({ pem: S.replyJson })}`
      for (const piece of said.match(/[^]{1,5}/g) ?? []) onDelta?.({ type: 'text', text: piece })
      return text(turn === 3 ? said : `fine ${S.markedEvent}`)
    },
  }
}

const filesIn = async (folder: string): Promise<string> => (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')))).join('\n')

interface Written {
  readonly [sink: string]: string
}

const play = async (sign = S.output as string): Promise<{ readonly written: Written; readonly outcome: RunOutcome }> => {
  signing.with = sign
  vi.stubEnv('DEMO_API_KEY', S.environmentKey)
  vi.stubEnv('DATABASE_URL', `postgres://app:${S.environmentUrlPassword}@db.test/app`)
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-secrets-'))
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true, force: true })
  })
  const telemetry = recordTelemetry()
  const lines: string[] = []
  const events: RunEvent[] = []
  const { environmentKey: _a, environmentUrlPassword: _b, providerKey: _c, ...others } = PLANTED
  const known = Object.values(others).filter((value) => !MARKED.includes(value))
  const path = join(folder, 'runs.db')
  const runtime = createRuntime({
    journal: sqliteJournal({ path }),
    providers: [provider()],
    trace: 'content',
    secrets: known,
    observers: [logRuns(pino({}, { write: (line: string) => void lines.push(line) }))],
    log: (run, message, fields) => void lines.push(JSON.stringify({ run, message, fields })),
  })
  const run = await runtime.start(leaky, { question: `May I? ${S.inputText}`, card: S.markedInput }, { session: 's', stream: true })
  const reading = (async () => {
    for await (const event of run) events.push(event)
  })()
  expect((await run.outcome()).outcome).toBe('waiting')
  await run.send({ type: 'PAY', note: `pay ${S.event}`, pin: S.markedEvent } as never)
  const outcome = await run.outcome()
  await reading
  const recording = formatRecording(sign === '' ? await recordRun(runtime.journal, run.id, leaky, known) : await exportRun(runtime.journal, run.id))
  const entries = JSON.stringify([await runtime.journal.read(run.id), await runtime.journal.get(run.id)])
  const bytes = await filesIn(folder)
  await runtime.close()
  const spans = JSON.stringify([
    telemetry.spans().map(({ name, attributes, status }) => [name, attributes, status]),
    telemetry.logs(),
    (await telemetry.metrics()).map(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes)),
  ])
  const deltas = events.map((event) => (event.type === 'token.delta' ? event.text : '')).join('')
  return { outcome, written: { log: lines.join(''), traces: spans, events: JSON.stringify(events), deltas, entries, database: `${bytes}${await filesIn(folder)}`, recording, outcome: JSON.stringify(outcome) } }
}

describe('secrets', () => {
  it('of thirty kinds are in no byte of a log, trace, event, journal or recording', async () => {
    const { written, outcome } = await play()
    const { recording: rendered = '' } = (await play('')).written
    expect(outcome.outcome).toBe('done')
    expect(Object.keys(PLANTED).length).toBeGreaterThanOrEqual(30)
    const leaks = Object.entries({ ...written, rendered }).flatMap(([sink, text]) => Object.entries(PLANTED).flatMap(([kind, value]) => (formsOf(value).some((form) => text.includes(form)) ? [`${kind} in ${sink}`] : [])))
    expect(leaks).toEqual([])
    // The sinks are not empty, and the places where secrets stood are there.
    for (const [sink, text] of Object.entries(written)) expect(text.length, sink).toBeGreaterThan(50)
    for (const sink of ['traces', 'events', 'deltas', 'entries', 'database', 'recording', 'log'] as const) expect(written[sink], sink).toContain('[secret')
  })

  it('would be found if nothing took them out', async () => {
    const text = JSON.stringify(Object.values(PLANTED))
    expect(Object.values(PLANTED).filter((value) => !formsOf(value).some((form) => text.includes(form)))).toEqual([])
  })

  it('that a schema marks are names to the model, and themselves to a tool', async () => {
    used.length = 0
    asked.length = 0
    const { outcome } = await play()
    expect(used).toEqual([S.markedArguments, S.markedInput])
    expect(asked.join('')).not.toContain(S.markedInput)
    expect(asked.join('')).toMatch(/\[secret:[0-9a-f-]{36}\]/)
    expect(outcome).toMatchObject({ outcome: 'done', output: { pin: expect.stringMatching(/^\[secret:/) as string } })
  })
})
