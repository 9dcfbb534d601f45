import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { z } from 'zod'
import { graphOf, setupAgent } from '../../src/agent/index.ts'
import { problemsOf } from './step.ts'
import { support } from './fixture/support.ts'

describe('graphOf', () => {
  const graph = graphOf(support.machine)

  test('has a node for every state with its kind, and the machine itself first', () => {
    expect(graph.nodes.map(({ path, kind }) => `${path}:${kind}`)).toEqual([
      ':agent',
      'triaging:model',
      'searching:retrieve',
      'reranking:rerank',
      'answering:model',
      'approving:approve',
      'acting:tools',
      'shortAnswer:fallback',
      'shortAnswer.1-fast:model',
      'shortAnswer.2-value:value',
      'shortAnswer.done:final',
      'sent:final',
      'refused:final',
      'failed:final',
    ])
    expect(graph.nodes.find(({ path }) => path === 'shortAnswer')).toMatchObject({
      parent: '',
      type: 'compound',
      initial: 'shortAnswer.1-fast',
      children: ['shortAnswer.1-fast', 'shortAnswer.2-value', 'shortAnswer.done'],
    })
  })

  test('has an edge for every transition with its cause, target and label', () => {
    const edges = graph.edges.filter(({ source }) => source === 'answering').map(({ cause, targets, label }) => `${cause} ${label ?? '-'} → ${targets.join()}`)
    expect(edges).toEqual(['done refund → approving', 'done tools → acting', 'done - → sent', 'failure refused → refused', 'failure content_filtered → refused', 'failure * → shortAnswer'])
    expect(graph.edges.find(({ source }) => source === 'shortAnswer')).toMatchObject({ cause: 'complete', targets: ['sent'] })
    expect(new Set(graph.edges.map(({ id }) => id)).size).toBe(graph.edges.length)
  })

  test('reads machines written by hand, transitions without an event and with time included', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { always: { target: 'b', guard: () => true } },
        b: { after: { 10: 'c' }, on: { GO: [{ target: 'a', guard: 'x' }, {}] } },
        c: { type: 'final' },
      },
    })
    expect(graphOf(machine).edges.map(({ source, cause, event, targets, guard }) => [source, cause, event, targets.join(), guard])).toEqual([
      ['a', 'always', '', 'b', '(function)'],
      ['b', 'event', 'GO', 'a', 'x'],
      ['b', 'event', 'GO', '', undefined],
      ['b', 'timer', 'xstate.after.10.m.b', 'c', undefined],
    ])
  })
})

describe('the checks of the graph', () => {
  const t = setupAgent({ id: 'random', models: { m: 'openai/m' }, input: z.object({}) })
  interface Node {
    readonly done: number
    readonly failed: number
    readonly limited: boolean
  }

  /** Whether a walk of at most `nodes.length` steps leads from one state to another. */
  const leads = (nodes: readonly Node[], from: number, to: number, passable: (at: number) => boolean): boolean => {
    let at = new Set([from])
    for (let step = 0; step < nodes.length; step++) {
      at = new Set([...at].filter((index) => index < nodes.length && passable(index)).flatMap((index) => [nodes[index]!.done, nodes[index]!.failed]))
      if (at.has(to)) return true
    }
    return false
  }

  const found = (nodes: readonly Node[]): { readonly unreachable: readonly string[]; readonly endless: readonly string[]; readonly cycling: boolean } => {
    const name = (index: number): string => (index === nodes.length ? 'end' : `s${index}`)
    const states = Object.fromEntries(nodes.map((node, index) => [name(index), t.model('m', { prompt: 'Hi', onDone: name(node.done), onError: { '*': name(node.failed) }, ...(node.limited ? { maxVisits: 2 } : {}) })]))
    const problems = problemsOf(() => t.createAgent({ initial: 's0', states: { ...states, end: t.final() } } as never))
    const with_ = (words: string): readonly string[] => problems.filter((problem) => problem.includes(words)).map((problem) => problem.split(':')[0] ?? '')
    return { unreachable: with_('No transition leads here'), endless: with_('No way leads from here'), cycling: with_('go round').length > 0 }
  }

  test('agree with a plain walk of random agents', () => {
    const graphs = fc.integer({ min: 1, max: 7 }).chain((size) =>
      fc.array(fc.record({ done: fc.integer({ min: 0, max: size }), failed: fc.integer({ min: 0, max: size }), limited: fc.boolean() }), {
        minLength: size,
        maxLength: size,
      }),
    )
    fc.assert(
      fc.property(graphs, (nodes) => {
        const reachable = (index: number): boolean => index === 0 || leads(nodes, 0, index, () => true)
        const all = nodes.map((_node, index) => index)
        const names = (indices: readonly number[]): readonly string[] => indices.map((index) => `s${index}`)
        const { unreachable, endless, cycling } = found(nodes)
        expect(unreachable.filter((state) => state !== 'end')).toEqual(names(all.filter((index) => !reachable(index))))
        expect(endless).toEqual(names(all.filter((index) => reachable(index) && !leads(nodes, index, nodes.length, () => true))))
        expect(cycling).toBe(all.some((index) => !nodes[index]!.limited && leads(nodes, index, index, (at) => !nodes[at]!.limited)))
      }),
      { numRuns: 300, seed: 7 },
    )
  })
})
