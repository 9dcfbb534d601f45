// A chat transcript as OpenAI's API writes it: messages with tool calls. Invariant: what is read is checked, and what is
// not understood is refused with its position.
import { fail, type Json } from '../failure/index.ts'
import type { Message, ToolCall } from '../prompt/index.ts'
import { parseJson } from '../schema/index.ts'
import { isObject, type Fields } from './data.ts'

const refuse = (index: number, seen: string): never =>
  fail('invalid_input', `Reading the transcript, message ${index} ${seen}. Give the messages of a chat completion: { role, content, tool_calls, tool_call_id }.`, { details: { index } })

const textOfContent = (content: Json | undefined, index: number): string => {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return refuse(index, 'has content that is neither text nor a list of parts')
  return content.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : refuse(index, 'has a part that is not text, which an import cannot take'))).join('')
}

const callOf = (call: Json, index: number): ToolCall => {
  const called = isObject(call) ? call['function'] : undefined
  const id = isObject(call) ? call['id'] : undefined
  if (!isObject(called) || typeof called['name'] !== 'string' || typeof id !== 'string') return refuse(index, 'has a tool call without an id or a function')
  const raw = typeof called['arguments'] === 'string' ? called['arguments'] : JSON.stringify(called['arguments'] ?? {})
  const parsed = parseJson(raw === '' ? '{}' : raw)
  return parsed.ok ? { id, name: called['name'], args: parsed.value } : { id, name: called['name'], args: null, raw }
}

const messageOf = (value: Json, index: number): Message => {
  const message: Fields = isObject(value) ? value : refuse(index, 'is not an object')
  const content = textOfContent(message['content'], index)
  const role = message['role']
  if (role === 'system' || role === 'developer') return { role: 'system', content }
  if (role === 'user') return { role, content }
  if (role === 'assistant') {
    const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].map((call) => callOf(call, index)) : []
    return { role, content, ...(calls.length === 0 ? {} : { calls }) }
  }
  if (role === 'tool' && typeof message['tool_call_id'] === 'string') return { role, callId: message['tool_call_id'], name: String(message['name'] ?? ''), content }
  return refuse(index, `has role ${JSON.stringify(role ?? null)}, or answers no call`)
}

/**
 * Reads the messages of a transcript: a list, or an object with `messages` (or `traj`).
 * @throws FailureError `invalid_input` with the position.
 */
export const chatMessages = (value: Json): readonly Message[] => {
  const list = isObject(value) ? (value['messages'] ?? value['traj']) : value
  if (!Array.isArray(list) || list.length === 0) return fail('invalid_input', 'The transcript has no messages. Give a list of chat messages, or an object with `messages`.')
  return list.map(messageOf)
}
