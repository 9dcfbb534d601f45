// Agents as tools of an MCP server. Invariant: a call that asks for an approval gets it from the person at the other end, by
// the protocol's own question, or not at all.
import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js'
import type { AnyAgent } from '../../agent/index.ts'
import { failureOf } from '../../failure/index.ts'
import type { RunEvent, RunOutcome, Runtime, StartOptions } from '../../run/index.ts'
import { embedSchema, toJsonSchema, type JsonSchema } from '../../schema/index.ts'
import { askPerson } from './ask-person.ts'

/** Shows an output as blocks of text, images, audio and resources. */
export type ShowOutput = (output: unknown) => CallToolResult['content']

/** What a call is made for and with. */
export interface AgentCall {
  readonly runtime: Runtime
  readonly agent: AnyAgent
  readonly args: { readonly [name: string]: unknown }
  readonly start: StartOptions
  readonly signal: AbortSignal
  readonly server: Server
  /** Hears of everything that the run does. Must not throw. */
  readonly hear: (event: RunEvent) => void
  readonly show?: ShowOutput | undefined
}

/** The dialect that MCP reads. */
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
/** Name of the argument that stands for an input that is no object. */
const WRAPPED = 'input'

const takesObject = (agent: AnyAgent): boolean => toJsonSchema(agent.input, `the input of ${agent.id}`)['type'] === 'object'

const inputSchemaOf = (agent: AnyAgent): JsonSchema => {
  if (takesObject(agent)) return { $schema: DIALECT, ...embedSchema(agent.input, '#') }
  return { $schema: DIALECT, type: 'object', properties: { [WRAPPED]: embedSchema(agent.input, `#/properties/${WRAPPED}`) }, required: [WRAPPED] }
}

/** What `structuredContent` holds. */
const outputSchemaOf = ({ output }: AnyAgent): JsonSchema => ({
  type: 'object',
  properties: {
    run: { type: 'string', description: 'The id of the run.' },
    outcome: { enum: ['done', 'waiting'] },
    output: embedSchema(output, '#/properties/output'),
    waiting: { type: 'array', items: { type: 'object' }, description: 'What the run waits for.' },
  },
  required: ['run', 'outcome'],
})

/** An agent as a tool. @throws FailureError `agent_invalid` when its input cannot be shown as JSON Schema. */
export const agentTool = (agent: AnyAgent, description = `Runs the agent ${agent.id} and gives its output.`): Tool => ({
  name: agent.id,
  description,
  inputSchema: inputSchemaOf(agent) as Tool['inputSchema'],
  outputSchema: outputSchemaOf(agent) as Tool['outputSchema'],
})

const said = (text: string, isError = false, structured?: { readonly [key: string]: unknown }): CallToolResult => ({
  content: [{ type: 'text', text }],
  ...(isError ? { isError } : {}),
  ...(structured === undefined ? {} : { structuredContent: structured }),
})

/** A failure that a caller may be told; a bug is the operator's. */
const saidFailure = (failed: { readonly code: string; readonly message: string }, about?: { readonly [key: string]: unknown }): CallToolResult =>
  said(failed.code === 'defect' ? 'defect: A bug stopped this run. The operator finds it in the run.' : `${failed.code}: ${failed.message}`, true, about)

const saidWaiting = (run: string, waiting: Extract<RunOutcome, { readonly outcome: 'waiting' }>['waiting']): string =>
  waiting
    .map(({ calls, accepts }) =>
      calls === undefined
        ? `Run ${run} waits for one of the events ${accepts.join(', ')}. Send it with \`stateloop send ${run}\`, or POST it to /v1/runs/${run}/events of the server.`
        : `Run ${run} waits for a decision about ${calls.map(({ name }) => name).join(', ')}. Give it with \`stateloop approve ${run}\`, or POST it to /v1/runs/${run}/approve of the server.`,
    )
    .join('\n')

const resultOf = (outcome: RunOutcome, show: ShowOutput | undefined): CallToolResult => {
  const about = { run: outcome.run, outcome: outcome.outcome }
  if (outcome.outcome === 'waiting') return said(saidWaiting(outcome.run, outcome.waiting), false, { ...about, waiting: outcome.waiting })
  if (outcome.outcome !== 'done') return saidFailure(outcome.failure, about)
  const { output = null } = outcome
  const result = said(typeof output === 'string' ? output : JSON.stringify(output), false, { ...about, output })
  return show === undefined ? result : { ...result, content: show(output) }
}

/** Goes on with a run for as long as the person at the other end gives what it waits for. */
const toRest = async ({ runtime, agent, server, signal, start, show }: AgentCall, run: string): Promise<CallToolResult> => {
  for (;;) {
    const outcome = await runtime.outcome(run)
    if (outcome.outcome !== 'waiting') return resultOf(outcome, show)
    const events = await askPerson(server, agent, outcome.waiting, signal)
    if (events.length === 0) return resultOf(outcome, show)
    for (const event of events) await runtime.send(run, event, start.user)
  }
}

/** Runs an agent to its end. Failures are results, so that the model that called sees them. */
export const callAgentTool = async (call: AgentCall): Promise<CallToolResult> => {
  const { runtime, agent, args, start, signal, hear } = call
  try {
    const handle = await runtime.start(agent, takesObject(agent) ? args : args[WRAPPED], start)
    const stopWatching = runtime.watch(handle.id, hear)
    const cancel = (): void => void runtime.cancel(handle.id, 'the MCP client cancelled the call').catch(() => {})
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    try {
      return await toRest(call, handle.id)
    } finally {
      stopWatching()
      signal.removeEventListener('abort', cancel)
    }
  } catch (error) {
    const failed = failureOf(error)
    if (failed === undefined || failed.code === 'defect') throw error
    return saidFailure(failed)
  }
}
