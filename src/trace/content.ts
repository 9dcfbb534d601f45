// Messages in the form in which the conventions carry them: a role and a list of parts, as JSON text. Invariant: it is
// written only when the application asked for content.
import type { Json } from '../failure/index.ts'
import type { Content, Message, Part, ToolCall } from '../prompt/index.ts'

const partOf = (part: Part): Json => (part.type === 'text' ? { type: 'text', content: part.text } : { type: part.type })

const partsOf = (content: Content): readonly Json[] => {
  if (typeof content !== 'string') return content.map(partOf)
  return content === '' ? [] : [{ type: 'text', content }]
}

const callsOf = (calls: readonly ToolCall[] = []): readonly Json[] => calls.map(({ id, name, args }) => ({ type: 'tool_call', id, name, arguments: args }))

const messageOf = (message: Message): Json => {
  if (message.role === 'tool') return { role: 'tool', parts: [{ type: 'tool_call_response', id: message.callId, response: message.content as Json }] }
  return { role: message.role, parts: [...partsOf(message.content), ...(message.role === 'assistant' ? callsOf(message.calls) : [])] }
}

/** What a model is told, instructions apart. */
export const inputContent = (messages: readonly Message[]): { readonly instructions: string | undefined; readonly messages: string } => {
  const system = messages.filter(({ role }) => role === 'system')
  const rest = messages.filter(({ role }) => role !== 'system')
  return { instructions: system.length === 0 ? undefined : JSON.stringify(system.flatMap(({ content }) => partsOf(content))), messages: JSON.stringify(rest.map(messageOf)) }
}

/** What a model answered. */
export const outputContent = (content: Content, calls: readonly ToolCall[] | undefined, finish: string): string =>
  JSON.stringify([{ role: 'assistant', parts: [...partsOf(content), ...callsOf(calls)], finish_reason: finish }])
