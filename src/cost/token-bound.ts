// How many input tokens a request can have at most, known before it is sent and without a tokenizer.
// A token of a byte-level vocabulary stands for at least one byte of UTF-8, so text never has more tokens than bytes.
// @see https://github.com/openai/tiktoken (byte pair encoding on bytes)
import type { Message, Part } from '../prompt/index.ts'

/** What of a request becomes input tokens. A `ModelRequest` is one. */
export interface InputText {
  readonly messages: readonly Message[]
  /** Tools as the model sees them. */
  readonly tools?: readonly object[]
  /** The output schema as the model sees it. */
  readonly output?: object
}

// Providers wrap what they are sent: markers around messages, a preamble of their own, instructions before tools. The most
// that recorded traffic of OpenAI, Groq, Mistral, DeepSeek, xAI and others shows beyond that is 180 tokens, with tools 510.
const MESSAGE_TOKENS = 16
const TOOL_TOKENS = 64
const PREAMBLE_TOKENS = 512
const TOOLS_PREAMBLE_TOKENS = 512
// The dearest image known has 48,169: eight tiles of 5,667 and a base of 2,833, on gpt-4o-mini.
const PART_TOKENS = 50_000
const PART_ESTIMATE = 1_500
const BYTES_PER_TOKEN = 3

const bytesOf = (text: string): number => Buffer.byteLength(text)

const partBytes = (part: Part): number => (part.type === 'text' ? bytesOf(part.text) : 0)

const contentBytes = (message: Message): number => {
  const { content } = message
  const written = typeof content === 'string' ? bytesOf(content) : content.reduce((sum, part) => sum + partBytes(part), 0)
  if (message.role === 'assistant' && message.calls !== undefined) return written + bytesOf(JSON.stringify(message.calls))
  return message.role === 'tool' ? written + bytesOf(message.name) + bytesOf(message.callId) : written
}

const mediaOf = (message: Message): readonly Part[] => (typeof message.content === 'string' ? [] : message.content.filter((part) => part.type !== 'text'))

// An image has as many tokens as its size in pixels says; audio and documents at most one for each byte.
const mediaBound = (part: Part): number => ('data' in part && part.type !== 'image' && 'base64' in part.data ? Math.max(PART_TOKENS, part.data.base64.length) : PART_TOKENS)

const toolTokens = (count: number): number => (count === 0 ? 0 : count * TOOL_TOKENS + TOOLS_PREAMBLE_TOKENS)

const schemaBytes = ({ tools = [], output }: InputText): number => bytesOf(JSON.stringify(tools)) + (output === undefined ? 0 : bytesOf(JSON.stringify(output)))

/** Most tokens that one message adds to a request. Sum it as a thread grows rather than counting the thread again. */
export const messageTokenBound = (message: Message): number => contentBytes(message) + MESSAGE_TOKENS + mediaOf(message).reduce((sum, part) => sum + mediaBound(part), 0)

/**
 * Most input tokens a request can have: bytes of its text, tools and schema, and what providers put around them.
 * A true bound for text on byte-level vocabularies. Images, and files that are not inline, count 50,000 tokens each,
 * which is more than any known image costs but not a bound for every file.
 */
export const inputTokenBound = (request: InputText): number =>
  request.messages.reduce((sum, message) => sum + messageTokenBound(message), 0) + schemaBytes(request) + toolTokens(request.tools?.length ?? 0) + PREAMBLE_TOKENS

/**
 * A guess of the input tokens, for showing and for choosing what to compact: a token for every three bytes, 1,500 for
 * each image, audio or file. High for English prose (some four bytes a token), near for code, JSON and Chinese.
 */
export const inputTokenEstimate = (request: InputText): number => {
  const bytes = request.messages.reduce((sum, message) => sum + contentBytes(message), 0) + schemaBytes(request)
  const media = request.messages.reduce((sum, message) => sum + mediaOf(message).length, 0)
  return Math.ceil(bytes / BYTES_PER_TOKEN) + media * PART_ESTIMATE
}
