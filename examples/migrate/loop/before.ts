// Before: the clean-up as a loop by hand around OpenAI's SDK. Retries with a sleep, a switch over the tools, a question
// before a deletion, a counter against running away, JSON.parse in a try, and the cost on the console.
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'
import type { z } from 'zod'
import { DeleteArgs, FindArgs, INSTRUCTIONS, Report, type Work } from './accounts.ts'

const MODEL = 'gpt-5-mini'
const USD_PER_TOKEN = { input: 0.25e-6, output: 2e-6 }

const tools: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'findAccounts', description: 'Finds accounts that were not used for so many days.', parameters: FindArgs.toJSONSchema() } },
  { type: 'function', function: { name: 'deleteAccount', description: 'Deletes an account for good.', parameters: DeleteArgs.toJSONSchema() } },
]

const askWithRetries = async (client: OpenAI, messages: OpenAI.ChatCompletionMessageParam[]): Promise<OpenAI.ChatCompletion> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.chat.completions.create({ model: MODEL, messages, tools })
    } catch (error) {
      if (attempt === 3 || !(error instanceof OpenAI.APIError) || (error.status ?? 500) < 429) throw error
      await sleep(200 * 2 ** attempt)
    }
  }
}

/** Cleans up. */
export const cleanUp = async (request: string, { endpoint, accounts, confirm }: Work): Promise<z.infer<typeof Report>> => {
  const client = new OpenAI({ ...endpoint, maxRetries: 0 })
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: request },
  ]
  let costUsd = 0

  const perform = async (name: string, args: unknown): Promise<string> => {
    switch (name) {
      case 'findAccounts':
        return JSON.stringify(accounts.find(FindArgs.parse(args).idleDays))
      case 'deleteAccount': {
        const { account } = DeleteArgs.parse(args)
        return (await confirm(`Delete account ${account}?`)) ? accounts.remove(account) : 'denied'
      }
      default:
        return `There is no tool ${name}.`
    }
  }

  for (let turn = 1; turn <= 10; turn++) {
    const { choices, usage } = await askWithRetries(client, messages)
    costUsd += (usage?.prompt_tokens ?? 0) * USD_PER_TOKEN.input + (usage?.completion_tokens ?? 0) * USD_PER_TOKEN.output
    const message = choices[0]!.message
    messages.push(message)
    if (message.tool_calls === undefined) {
      console.log(`cost ${costUsd.toFixed(6)} USD`)
      try {
        return Report.parse(JSON.parse(message.content ?? ''))
      } catch {
        throw new Error(`not a report: ${message.content}`)
      }
    }
    for (const call of message.tool_calls) {
      if (call.type !== 'function') continue
      messages.push({ role: 'tool', tool_call_id: call.id, content: await perform(call.function.name, JSON.parse(call.function.arguments)) })
    }
  }
  throw new Error('too many turns')
}
