// The parts of a chat message or of a piece of one, which servers fill in different ways. Invariant: a field of the wrong
// type is an error, since leaving it out would give a reply that looks complete and is not.
import { asFields, field, list, text, type Fields } from './fields.ts'
import type { CallPieces } from './turn.ts'

/** A message, or a piece of one, as read. */
export interface ChatPiece {
  readonly text: string
  readonly reasoning: string
  readonly refusal: string
  readonly calls: readonly CallPiece[]
}

/** A call, or a piece of one. */
export interface CallPiece extends Readonly<CallPieces> {
  /** Undefined where the server does not number its calls. */
  readonly index: number | undefined
}

/** What is wrong with a message, as a clause. */
export class ShapeProblem extends Error {}

const optionalText = (message: Fields, key: string): string => {
  const value = message[key]
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new ShapeProblem(`\`${key}\` is not text`)
}

/** Mistral sends lists of parts, thinking among them; its text parts are text or again lists. */
const readParts = (value: unknown, type: 'text' | 'thinking'): string => {
  if (typeof value === 'string') return type === 'text' ? value : ''
  if (!Array.isArray(value)) return ''
  return (value as readonly unknown[])
    .map(asFields)
    .map((part) => (part?.['type'] !== type ? '' : type === 'text' ? (text(part, 'text') ?? '') : readParts(part['thinking'], 'text')))
    .join('')
}

const readContent = (message: Fields): { readonly text: string; readonly thinking: string } => {
  const { content } = message
  if (content === undefined || content === null) return { text: '', thinking: '' }
  if (typeof content !== 'string' && !Array.isArray(content)) throw new ShapeProblem('`content` is neither text nor a list of parts')
  return { text: readParts(content, 'text'), thinking: readParts(content, 'thinking') }
}

const readArguments = (call: Fields): string => {
  const { arguments: args } = call
  if (args === undefined || args === null) return ''
  if (typeof args === 'string') return args
  // Some servers send the arguments parsed.
  if (asFields(args) !== undefined) return JSON.stringify(args)
  throw new ShapeProblem('the arguments of a tool call are neither text nor an object')
}

const readCall = (value: unknown): CallPiece => {
  const call = asFields(value)
  const called = field(call, 'function') ?? (call?.['type'] === 'custom' ? undefined : {})
  if (call === undefined || called === undefined) throw new ShapeProblem('a tool call is not a function call')
  const { index } = call
  if (index !== undefined && index !== null && !(typeof index === 'number' && Number.isSafeInteger(index))) throw new ShapeProblem('the index of a tool call is not a whole number')
  return { index: index ?? undefined, id: optionalText(call, 'id'), name: optionalText(called, 'name'), args: readArguments(called) }
}

const readCalls = (message: Fields): readonly CallPiece[] => {
  const { tool_calls: calls, function_call: legacy } = message
  if (calls !== undefined && calls !== null && !Array.isArray(calls)) throw new ShapeProblem('`tool_calls` is not a list')
  if (calls !== undefined && calls !== null && calls.length > 0) return list(message, 'tool_calls').map(readCall)
  const single = asFields(legacy)
  return single === undefined ? [] : [{ index: 0, id: '', name: optionalText(single, 'name'), args: readArguments(single) }]
}

/** Reads `message` of a reply or `delta` of a stream. @throws ShapeProblem */
export const readMessage = (message: Fields): ChatPiece => {
  const { text: said, thinking } = readContent(message)
  const transcript = said === '' ? (text(field(message, 'audio'), 'transcript') ?? '') : ''
  return {
    text: said + transcript,
    reasoning: thinking + (text(message, 'reasoning_content') ?? text(message, 'reasoning') ?? ''),
    refusal: optionalText(message, 'refusal'),
    calls: readCalls(message),
  }
}

/** The finish reason of a choice; undefined while there is none. @throws ShapeProblem */
export const readReason = (choice: Fields): string | undefined => {
  const reason = optionalText(choice, 'finish_reason')
  return reason === '' ? undefined : reason
}
