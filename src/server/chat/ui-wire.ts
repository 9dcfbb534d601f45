// Messages of the AI SDK's `useChat` read into ours, with the decisions of a person that they carry. Invariant: a decision
// names the run and the hash of exactly the call that was shown.
// @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
import { z } from 'zod'
import type { Message, Part } from '../../prompt/index.ts'

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() })
const filePart = z.looseObject({ type: z.literal('file'), url: z.string(), mediaType: z.string(), filename: z.string().optional() })
const otherPart = z.looseObject({ type: z.string() })
const message = z.looseObject({ id: z.string().optional(), role: z.enum(['system', 'user', 'assistant']), parts: z.array(z.union([textPart, filePart, otherPart])) })

/** Body of a request of `useChat`. */
export const uiShape = z.looseObject({ id: z.string().max(256).optional(), messages: z.array(message).min(1) })

/** A message as `useChat` holds it. */
export type UiMessage = z.infer<typeof message>

/** A call that a person decided in the page. */
export interface UiDecision {
  readonly run: string
  readonly hash: string
  readonly approved: boolean
  readonly reason?: string
  /** The part of the page that shows the call. */
  readonly toolCallId: string
  readonly name: string
  readonly input: unknown
}

/** The id of an approval: the run and the hash of the call. */
export const approvalId = (run: string, hash: string): string => `${run}:${hash}`

const decided = z.looseObject({ toolCallId: z.string(), toolName: z.string().optional(), input: z.unknown(), approval: z.looseObject({ id: z.string(), approved: z.boolean(), reason: z.string().optional() }) })

/** What the last message decides. Empty for a message that says something. */
export const decisionsIn = (messages: readonly UiMessage[]): readonly UiDecision[] => {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return []
  return last.parts.flatMap((part): readonly UiDecision[] => {
    const read = part['state'] === 'approval-responded' ? decided.safeParse(part) : undefined
    if (read?.success !== true) return []
    const { toolCallId, toolName, input, approval } = read.data
    const [run = '', hash = ''] = approval.id.split(':')
    return [{ run, hash, approved: approval.approved, ...(approval.reason === undefined ? {} : { reason: approval.reason }), toolCallId, name: toolName ?? part.type.replace(/^tool-/, ''), input }]
  })
}

const partOf = (part: UiMessage['parts'][number]): readonly Part[] => {
  const text = textPart.safeParse(part)
  if (text.success) return [{ type: 'text', text: text.data.text }]
  const file = filePart.safeParse(part)
  if (!file.success) return []
  const { url, mediaType, filename } = file.data
  const data = { url }
  if (mediaType.startsWith('image/')) return [{ type: 'image', data, mediaType }]
  return [mediaType.startsWith('audio/') ? { type: 'audio', data, mediaType } : { type: 'file', data, mediaType, ...(filename === undefined ? {} : { name: filename }) }]
}

/** Messages as agents read them: what people and the agent said, without calls and data. */
export const messagesOf = (messages: readonly UiMessage[]): readonly Message[] =>
  messages.flatMap(({ role, parts }): readonly Message[] => {
    const content = parts.flatMap(partOf)
    if (content.length === 0) return []
    const [only] = content
    return [{ role, content: content.length === 1 && only?.type === 'text' ? only.text : content }]
  })
