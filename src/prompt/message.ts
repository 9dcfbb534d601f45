// What models read and write: messages made of parts. Plain data, the same for every provider.
import type { Json } from '../failure/index.ts'

/** Bytes of a part: inline base64, an address, or the hash of a blob in the journal's store. */
export type PartData = { readonly base64: string } | { readonly url: string } | { readonly blob: string }

/** Fields of a caller's own message that have no name of ours, by the names of its protocol: `{ detail: 'low' }` of an image. */
export interface Extras {
  /** By the name of the field; absent when there are none. */
  readonly extras?: { readonly [field: string]: Json }
}

/** One piece of message content. */
export type Part = Extras &
  (
    | { readonly type: 'text'; readonly text: string }
    | { readonly type: 'image'; readonly data: PartData; readonly mediaType?: string }
    | { readonly type: 'audio'; readonly data: PartData; readonly mediaType?: string }
    | { readonly type: 'file'; readonly data: PartData; readonly mediaType?: string; readonly name?: string }
  )

/** Content of a message: text, or a list of parts. */
export type Content = string | readonly Part[]

/** A call of a tool that a model asked for. */
export interface ToolCall {
  /** The provider's id of the call, unique within the thread. */
  readonly id: string
  /** Name of the tool. */
  readonly name: string
  /** The arguments, parsed; null when the text was not JSON. */
  readonly args: Json
  /** The arguments exactly as the model wrote them, kept only when they could not be parsed. */
  readonly raw?: string
}

/** One message of a thread. */
export type Message = Extras &
  (
    | { readonly role: 'system' | 'user'; readonly content: Content }
    | { readonly role: 'assistant'; readonly content: Content; readonly calls?: readonly ToolCall[] }
    | {
        readonly role: 'tool'
        readonly callId: string
        readonly name: string
        readonly content: Content
        /** Failure code when the call did not succeed. */
        readonly failed?: string
      }
  )

/** The text of a message's content, parts that are not text left out. */
export const textOf = (content: Content): string => (typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join(''))
