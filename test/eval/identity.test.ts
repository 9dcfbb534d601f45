import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definePrompt, setupAgent, script, type Agent } from '../../src/index.ts'
import { evaluation, exact, identityOf, type Identity } from '../../src/eval/index.ts'
import { stepsOf } from '../../src/eval/steps.ts'
import support from '../../agents/support/evals/support.eval.ts'

const root = join(import.meta.dirname, '..', '..')
const load = (path: string): Promise<{ readonly [name: string]: unknown }> => import(path) as Promise<{ readonly [name: string]: unknown }>
const names = ({ files }: Identity): readonly string[] => files.map((path) => relative(root, path).replaceAll('\\', '/'))

describe('what results depend on', () => {
  it('is the code of the agent and of what takes part in a run, not that of scorers or of the evaluation', async () => {
    const identity = await identityOf(support, { file: join(root, 'agents/support/evals/support.eval.ts'), root, load, uses: [] }, [])
    expect(identity.unknown).toEqual([])
    expect(identity.code).toMatch(/^[0-9a-f]{16}$/)
    expect(names(identity)).toEqual(expect.arrayContaining(['agents/support/agent.ts', 'agents/support/tools.ts', 'agents/support/prompts.ts', 'agents/support/evals/world.ts']))
    expect(names(identity)).not.toContain('agents/support/evals/scorers.ts')
    expect(names(identity)).not.toContain('agents/support/evals/support.eval.ts')
  })

  it('is the file of the evaluation too when something of a run is made in it', async () => {
    const inline = evaluation({ name: 'inline', agent: (input: string) => input, cases: [{ id: 'a', input: 'b' }], scorers: { same: exact() } })
    expect(names(await identityOf(inline, { file: import.meta.filename, root, load, uses: [] }, []))).toContain('test/eval/identity.test.ts')
  })

  it('is also who answers', async () => {
    const codeWith = async (...providers: Parameters<typeof identityOf>[2]) => (await identityOf(support, { file: join(root, 'agents/support/evals/support.eval.ts'), root, load, uses: [] }, providers)).code
    const offline = script([], { id: 'openai' })
    expect(await codeWith(offline)).not.toBe(await codeWith({ ...offline, baseUrl: 'https://api.example.org' }))
    expect(await codeWith(offline)).toBe(await codeWith(script([], { id: 'openai' })))
  })
})

describe('hashes of states', () => {
  const ask = (id: string, text: string) => definePrompt({ id, vars: z.object({ question: z.string() }), messages: [{ role: 'user', content: `${text} {{question}}` }] })
  const agentWith = ({ text = 'Answer:', model = 'scripted/m', maxOutputTokens = 100, child = 'Help:' } = {}): Agent => {
    const inner = setupAgent({ id: 'inner', models: { m: 'scripted/m' }, input: z.object({ question: z.string() }), context: z.object({ question: z.string() }), onFailure: 'failed' })
    const helper = inner.createAgent({ initial: 'helping', states: { helping: inner.model('m', { prompt: ask('help', child), onDone: 'helped' }), helped: inner.final(), failed: inner.final({ outcome: 'failed' }) } })
    const t = setupAgent({
      id: 'outer',
      models: { m: { model: model as 'scripted/m', maxOutputTokens } },
      agents: { helper },
      input: z.object({ question: z.string() }),
      context: z.object({ question: z.string() }),
      onFailure: 'failed',
    })
    return t.createAgent({
      initial: 'asking',
      states: {
        asking: t.model('m', { prompt: ask('ask', text), onDone: 'delegating' }),
        delegating: t.agent('helper', { input: ({ context }) => ({ question: context.question }), onDone: 'done' }),
        done: t.final(),
        failed: t.final({ outcome: 'failed' }),
      },
    }) as unknown as Agent
  }
  const base = stepsOf(agentWith())

  it('are there for each state that asks a model, those of child agents under the name of their actor', () => {
    expect(Object.keys(base.states)).toEqual(['asking', 'delegating/helping'])
    expect(stepsOf(agentWith())).toEqual(base)
  })

  it.each([
    ['the prompt', { text: 'Say:' }, ['asking']],
    ['the model', { model: 'scripted/other' }, ['asking']],
    ['a parameter', { maxOutputTokens: 99 }, ['asking']],
    ['the prompt of a child agent', { child: 'Aid:' }, ['delegating/helping']],
  ])('change with %s, in the states that use it only', (_what, change, changed) => {
    const { states, structure } = stepsOf(agentWith(change))
    expect(Object.keys(states).filter((state) => states[state] !== base.states[state])).toEqual(changed)
    expect(structure).toBe(base.structure)
  })
})
