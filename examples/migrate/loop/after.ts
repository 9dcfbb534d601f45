// Second step: the loop itself is gone. An agent in ten lines, and what is left of the program: it starts a run and asks a
// person for what the run waits for.
import { agent, type RunOutcome } from 'stateloop'
import type { z } from 'zod'
import { INSTRUCTIONS, Report, type Job, type Work } from './accounts.ts'
import { deleteAccount, findAccounts } from './parts.ts'

const cleaner = agent({
  id: 'clean-up',
  model: 'openai/gpt-5-mini',
  prompt: INSTRUCTIONS,
  tools: { findAccounts, deleteAccount },
  output: Report,
  maxVisits: 10,
  limits: { costUsd: 0.1 },
})
export default cleaner

/** Cleans up; with the key of a job that was begun it goes on where that was. */
export const cleanUp = async (request: string, { confirm }: Pick<Work, 'confirm'>, { runtime, ...job }: Job, made = cleaner): Promise<RunOutcome<z.infer<typeof Report>>> => {
  const run = await runtime.start(made, request, job)
  for (;;) {
    const outcome = await run.outcome()
    const calls = outcome.outcome === 'waiting' ? outcome.waiting.flatMap(({ calls: open = [] }) => open) : []
    if (calls.length === 0) return outcome
    for (const { args, hash } of calls) {
      const { account } = args as { readonly account: number }
      await run.send({ type: (await confirm(`Delete account ${account}?`)) ? 'APPROVE' : 'REJECT', hash }, job.user)
    }
  }
}
