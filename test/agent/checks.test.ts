import { describe, expect, test } from 'vitest'
import { assign, sendParent } from 'xstate'
import { z } from 'zod'
import { fromCode, fromModel, setupAgent } from '../../src/agent/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { problemsOf } from './step.ts'

const lookup = defineTool({ description: 'Looks up.', input: z.object({ id: z.string() }), run: () => 'found' })
const refund = defineTool({ description: 'Refunds.', input: z.object({ id: z.string() }), effect: 'irreversible', run: () => 'gone' })

// As an author without a compiler meets it: nothing is checked before createAgent.
interface LooseBuilder {
  readonly createAgent: (definition: object) => unknown
  readonly [method: string]: (...args: readonly any[]) => any
}
const setup = (more: object = {}): LooseBuilder =>
  setupAgent({
    id: 'shop',
    models: { fast: 'openai/gpt-5-mini' },
    tools: { lookup, refund },
    events: { GO: z.object({}) },
    input: z.object({ q: z.string() }),
    onFailure: 'failed',
    ...more,
  } as never) as never

const t = setup()
const end = { done: t['final']!(), failed: t['final']!({ outcome: 'failed' }) }
const ask = (options: object): unknown => t['model']!('fast', { prompt: 'Hi', onDone: 'done', ...options })
const refused = (states: object, initial = 'a', builder: LooseBuilder = t): readonly string[] => problemsOf(() => builder.createAgent({ initial, states: { ...states, ...end } }))

test('a sound agent has no problems', () => expect(refused({ a: ask({}) })).toEqual([]))

test('all problems arrive in one failure, each with its state and what to do', () => {
  const make = (): unknown => t.createAgent({ initial: 'aks', states: { ask: ask({ onDone: 'dnoe', save: 'x', onError: { timeuot: 'done' } }), ...end } })
  expect(make).toThrow(
    `agent_invalid: The agent 'shop' cannot be created. 4 problems were found; fix each:
  - ask: onError names 'timeuot', which is not a failure of this kind of state. Did you mean 'timeout'?
  - ask: save names 'x', which is not a field of the context. There are 'q'.
  - ask: onDone leads to 'dnoe', which is not a state here. Did you mean 'done'?
  - (agent): initial is 'aks', which is not one of the states. Did you mean 'ask'?`,
  )
})

