// What the compiler says about evaluations. Checked by `tsc`, never run.
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { defineTool, setupAgent } from '../../src/index.ts'
import { caseFile, evaluation, exact, type Scorer } from '../../src/eval/index.ts'

const lookup = defineTool({ description: 'Looks an order up.', input: z.object({ order: z.number() }), run: ({ order }) => order })
const t = setupAgent({ id: 'desk', models: { m: 'scripted/m' }, tools: { lookup }, input: z.object({ order: z.number() }), output: z.object({ total: z.number() }), onFailure: 'failed' })
const desk = t.createAgent({ initial: 'done', states: { done: t.final({ output: () => ({ total: 1 }) }), failed: t.final({ outcome: 'failed', output: () => ({ total: 0 }) }) } })
const one = { id: 'a', input: { order: 1 } }

// Scorers see the agent's output and what cases expect.
evaluation({
  name: 'desk',
  agent: desk,
  cases: [{ ...one, expected: { least: 2 } }],
  scorers: {
    enough: ({ output, expected }) => {
      expectTypeOf(output).toEqualTypeOf<{ total: number } | undefined>()
      expectTypeOf(expected).toEqualTypeOf<{ least: number } | undefined>()
      return (output?.total ?? 0) >= (expected?.least ?? 0)
    },
    same: exact({ actual: ({ output }) => output?.total }),
  },
})

// A case must fit the agent's input.
// @ts-expect-error order is a number
evaluation({ name: 'desk', agent: desk, cases: [{ id: 'a', input: { order: 'one' } }], scorers: { same: exact() } })

// A scorer gives a score.
// @ts-expect-error text is none
evaluation({ name: 'desk', agent: desk, cases: [one], scorers: { text: () => 'good' } })

// A gate has the settings it has.
// @ts-expect-error there is no threshold
evaluation({ name: 'desk', agent: desk, cases: [one], scorers: { same: exact() }, gate: { threshold: 0.9 } })

// A file of cases is typed by its schema, defaults filled in.
evaluation({
  name: 'desk',
  agent: desk,
  cases: caseFile('cases.jsonl', { expected: z.object({ tools: z.array(z.string()).default([]) }) }),
  scorers: {
    tools: ({ expected }) => {
      expectTypeOf(expected).toEqualTypeOf<{ tools: string[] } | undefined>()
      return true
    },
  },
})

// A function is evaluated by its own types.
evaluation({
  name: 'plain',
  agent: (input: string, { report }) => {
    report({ costUsd: 1 })
    return input.length
  },
  cases: [{ id: 'a', input: 'b' }],
  scorers: { short: ({ output }) => (output ?? 0) < 3 },
})

expectTypeOf(exact()).toExtend<Scorer>()
