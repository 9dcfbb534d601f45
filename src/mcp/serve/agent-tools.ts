// Agents as tools of an MCP server. Invariant: a call that asks for an approval gets it from the person at the other end, by
// the protocol's own question, or not at all.
import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js'
import type { AnyAgent } from '../../agent/index.ts'
import { failureOf, type Json } from '../../failure/index.ts'
import type { Waiting } from '../../journal/index.ts'
import type { RunEvent, RunOutcome, Runtime, StartOptions } from '../../run/index.ts'
import { toJsonSchema, type JsonSchema } from '../../schema/index.ts'

/** What a call is made for and with. */
export interface AgentCall {
  readonly runtime: Runtime
  readonly agent: AnyAgent
  readonly args: { readonly [name: string]: unknown }
  readonly start: StartOptions
  readonly signal: AbortSignal
  /** Says how far the run is, to a client that asked to be told. */
  readonly progress: (step: number, message: string) => void
  readonly server: Server
}

/** Name of the argument that stands for an input that is no object. */
const WRAPPED = 'input'

const inputSchemaOf = (agent: AnyAgent): JsonSchema => toJsonSchema(agent.input, `the input of ${agent.id}`)
const isObject = (schema: JsonSchema): boolean => schema['type'] === 'object'

/** An agent as a tool. @throws FailureError `agent_invalid` when its input cannot be shown as JSON Schema. */
export const agentTool = (agent: AnyAgent, description = ''): Tool => {
  const schema = inputSchemaOf(agent)
  const inputSchema = isObject(schema) ? schema : { type: 'object', properties: { [WRAPPED]: schema }, required: [WRAPPED] }
  return { name: agent.id, description: description === '' ? `Runs the agent ${agent.id} and gives its output.` : description, inputSchema: inputSchema as Tool['inputSchema'] }
}

const said = (text: string, isError = false, structured?: { readonly [key: string]: unknown }): CallToolResult => ({
  content: [{ type: 'text', text }],
  ...(isError ? { isError } : {}),
  ...(structured === undefined ? {} : { structuredContent: structured }),
})

/** Asks the person for one call. @returns undefined when the client cannot ask. */
const askPerson = async ({ server, signal }: AgentCall, name: string, args: Json): Promise<{ readonly approved: boolean; readonly reason?: string } | undefined> => {
  if (server.getClientCapabilities()?.elicitation === undefined) return undefined
  const requestedSchema = {
    type: 'object' as const,
    properties: { approve: { type: 'boolean' as const, title: 'Approve this call' }, reason: { type: 'string' as const, title: 'Reason, if not' } },
    required: ['approve'],
  }
  const answer = await server.elicitInput({ message: `May ${name} run with ${JSON.stringify(args)}?`, requestedSchema }, { signal, timeout: 2_147_483_647 })
  const { approve, reason } = answer.content ?? {}
  return { approved: answer.action === 'accept' && approve === true, ...(typeof reason === 'string' && reason !== '' ? { reason } : {}) }
}

/** Decides what a run holds back. @returns false when nobody could be asked. */
const decide = async (call: AgentCall, run: string, waiting: readonly Waiting[]): Promise<boolean> => {
  const questions = waiting.flatMap((wait) => wait.calls ?? [])
  for (const { hash, name, args } of questions) {
    const decision = await askPerson(call, name, args)
    if (decision === undefined) return false
    await call.runtime.send(run, { type: decision.approved ? 'APPROVE' : 'REJECT', hash, ...(decision.reason === undefined ? {} : { reason: decision.reason }) }, call.start.user)
  }
  return questions.length > 0
}

const resultOf = (outcome: RunOutcome): CallToolResult => {
  const about = { run: outcome.run, outcome: outcome.outcome }
  if (outcome.outcome === 'done') return said(typeof outcome.output === 'string' ? outcome.output : JSON.stringify(outcome.output ?? null), false, { ...about, output: outcome.output ?? null })
  if (outcome.outcome === 'waiting') {
    const what = outcome.waiting.map((wait) => (wait.calls === undefined ? `one of the events ${wait.accepts.join(', ')}` : `a decision about ${wait.calls.map(({ name }) => name).join(', ')}`)).join(' and ')
    return said(`Run ${outcome.run} waits for ${what}. This client cannot give it; the operator can.`, false, { ...about, waiting: outcome.waiting })
  }
  return said(`${outcome.failure.code}: ${outcome.failure.message}`, true, about)
}

/** Runs an agent to its end. Failures are results, so that the model that called sees them. */
export const callAgentTool = async (call: AgentCall): Promise<CallToolResult> => {
  const { runtime, agent, args, start, signal, progress } = call
  try {
    const handle = await runtime.start(agent, isObject(inputSchemaOf(agent)) ? args : args[WRAPPED], start)
    let steps = 0
    const stopWatching = runtime.watch(handle.id, (event: RunEvent) => {
      if (event.type === 'state.entered') progress(++steps, event.state)
    })
    const cancel = (): void => void runtime.cancel(handle.id, 'the MCP client cancelled the call').catch(() => {})
    signal.addEventListener('abort', cancel, { once: true })
    try {
      for (;;) {
        const outcome = await runtime.outcome(handle.id)
        if (outcome.outcome !== 'waiting' || !(await decide(call, handle.id, outcome.waiting))) return resultOf(outcome)
      }
    } finally {
      stopWatching()
      signal.removeEventListener('abort', cancel)
    }
  } catch (error) {
    const failed = failureOf(error)
    if (failed === undefined || failed.code === 'defect') throw error
    return said(`${failed.code}: ${failed.message}`, true)
  }
}
