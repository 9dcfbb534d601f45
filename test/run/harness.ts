// Agents for the driver's tests, written with plain XState and our actor sources so that the builder is not in the way,
// and a model whose turns are a list.
import { assign, setup, type AnyStateMachine } from 'xstate'
import { z } from 'zod'
import { effectSource, guards, type Agent, type EffectSpec, type Limits } from '../../src/agent/index.ts'
import { fakeClock, type FakeClock } from '../../src/clock/index.ts'
import { failure, type FailureCode, type Json } from '../../src/failure/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { ModelCallError, type ModelProvider, type ModelRequest } from '../../src/model/index.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../src/run/index.ts'
import { defineTool, type Tool } from '../../src/tool/index.ts'

/** What the model says in one turn. */
export type Turn = { readonly text: string } | { readonly calls: readonly { readonly id: string; readonly name: string; readonly args: Json }[] } | { readonly fails: FailureCode; readonly retryAfterMs?: number }

/** A model that gives its turns in order, and remembers what it was asked. */
export const listModel = (turns: readonly Turn[] | ((request: ModelRequest) => Turn)): ModelProvider & { readonly asked: ModelRequest[] } => {
  const asked: ModelRequest[] = []
  let next = 0
  return {
    id: 'fake',
    price: { inputUsd: 1, outputUsd: 2 },
    asked,
    async call(request) {
      asked.push({ ...request, messages: [...request.messages] })
      const turn = typeof turns === 'function' ? turns(request) : turns[next++]
      if (turn === undefined) throw new Error('The list of turns is used up.')
      if ('fails' in turn)
        throw new ModelCallError(failure(turn.fails, 'as the test says', turn.retryAfterMs === undefined ? {} : { provider: { retryAfterMs: turn.retryAfterMs } }), { usage: { inputTokens: 10, outputTokens: 0 } })
      const usage = { inputTokens: 10, outputTokens: 5 }
      if ('text' in turn) return { message: { role: 'assistant', content: turn.text }, finish: 'stop', usage, model: 'm' }
      return { message: { role: 'assistant', content: '', calls: turn.calls }, finish: 'tool_calls', usage, model: 'm' }
    },
  }
}

/** A tool that adds, with whatever effect a test needs. */
export const adder = (
  options: {
    readonly effect?: 'none' | 'reversible' | 'irreversible'
    readonly idempotent?: boolean
    readonly polling?: boolean
    readonly onRun?: (key: string) => unknown
  } = {},
): Tool => {
  const { onRun, ...rest } = options
  return defineTool({
    description: 'Adds two numbers.',
    input: z.object({ a: z.number(), b: z.number() }),
    ...rest,
    run: async ({ a, b }, { key }) => {
      await onRun?.(key)
      return { sum: a + b }
    },
  })
}

export const modelRef = { alias: 'm', provider: 'fake', model: 'm', params: { maxOutputTokens: 100 } }

/** A model state's spec. */
export const modelSpec = (options: Partial<Extract<EffectSpec, { readonly kind: 'model' }>> = {}): EffectSpec => ({
  kind: 'model',
  model: modelRef,
  prompt: () => 'go',
  tools: {},
  repairs: 1,
  ...options,
})

const toMachine = (config: object, specs: { readonly [name: string]: EffectSpec }): AnyStateMachine =>
  setup({
    actors: Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, effectSource(spec)])),
    guards: guards as never,
  }).createMachine(config as never) as unknown as AnyStateMachine

/** An agent from a machine config and effect specs by actor name. */
export const agentOf = (config: { readonly id: string; readonly [field: string]: unknown }, specs: { readonly [name: string]: EffectSpec }, more: Partial<Agent> & { readonly limits?: Limits } = {}): Agent => ({
  kind: 'agent',
  id: config.id,
  hash: `hash of ${config.id}`,
  definition: {},
  machine: toMachine(
    {
      context: ({ input }: { input: unknown }) => ({ input, answer: null }),
      output: ({ context }: { context: { answer: unknown } }) => context.answer,
      ...config,
    },
    specs,
  ),
  input: z.unknown(),
  events: {},
  limits: {},
  migrations: [],
  ...more,
})

const save = ({ context, event }: { readonly context: object; readonly event: { readonly output: unknown } }): object => ({ ...context, answer: event.output })

/** thinking ⇄ acting → done | failed, as a one-shot agent compiles to. */
export const loopAgent = (tools: { readonly [name: string]: Tool }, more: Partial<Agent> & { readonly limits?: Limits } = {}, model: Partial<Extract<EffectSpec, { readonly kind: 'model' }>> = {}): Agent =>
  agentOf(
    {
      id: 'loop',
      initial: 'thinking',
      states: {
        thinking: {
          invoke: {
            id: 'thinking',
            src: 'model',
            onDone: [
              { guard: { type: 'stateloop.calls', params: {} }, target: 'acting' },
              { target: 'done', actions: assignAnswer },
            ],
            onError: { target: 'failed', guard: 'stateloop.anyFailure' },
          },
        },
        acting: { invoke: { id: 'acting', src: 'tools', onDone: 'thinking', onError: { target: 'thinking', guard: 'stateloop.anyFailure' } } },
        done: { type: 'final' },
        failed: { type: 'final', meta: { outcome: 'failed' } },
      },
    },
    { model: modelSpec({ tools, ...model }), tools: { kind: 'tools', tools, parallel: 4 } },
    more,
  )

/** An XState assign that puts the output into `answer`. */
export const assignAnswer = assign(({ context, event }) => save({ context, event: event as never }) as never)

/** A runtime on a fake clock. */
export const testRuntime = (options: RuntimeOptions & { readonly seed?: number } = {}): { readonly runtime: Runtime; readonly clock: FakeClock } => {
  const clock = (options.clock as FakeClock | undefined) ?? fakeClock({ seed: options.seed ?? 1 })
  return { runtime: createRuntime({ ...options, clock }), clock }
}

/** A copy of a run's first entries in another journal, as a crash after them would leave it. */
export const copyPrefix = async (from: Journal, to: Journal, run: string, count: number): Promise<void> => {
  const row = await from.get(run)
  const entries = await from.read(run)
  if (row === undefined || entries[0] === undefined) throw new Error('nothing to copy')
  const { output: _output, waiting: _waiting, dueAt: _dueAt, failureCode: _code, ...rest } = row
  const created = await to.create({ ...rest, status: 'running', seq: 0, hash: entries[0].hash }, entries[0], 'copy', 1_000)
  if (!created.created) throw new Error('already there')
  for (const entry of entries.slice(1, count)) await to.append(created.lease, entry, { ...rest, status: 'running' })
  await to.release(created.lease)
}
