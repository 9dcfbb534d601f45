// A customer-service agent for an airline: a model that answers, tools that act, and a user who speaks. It replays the
// recorded conversations of the tau-bench airline domain, which is how the replay of this library is proven.
import { setupAgent } from 'stateloop'
import { z } from 'zod'
import { openDatabase, readData, type AirlineDatabase } from './database.ts'
import { airlinePrompt, ownPolicy } from './prompts.ts'
import { TOOL_NAMES, tools } from './tools.ts'

/** What `stateloop run airline` begins with when no input is given. */
export const example = { said: 'Hello! I am ada_king_1815. When does my flight to Seattle leave?' }
export { offline } from './offline.ts'

/** The application's objects that the runtime hands to tools. */
export const services = (): { readonly airline: AirlineDatabase } => ({ airline: openDatabase(readData(`${import.meta.dirname}/data`)) })

/** What the simulated users of tau-bench say when they have nothing more to ask. */
const GOODBYE = '###STOP###'

/** Makes the agent. `rounds` is how often the model may answer in one conversation. */
export const airlineAgent = ({ policy = ownPolicy, rounds = 30 }: { readonly policy?: string; readonly rounds?: number } = {}) => {
  const t = setupAgent({
    id: 'airline',
    version: '1.0.0',
    models: { agent: { model: 'openai/gpt-4o', maxOutputTokens: 1_000, temperature: 0 } },
    tools,
    input: z.object({ said: z.string() }),
    context: z.object({ said: z.string() }),
    events: { SAY: z.object({ text: z.string() }) },
    // The recorded model repeats itself at times; what stops it here is the number of rounds.
    limits: { repeat: 30, modelCalls: 60 },
    onFailure: 'failed',
  })
  return t.createAgent({
    initial: 'answering',
    states: {
      answering: t.model('agent', {
        prompt: airlinePrompt(policy),
        thread: 'conversation',
        tools: TOOL_NAMES,
        onTools: { transfer_to_human_agents: 'transferring', '*': 'acting' },
        maxVisits: rounds,
        onDone: 'listening',
        onError: { loop_limit: 'outOfRounds' },
      }),
      acting: t.tools({ parallel: 1, onDone: 'continuing' }),
      listening: t.human({ on: { SAY: { to: 'continuing', save: ({ event }) => ({ said: event.text }) } } }),
      // A round begins with what tools or the user said. Without one left, `answering` reports the limit, even to a goodbye.
      continuing: t.choose({
        cases: [
          { label: 'no round left', when: ({ context }) => (context.$run.visits['answering'] ?? 0) >= rounds, to: 'answering' },
          { label: 'goodbye', when: ({ context }) => context.said.includes(GOODBYE), to: 'ended' },
        ],
        else: 'answering',
      }),
      transferring: t.tools({ onDone: 'transferred' }),
      ended: t.final({ output: () => ({ ended: 'by the user' }) }),
      transferred: t.final({ output: () => ({ ended: 'handed over to a person' }) }),
      outOfRounds: t.final({ outcome: 'limited', output: () => ({ ended: 'after too many rounds' }) }),
      failed: t.final({ outcome: 'failed' }),
    },
  })
}

export default airlineAgent()