describe('names', () => {
  test.each<[string, () => readonly string[], string]>([
    ['a target that nothing resembles', () => refused({ a: ask({ onDone: 'elsewhere' }) }), "a: onDone leads to 'elsewhere', which is not a state here. There are 'a', 'done', 'failed'."],
    ['a model alias', () => refused({ a: t['model']!('fats', { prompt: 'Hi', onDone: 'done' }) }), "a: 'fats' is not one of the models of setupAgent. Did you mean 'fast'?"],
    [
      'a model without provider',
      () => refused({ a: ask({}) }, 'a', setup({ models: { fast: 'gpt-5' } })),
      ": The model 'fast' is \"gpt-5\". Write the provider's id, a slash and the model's name, as in 'openai/gpt-5-mini'.",
    ],
    ['a tool', () => refused({ a: ask({ tools: ['lokup'], onTools: 'done' }) }), "a: tools names 'lokup', which is not one of the tools of setupAgent. Did you mean 'lookup'?"],
    ['a tool in onTools', () => refused({ a: ask({ tools: ['lookup'], onTools: { lookpu: 'done', '*': 'done' } }) }), "a: onTools names 'lookpu', which this state does not offer. Did you mean 'lookup'?"],
    ['an unrouted tool', () => refused({ a: ask({ tools: ['lookup', 'refund'], onTools: { lookup: 'done' } }) }), "a: onTools does not say where calls of 'refund' lead. Name a state for each, or add '*'."],
    ['a missing onTools', () => refused({ a: ask({ tools: ['lookup'] }) }), "a: onTools must say where calls of 'lookup' lead, usually to a tools state."],
    ['a retriever', () => refused({ a: t['retrieve']!('kb', { query: () => '', onDone: 'done' }) }), "a: 'kb' is not one of the retrievers of setupAgent. There are none."],
    ['an event', () => refused({ a: t['human']!({ on: { GOO: 'done' } }) }), "a: on names 'GOO', which is not declared in setupAgent({ events }). Did you mean 'GO'?"],
    ['an option', () => refused({ a: ask({ onErorr: {} }) }), "a: A model state has no option 'onErorr'. Did you mean 'onError'?"],
    ['a missing option', () => refused({ a: t['retrieve']!('kb', { onDone: 'done' }) }), "a: A retrieve state needs the option 'query'."],
    ['a state name', () => refused({ 'a.b': ask({}) }, 'a.b'), "a.b: 'a.b' cannot be the name of a state. Use letters, digits, _ and -."],
    ['an agent id', () => refused({ a: ask({}) }, 'a', setup({ id: 'my shop' })), ": 'my shop' cannot be the id of an agent. Use letters, digits, _ and -."],
    ['a default failure route', () => refused({ a: ask({}) }, 'a', setup({ onFailure: 'faild' })), ": onFailure is 'faild', which is not one of the states. Did you mean 'failed'?"],
    ['something that is no state', () => refused({ a: { kind: 'modle', options: {} } }), 'a: This is not a state. Make states with the builder: t.model, t.tools, t.final …, or t.raw for an XState state node.'],
  ])('%s that does not exist is named with the nearest', (_what, problems, expected) => expect(problems()).toContain(expected))

  test.each<[string, object, string]>([
    ['an event of XState', { events: { 'xstate.done': z.object({}) } }, ": The event 'xstate.done' starts with 'xstate.', which is reserved. Rename it."],
    ['an event with a star', { events: { 'GO.*': z.object({}) } }, ": The event 'GO.*' contains '*', which matches other events. Rename it."],
    ['the field of the run', { input: z.object({ $run: z.string() }) }, ": The field '$run' is reserved for the runtime. Rename it."],
  ])('%s is reserved', (_what, more, expected) => expect(refused({ a: ask({}) }, 'a', setup(more))).toContain(expected))

  test('an event that approvals take cannot be declared beside an approval', () => {
    const builder = setup({ events: { APPROVE: z.object({}) } })
    const states = {
      a: ask({ tools: ['refund'], onTools: 'ok' }),
      ok: t['approve']!({ onApproved: 'act', onRejected: 'done' }),
      act: t['tools']!({ onDone: 'done' }),
    }
    expect(refused(states, 'a', builder)).toEqual([": The event 'APPROVE' is declared, but the approval 'ok' takes an event of that name too. Rename yours."])
  })
})

describe('routes', () => {
  const strict = setup({ onFailure: undefined })
  test('every failure of a state needs a route when there is no default', () => {
    const [problem] = refused({ a: t['wait']!({ ms: 1, onDone: 'done', onError: { loop_limit: 'failed' } }) }, 'a', strict)
    expect(problem).toBe(
      "a: onError does not say where these failures lead: no_progress, budget_exceeded, deadline_exceeded, circuit_open, saturated, throttled. Name a state for each, add '*', or set a default with setupAgent({ onFailure }).",
    )
  })

  test('in_doubt needs no route', () => expect(refused({ a: t['tool']!('lookup', { args: () => ({ id: '' }), onDone: 'done', onError: { '*': 'failed' } }) }, 'a', strict)).toEqual([]))

  test('a target for all failures is written as a wildcard', () =>
    expect(refused({ a: ask({ onError: 'failed' }) })).toContain(`a: onError must name a state for each failure code. For all of them write onError: { '*': "failed" }.`))

  test('a match covers exactly the values of its field', () => {
    const output = z.object({ kind: z.enum(['one', 'two']), ok: z.boolean() })
    expect(refused({ a: ask({ output, onDone: { match: 'kind', to: { one: 'done', tow: 'done' } } }) })).toEqual([
      "a: onDone matches 'kind' but does not say where 'two' leads. Add a state for each.",
      "a: onDone matches 'kind' with 'tow', which is not one of its values. Did you mean 'two'?",
    ])
    expect(refused({ a: ask({ output, onDone: { match: 'ok', to: { true: 'done', false: 'failed' } } }) })).toEqual([])
  })

  test('two cases cannot share a label', () => {
    const cases = [true, false].map((yes) => ({ when: () => yes, label: 'same', to: 'done' }))
    expect(refused({ a: ask({ onDone: { cases, else: 'failed' } }) })).toContain("a: Two cases have the label 'same'. Give each its own.")
  })

  test('nothing follows the fixed value of a fallback', () => {
    expect(refused({ a: t['fallback']!([{ value: 1 }, 'fast'], { prompt: 'Hi', onDone: 'done' }) })).toContain('a: A fixed value cannot fail, so nothing after it is ever tried. Put one value at the end.')
  })
})

