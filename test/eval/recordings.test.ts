// Tier 0: recordings of runs made here, replayed against the agent as it is and as it was changed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createRuntime, definePrompt, replyText, scripted, setupAgent, type Agent } from '../../src/index.ts'
import { ended, evaluation, runEvaluation } from '../../src/eval/index.ts'
import { recordRun, writeRecording } from '../../src/replay/index.ts'

const answers = scripted({ rules: () => replyText('yes') })

const deskWith = (text = 'Answer: {{question}}', target: 'sent' | 'checked' = 'sent'): Agent<{ question: string }> => {
  const t = setupAgent({ id: 'desk', models: { m: 'scripted/m' }, input: z.object({ question: z.string() }), context: z.object({ question: z.string() }), onFailure: 'failed' })
  const prompt = definePrompt({ id: 'desk.answer', vars: z.object({ question: z.string() }), messages: [{ role: 'user', content: text }] })
  return t.createAgent({
    initial: 'asking',
    states: { asking: t.model('m', { prompt, onDone: target, onError: { refused: target === 'sent' ? 'checked' : 'sent' } }), sent: t.final(), checked: t.final(), failed: t.final({ outcome: 'failed' }) },
  }) as never
}

const recorded = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-recordings-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await using runtime = createRuntime({ providers: [answers] })
  const run = await runtime.start(deskWith(), { question: 'Open?' })
  await run.outcome()
  await writeRecording(join(folder, 'open.jsonl'), await recordRun(runtime.journal, run.id, deskWith() as never))
  return folder
}

const asked: unknown[] = []
const desks = (agent: Agent<{ question: string }>, folder: string) => evaluation({ name: 'desk', agent, cases: [{ id: 'a', input: { question: 'Open?' } }], scorers: { ended: ended('done') }, recordings: [folder] })
const watched = scripted({
  rules: (request) => {
    asked.push(request)
    return replyText('yes')
  },
})

test('a recording that replays lets the cases run', async () => {
  const result = await runEvaluation(desks(deskWith(), await recorded()), { providers: [watched] })
  expect(result).toMatchObject({ ran: 1, recordings: [{ name: 'open', status: 'same', difference: '' }] })
})

test('a recording that goes another way blocks before anything is asked', async () => {
  asked.length = 0
  const result = await runEvaluation(desks(deskWith(undefined, 'checked'), await recorded()), { providers: [watched] })
  expect(result).toMatchObject({ ran: 0, recordings: [{ name: 'open', status: 'diverged' }], gate: { verdict: 'regressed', reasons: [expect.stringMatching(/^the recording open goes another way: at step 1 /)] } })
  expect(asked).toEqual([])
})

test('a recording of an older prompt is named, and does not block', async () => {
  const result = await runEvaluation(desks(deskWith('Say: {{question}}'), await recorded()), { providers: [watched], replayOnly: true })
  expect(result).toMatchObject({
    ran: 0,
    recordings: [{ status: 'stale' }],
    gate: { verdict: 'non_inferior', reasons: ['answers of a recording belong to an older prompt, model or schema: open', '1 recording replays as recorded'] },
  })
})

test('a folder without recordings, and recordings of a function, are refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-recordings-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await expect(runEvaluation(desks(deskWith(), folder), { providers: [watched] })).rejects.toThrow(/holds no recordings/)
  const plain = evaluation({ name: 'plain', agent: (input: string) => input, cases: [{ id: 'a', input: 'b' }], scorers: { ended: ended('done') }, recordings: [folder] })
  await expect(runEvaluation(plain)).rejects.toThrow(/Only runs of agents are recorded/)
})
