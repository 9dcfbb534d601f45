// The agent of the crash tests: rounds of a call, three regions at once with calls and timers, and a person at the end.
// What its effects do is noted in a file that outlives the process. Started by the crash worker.
import { appendFileSync } from 'node:fs'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'

/** Makes the agent. @param ledger the file of notes. @param rounds how often it goes round. */
export const crashAgent = (ledger: string, rounds: number): Agent => {
  const t = setupAgent({
    id: 'crash',
    models: {},
    input: z.object({ run: z.string() }),
    context: z.object({ run: z.string(), round: z.number().optional(), drawn: z.array(z.number()).optional() }),
    events: { GO: z.object({}) },
    limits: { transitions: 100_000 },
    onFailure: 'failed',
  })
  // Random on purpose: an effect that is performed again gives something else, which shows if it counts.
  const act = (key: string): Promise<number> =>
    new Promise((resolve) => {
      appendFileSync(ledger, `exec ${key}\n`)
      setTimeout(() => resolve(Math.floor(Math.random() * 1e9)), Math.random() * 8)
    })
  const region = (side: string) =>
    t.region({
      initial: 'working',
      states: {
        working: t.code({ run: ({ context }) => act(`${context.run} ${side}-${context.round ?? 0}`), idempotent: true, onDone: 'resting' }),
        resting: t.wait({ ms: () => 3, onDone: 'ready' }),
        ready: t.final({}),
      },
    }) as ReturnType<typeof t.region>
  return t.createAgent({
    initial: 'calling',
    states: {
      calling: t.code({
        run: ({ context }) => act(`${context.run} call-${context.round ?? 0}`),
        idempotent: true,
        save: ({ output, context }) => ({ drawn: [...(context.drawn ?? []).slice(-3), output] }),
        maxVisits: rounds + 1,
        onDone: 'splitting',
      }),
      splitting: t.parallel({ states: { left: region('left'), middle: region('middle'), right: region('right') }, onDone: 'counting' }),
      counting: t.code({ run: ({ context }) => (context.round ?? 0) + 1, idempotent: true, save: 'round', maxVisits: rounds + 1, onDone: 'checking' }),
      checking: t.choose({ cases: [{ when: ({ context }) => (context.round ?? 0) >= rounds, label: 'enough', to: 'asking' }], else: 'calling' }),
      asking: t.human({ on: { GO: 'done' } }),
      done: t.final({ output: ({ context }) => context.drawn ?? [] }),
      failed: t.final({ outcome: 'failed' }),
    },
  }) as unknown as Agent
}
