// First step: the same loop, whose calls go through `run`. Retries, time limits, the cost and the record on disk are not
// its own any more; the rest is as it was.
import { defineTool, type Message, type RunOutcome } from 'stateloop'
import { z } from 'zod'
import { DeleteArgs, INSTRUCTIONS, Report, type Job, type Work } from './accounts.ts'
import { deleteAccount, findAccounts } from './parts.ts'

/** Cleans up; with the key of a job that was begun it goes on where that was. */
export const cleanUp = async (request: string, { confirm }: Pick<Work, 'confirm'>, { runtime, ...job }: Job): Promise<RunOutcome<z.infer<typeof Report>>> => {
  const asking = defineTool({ description: 'Asks a person.', input: z.object({ question: z.string() }), timeoutMs: 3_600_000, run: ({ question }) => confirm(question) })

  const run = await runtime.record('clean-up', { ...job, limits: { costUsd: 0.1 } }, async ({ model, tool }) => {
    const messages: Message[] = [
      { role: 'system', content: INSTRUCTIONS },
      { role: 'user', content: request },
    ]
    const perform = async (at: string, name: string, args: unknown): Promise<unknown> => {
      switch (name) {
        case 'findAccounts':
          return tool(`find-${at}`, findAccounts, args)
        case 'deleteAccount': {
          const { account } = DeleteArgs.parse(args)
          return (await tool(`confirm-${at}`, asking, { question: `Delete account ${account}?` })) ? tool(`delete-${at}`, deleteAccount, args) : 'denied'
        }
        default:
          return `There is no tool ${name}.`
      }
    }
    for (let turn = 1; turn <= 10; turn++) {
      const { message, text, calls } = await model(`ask-${turn}`, { model: 'openai/gpt-5-mini', messages, tools: { findAccounts, deleteAccount } })
      messages.push(message)
      if (calls.length === 0) return Report.parse(JSON.parse(text))
      for (const [index, { id, name, args }] of calls.entries()) messages.push({ role: 'tool', callId: id, name, content: JSON.stringify(await perform(`${turn}-${index}`, name, args)) })
    }
    throw new Error('too many turns')
  })
  return run.outcome()
}