describe('the graph', () => {
  test('states that nothing leads to are unreachable, the outermost only', () => {
    const lonely = t['group']!({ initial: 'x', states: { x: ask({}), y: ask({}) }, onDone: 'done' })
    expect(refused({ a: ask({}), lonely })).toEqual(['lonely: No transition leads here. Lead to it from another state, or remove it.'])
  })

  test('every state must be able to end the run', () => {
    const stuck = { b: t['human']!({ on: { GO: 'c' }, onError: { '*': 'c' } }), c: t['human']!({ on: { GO: 'b' }, onError: { '*': 'b' } }) }
    const builder = setup({ onFailure: undefined })
    expect(refused({ a: ask({ onDone: 'b', onError: { timeout: 'done', '*': 'failed' } }), ...stuck }, 'a', builder)).toEqual([
      'b: No way leads from here to a final state. Add a transition that can end the run.',
      'c: No way leads from here to a final state. Add a transition that can end the run.',
    ])
  })

  test('an agent without a final state is refused', () => {
    const builder = setup({ onFailure: undefined })
    expect(problemsOf(() => builder.createAgent({ initial: 'a', states: { a: t['human']!({ on: { GO: 'a' }, onError: { '*': 'a' } }) } }))).toContain(
      ': No state is final, so no run can end. Add one: done: t.final({ output: … }).',
    )
  })

  test('a cycle that runs by itself needs a visit limit on every way round', () => {
    const cycle = (a: object, b: object): readonly string[] => refused({ a: ask({ onDone: 'b', ...a }), b: ask({ onDone: 'a', ...b }), done2: end.done }).filter((problem) => problem.includes('go round'))
    expect(cycle({}, {})).toEqual(['a: a → b → a can go round for ever by itself. Give one of these states maxVisits.'])
    expect(cycle({}, { maxVisits: 3 })).toEqual([])
    expect(cycle({ onError: { timeout: 'a' } }, { maxVisits: 3 })).toEqual(['a: a → a can go round for ever by itself. Give one of these states maxVisits.'])
  })

  test('waiting for a person or for time is not going round by itself', () => {
    expect(refused({ a: ask({ onDone: 'b', onError: { '*': 'done' } }), b: t['human']!({ on: { GO: 'a' } }) })).toEqual([])
    expect(refused({ a: ask({ onDone: 'b', onError: { '*': 'done' } }), b: t['wait']!({ ms: 1, onDone: 'a' }) })).toEqual([])
    const deciding = refused({ a: ask({ onDone: 'b', onError: { '*': 'done' } }), b: t['decide']!('fast', { prompt: 'Hi', on: { GO: 'a' } }) })
    expect(deciding).toEqual(['a: a → b → a can go round for ever by itself. Give one of these states maxVisits.'])
  })
})

