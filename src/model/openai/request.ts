// What both wires share when a request is written: parts with their bytes, arguments of earlier calls, and options the
// author passes through. Invariant: what cannot be said on the wire is refused before anything is sent.
import type { Json } from '../../failure/index.ts'
import type { Content, Extras, Message, Part, ToolCall } from '../../prompt/index.ts'
import type { ModelIo } from '../provider.ts'

/** A JSON object under construction. */
export type Body = { readonly [key: string]: unknown }

/** A request that cannot be written for this wire. */
export class RequestProblem extends Error {}

type Binary = Exclude<Part, { readonly type: 'text' }>

/** Refuses fields of a caller's message that another protocol has no place for. @throws RequestProblem */
export const refuseExtras = ({ extras = {} }: Extras, known: readonly string[] = []): void => {
  const unknown = Object.keys(extras).filter((field) => !known.includes(field))
  if (unknown.length > 0) throw new RequestProblem(`a message sets ${unknown.join(', ')}, which this provider's protocol has no place for. Leave it out, or use a provider that speaks chat completions.`)
}

const loadPart = async (part: Part, blob: ModelIo['blob']): Promise<Part> => {
  if (part.type === 'text' || !('blob' in part.data)) return part
  if (blob === undefined) throw new RequestProblem(`a message names the blob ${part.data.blob}, but there is no store to read it from.`)
  return { ...part, data: { base64: await blob(part.data.blob) } }
}

const hasBlob = (content: Content): boolean => typeof content !== 'string' && content.some((part) => part.type !== 'text' && 'blob' in part.data)

/** Replaces blob hashes by their bytes. Messages without blobs are handed through, not copied. */
export const loadBlobs = async (messages: readonly Message[], blob: ModelIo['blob']): Promise<readonly Message[]> => {
  if (!messages.some((message) => hasBlob(message.content))) return messages
  return Promise.all(messages.map(async (message) => (typeof message.content === 'string' ? message : { ...message, content: await Promise.all(message.content.map((part) => loadPart(part, blob))) })))
}

/** An address a server can read: as given, or a data URL. */
export const toUrl = ({ data, mediaType, type }: Binary): string => {
  if ('url' in data) return data.url
  if ('blob' in data) throw new RequestProblem('a blob was not loaded.')
  return `data:${mediaType ?? (type === 'image' ? 'image/png' : 'application/octet-stream')};base64,${data.base64}`
}

const DATA_URL = /^data:([^;,]*);base64,/

/** The part's bytes as base64 with their media type. @throws RequestProblem for bytes behind an address. */
export const toBase64 = (part: Binary): { readonly base64: string; readonly mediaType: string | undefined } => {
  const url = toUrl(part)
  const found = DATA_URL.exec(url)
  if (found === null) throw new RequestProblem(`this wire takes ${part.type} parts only with their bytes, not as an address. Load ${url.slice(0, 100)} first.`)
  return { base64: url.slice(found[0].length), mediaType: part.mediaType ?? (found[1] || undefined) }
}

/** An audio part as both wires take it. */
export const toAudio = (part: Binary): Body => {
  const { base64, mediaType } = toBase64(part)
  const format = /wav/.test(mediaType ?? '') ? 'wav' : /mp3|mpeg/.test(mediaType ?? '') ? 'mp3' : undefined
  if (format === undefined) throw new RequestProblem(`audio must be WAV or MP3, not ${mediaType ?? 'of an unknown type'}.`)
  return { type: 'input_audio', input_audio: { data: base64, format } }
}

/** The arguments of an earlier call. Always JSON: servers that parse them would reject the whole thread otherwise. */
export const toArguments = (call: ToolCall): string => JSON.stringify(call.raw === undefined ? call.args : { not_json: call.raw })

/** A schema's name as the wire allows it. */
export const toName = (name: string): string => name.replaceAll(/[^\w-]/g, '_').slice(0, 64) || 'output'

/** What the provider itself writes; an option of this name would break the reading of the reply. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['model', 'messages', 'input', 'stream', 'background'])

const merged = (key: string, own: unknown, given: Json): unknown => {
  if (key === 'tools' && Array.isArray(own) && Array.isArray(given)) return [...(own as unknown[]), ...(given as unknown[])]
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject(own) && isObject(given) ? { ...own, ...given } : given
}

/** Adds the author's options: lists of tools are joined, objects merged, everything else replaced. */
export const withOptions = (body: Body, options: { readonly [key: string]: Json } = {}): Body => {
  const refused = Object.keys(options).filter((key) => OWN_FIELDS.has(key))
  if (refused.length > 0) throw new RequestProblem(`providerOptions may not set ${refused.join(', ')}.`)
  const added = Object.entries(options).map(([key, value]) => [key, merged(key, body[key], value)])
  return { ...body, ...(Object.fromEntries(added) as Body) }
}
