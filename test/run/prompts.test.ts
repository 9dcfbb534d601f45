// The versions of prompts a run uses: chosen at its start, recorded, kept, and taken from there on resume.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { agent, setupAgent, type Agent } from '../../src/agent/index.ts'
import { memoryJournal, type EntryBody, type Journal, type StartCause } from '../../src/journal/index.ts'
import { definePrompt, promptText, promptVersion, type Prompt, type PromptChooser } from '../../src/prompt/index.ts'
import { listModel, testRuntime } from './harness.ts'

const vars = z.object({ question: z.string() })
const greeting = (text: string): Prompt => definePrompt({ id: 'greet', vars, messages: `${text} {{question}}` as string })
const [current, older] = [greeting('Now:'), greeting('Before:')]

/** Asks a model, waits for a person, and asks again. */
const asking = (prompt: Prompt): Agent => {
  const t = setupAgent({ id: 'asking', models: { m: 'fake/m' }, input: vars, events: { GO: z.object({}) }, onFailure: 'failed' })
  return t.createAgent({
    initial: 'first',
    states: {
      first: t.model('m', { prompt: prompt as Prompt<{ question: string }>, onDone: 'waiting' }),
      waiting: t.human({ on: { GO: 'second' }, onError: { expired: 'failed' } }),
      second: t.model('m', { prompt: prompt as Prompt<{ question: string }>, onDone: 'done' }),
      done: t.final(),
      failed: t.final({ outcome: 'failed' }),
    },
  }) as Agent
}

/** Gives every run this version. */
const always = (document: Prompt): PromptChooser => ({
  choose: (prompts) => prompts.map((prompt) => ({ assignment: { hash: document.hash, experiment: 'e', variant: 'old', unit: 'user' }, prompt: promptVersion(prompt, document.document) })),
  check: () => {},
})

const startOf = async (journal: Journal, run: string): Promise<StartCause> => (JSON.parse((await journal.read(run))[0]!.text) as EntryBody).cause as StartCause
const said = (model: ReturnType<typeof listModel>): readonly unknown[] => model.asked.map(({ messages }) => messages[0]?.content)

describe('the prompts of a run', () => {
  it('are recorded in its first entry, and their documents and names are kept', async () => {
    const journal = memoryJournal()
    const { runtime } = testRuntime({ journal, providers: [listModel([{ text: 'hi' }])] })
    const run = await runtime.start(asking(current), { question: 'Q' })
    await run.outcome()
    expect((await startOf(journal, run.id)).prompts).toEqual({ greet: { hash: current.hash } })
    expect(await journal.getContent(current.hash)).toEqual({ kind: 'prompt', text: promptText(current.document) })
    const [name = ''] = await journal.listContent('prompt-name')
    expect(JSON.parse((await journal.getContent(name))?.text ?? '')).toEqual({ id: 'greet', hash: current.hash })
  })

  it('are those of the chooser, with the experiment they belong to, on every completion', async () => {
    const journal = memoryJournal()
    const model = listModel([{ text: 'hi' }])
    const { runtime } = testRuntime({ journal, providers: [model], prompts: always(older) })
    const run = await runtime.start(asking(current), { question: 'Q' }, { user: 'ada' })
    await run.outcome()
    expect(said(model)).toEqual(['Before: Q'])
    expect((await startOf(journal, run.id)).prompts).toEqual({ greet: { hash: older.hash, experiment: 'e', variant: 'old', unit: 'user' } })
    const calls = (await runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : []))
    expect(calls).toMatchObject([{ prompt: 'greet', promptHash: older.hash.slice(0, 16) }])
  })

  it('stay the same when the run is resumed by a process with another lock and other code', async () => {
    const journal = memoryJournal()
    const { runtime } = testRuntime({ journal, providers: [listModel([{ text: 'hi' }])], prompts: always(older) })
    const run = await runtime.start(asking(current), { question: 'Q' })
    await run.outcome()
    const model = listModel([{ text: 'bye' }])
    const later = testRuntime({ journal, providers: [model], agents: [asking(greeting('Brand new:'))] }).runtime
    const resumed = await later.resume(run.id)
    await resumed.send({ type: 'GO' })
    expect(await resumed.outcome()).toMatchObject({ outcome: 'done' })
    expect(said(model)).toEqual(['Before: Q'])
  })

  it('stop a resume with a clear failure when the code no longer gives what they need', async () => {
    const journal = memoryJournal()
    const { runtime } = testRuntime({ journal, providers: [listModel([{ text: 'hi' }])] })
    const run = await runtime.start(asking(current), { question: 'Q' })
    await run.outcome()
    const changed = definePrompt({ id: 'greet', vars: z.object({ topic: z.string().optional() }), messages: 'About {{topic}}' })
    const later = testRuntime({ journal, agents: [asking(changed)] }).runtime
    await expect(later.resume(run.id)).rejects.toThrow(/prompt_unusable: Version [0-9a-f]{12} of prompt "greet" does not fit the code:\n- it needs the variable "question", which the code no longer declares/)
  })

  it('hash constant text by what it says and a function by its place', async () => {
    const hashesOf = async (made: Agent): Promise<readonly (string | undefined)[]> => {
      const { runtime } = testRuntime({ providers: [listModel([{ text: 'hi' }])] })
      const run = await runtime.start(made, made.id === 'one' ? 'x' : { question: 'x' })
      await run.outcome()
      return (await runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []).flatMap(({ prompt, promptHash }) => [prompt, promptHash]) : []))
    }
    const built = (prompt: string | (() => string)): Agent => {
      const t = setupAgent({ id: 'built', models: { m: 'fake/m' }, input: vars, onFailure: 'failed' })
      return t.createAgent({ initial: 'asking', states: { asking: t.model('m', { prompt, onDone: 'done' }), done: t.final(), failed: t.final({ outcome: 'failed' }) } }) as Agent
    }
    const constant = await hashesOf(built('Say {{hi}}.'))
    expect(constant).toEqual(['built/asking', definePrompt({ id: 'p', vars: z.object({}), messages: 'Say \\{{hi}}.' }).hash.slice(0, 16)])
    expect(await hashesOf(built('Say ho.'))).not.toEqual(constant)
    expect(await hashesOf(built(() => 'a'))).toEqual(await hashesOf(built(() => 'b')))
    const one = (prompt: string): Agent => agent({ id: 'one', model: 'fake/m', prompt }) as Agent
    expect(await hashesOf(one('Be kind.'))).toEqual(['one/answering', expect.stringMatching(/^[0-9a-f]{16}$/)])
    expect(await hashesOf(one('Be kind.'))).not.toEqual(await hashesOf(one('Be dry.')))
  })

  it('cannot have one id for two templates in an agent', () => {
    const t = setupAgent({ id: 'twice', models: { m: 'fake/m' }, input: vars, onFailure: 'failed' })
    const make = (): unknown =>
      t.createAgent({
        initial: 'a',
        states: {
          a: t.model('m', { prompt: current as Prompt<{ question: string }>, onDone: 'b' }),
          b: t.model('m', { prompt: older as Prompt<{ question: string }>, onDone: 'done' }),
          done: t.final(),
          failed: t.final({ outcome: 'failed' }),
        },
      })
    expect(make).toThrow("The prompt id 'greet' stands for another template in state 'a'. Give each template an id of its own.")
  })
})