describe('irreversible tools', () => {
  const acting = { act: t['tools']!({ onDone: 'a' }) }
  const offering = (onTools: unknown, more: object = {}): unknown => ask({ tools: ['lookup', 'refund'], onTools, maxVisits: 3, ...more })

  test('need an approval between the model that asks and the state that acts', () => {
    expect(refused({ a: offering('act'), ...acting })).toEqual(["a: The tool 'refund' is irreversible. Its calls reach 'act' without an approval. Route it to an approve state that leads to 'act'."])
    expect(refused({ a: offering({ refund: 'ok', '*': 'act' }), ok: t['approve']!({ onApproved: 'act', onRejected: 'a' }), ...acting })).toEqual([])
  })

  test('must not be overtaken by a tool that is routed before them', () => {
    const states = { a: offering({ lookup: 'act', refund: 'ok' }), ok: t['approve']!({ onApproved: 'act', onRejected: 'a' }), ...acting }
    expect(refused(states)).toEqual(["a: The tool 'refund' is irreversible. A batch that also calls 'lookup' takes that route first and reaches 'act' without an approval. Put 'refund' before 'lookup' in onTools."])
  })

  test('are not approved by an approval that expired, nor by another kind of person', () => {
    const approve = t['approve']!({ expiresMs: 1, onApproved: 'act', onRejected: 'a', onError: { expired: 'act' } })
    expect(refused({ a: offering({ refund: 'ok', '*': 'act' }), ok: approve, ...acting })).toHaveLength(1)
    expect(refused({ a: offering({ refund: 'ok', '*': 'act' }), ok: t['human']!({ on: { GO: 'act' } }), ...acting })).toHaveLength(1)
    const other = t['approve']!({ tools: ['lookup'], onApproved: 'act', onRejected: 'a' })
    expect(refused({ a: offering({ refund: 'ok', '*': 'act' }), ok: other, ...acting })).toHaveLength(1)
  })

  test('may be performed by a state that leaves them out', () => expect(refused({ a: offering('act'), act: t['tools']!({ tools: ['lookup'], onDone: 'a' }) })).toEqual([]))

  test('called by the author need an approval of that call on every way', () => {
    const file = t['tool']!('refund', { args: () => ({ id: '' }), onDone: 'done' })
    expect(refused({ a: ask({ onDone: 'file' }), file })).toEqual([
      "file: The tool 'refund' is irreversible and can be called here without an approval. Put a state before it on every way: t.approve({ call: { tool: 'refund', args }, … }).",
    ])
    const approve = (onRejected: string): unknown => t['approve']!({ call: { tool: 'refund', args: () => ({ id: '' }) }, onApproved: 'file', onRejected })
    expect(refused({ a: ask({ onDone: 'ok' }), ok: approve('done'), file })).toEqual([])
    expect(refused({ a: ask({ onDone: 'ok' }), ok: approve('file'), file })).toHaveLength(1)
    expect(refused({ a: ask({ onDone: 'ok', onError: { timeout: 'file' } }), ok: approve('done'), file })).toHaveLength(1)
  })

  test('give an approval without calls nothing to decide', () => {
    const builder = setup({ tools: { lookup } })
    expect(refused({ a: ask({ onDone: 'ok' }), ok: t['approve']!({ onApproved: 'done', onRejected: 'done' }) }, 'a', builder)).toContain(
      'ok: This approval has nothing to decide: no tool is irreversible and no onTools leads here. Name tools, or remove the state.',
    )
  })
})

describe('raw states', () => {
  const raw = (config: object, more: object = {}): readonly string[] => refused({ a: t['raw']!(config), ...more })

  test.each<[string, object, string]>([
    ['a wildcard event', { on: { '*': 'done' } }, "a: A transition on '*' also swallows the failures of every effect. Name the events."],
    ['an event of XState', { on: { 'xstate.stop': 'done' } }, "a: 'xstate.stop' is an event of XState's own. Use onDone, onError, after or always, or name the event differently."],
    ['a spawned actor', { on: { GO: 'done' }, entry: assign(({ spawn }: any) => ({ ref: spawn('x') })) }, 'a: An action spawns an actor, which the journal cannot see. Invoke it in a state instead.'],
    ['a message to the parent', { on: { GO: 'done' }, entry: sendParent({ type: 'HI' }) }, 'a: An action sends to the parent machine, which the journal cannot see. End with an output instead.'],
    ['an unknown target', { on: { GO: 'dnoe' } }, "a: on.GO leads to 'dnoe', which is not a state here. Did you mean 'done'?"],
    ['an unknown guard', { on: { GO: { target: 'done', guard: 'stateloop.cals' } } }, "a: There is no guard called 'stateloop.cals'. Did you mean 'stateloop.calls'?"],
    ['an unknown action', { on: { GO: { target: 'done', actions: 'nope' } } }, "a: There is no action called 'nope'. There are none."],
    ['an unknown actor', { invoke: { src: 'nope', onDone: 'done' } }, "a: There is no actor called 'nope'. There are none."],
    [
      'an actor the journal cannot see',
      { invoke: { src: { transition: () => {} }, onDone: 'done' } },
      "a: The actor 'a' is neither one of Stateloop's nor a machine, so its results would not be journaled. Use fromCode, fromTool or t.code.",
    ],
    [
      'an effect without onError',
      { invoke: { src: fromCode({ run: () => 1 }), onDone: 'done' } },
      "a: Failures of 'a' lead nowhere: code_failed, timeout, loop_limit, no_progress, budget_exceeded, deadline_exceeded, circuit_open, saturated, throttled. Give it onError, with a guard for each code or a target for all.",
    ],
    ['a wrong initial', { initial: 'x', states: { y: { on: { GO: '#shop.done' } } } }, "a: initial is 'x', which is not one of the states. There are 'y'."],
  ])('%s is refused', (_what, config, expected) => expect(raw(config)).toContain(expected))

  test('two states or invocations with one id are refused', () => {
    const config = { on: { GO: 'b' }, id: 'same' }
    const invoking = { invoke: [1, 2].map(() => ({ id: 'twin', src: fromModel({ model: 'openai/m', prompt: 'Hi' }), onDone: 'done', onError: 'failed' })) }
    expect(raw(config, { b: t['raw']!({ ...config, on: { GO: 'done' } }) })).toContain("b: The state id 'same' is already used by 'a'. Give each its own.")
    expect(raw(invoking)).toContain("a: The invoke id 'twin' is already used by 'a'. Give each its own.")
  })
})

describe('a cap in USD', () => {
  const capped = (model: unknown, costUsd: number): readonly string[] => refused({ a: ask({}) }, 'a', setup({ models: { fast: model }, limits: { costUsd } }))
  const price = { inputUsd: 1, outputUsd: 10 }

  test('is above what one call can cost', () => {
    expect(capped({ model: 'own/model', price, maxOutputTokens: 1000 }, 0.011)).toEqual([])
    expect(capped({ model: 'own/model', price, maxOutputTokens: 1000 }, 0.01)).toEqual([
      "a: One call of 'own/model' can cost 0.0105 USD (1000 output tokens), more than limits.costUsd (0.01 USD). Lower maxOutputTokens of the model, or raise limits.costUsd.",
    ])
  })

  test('uses list prices, and refuses a model without one', () => {
    expect(capped('openai/gpt-5-mini', 1)).toEqual([])
    expect(capped({ model: 'openai/gpt-5-mini', maxOutputTokens: 100_000 }, 0.01)).toHaveLength(1)
    expect(capped('nobody/knows', 1)).toEqual([
      "a: The price of 'nobody/knows' is not known, so limits.costUsd cannot be kept. Give it one: { model: 'nobody/knows', price: { inputUsd, outputUsd } } per million tokens, or drop limits.costUsd.",
    ])
  })

  test('trusts a scripted model to declare its own price', () => expect(capped('scripted/rules', 1)).toEqual([]))
})
