// Embeddings: one vector of numbers for each text, in the order of the texts.
import type { Usage } from '../../cost/index.ts'
import { embeddedError } from './error-body.ts'
import { asFields, field, list, name, text, type Fields } from './fields.ts'
import type { Reporter } from './report.ts'

const BYTES = Float32Array.BYTES_PER_ELEMENT

/** Numbers that came as the bytes of 32-bit floats. */
const unpack = (base64: string): readonly number[] => {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: Math.floor(bytes.length / BYTES) }, (_none, at) => bytes.readFloatLE(at * BYTES))
}

const vectorOf = (item: Fields | undefined): readonly number[] | undefined => {
  const packed = text(item, 'embedding')
  const vector = packed === undefined ? list(item, 'embedding') : unpack(packed)
  return vector.length > 0 && vector.every((value): value is number => typeof value === 'number' && Number.isFinite(value)) ? vector : undefined
}

/** Reads the reply to a request for `count` embeddings. @throws ModelCallError */
export const readEmbeddings = (body: unknown, count: number, report: Reporter): { readonly vectors: readonly (readonly number[])[]; readonly usage: Usage | null } => {
  const reply = asFields(body)
  if (reply === undefined) throw report.malformed('the reply is JSON, but not an object.')
  const spent = field(reply, 'usage')?.['prompt_tokens']
  const usage = typeof spent === 'number' && Number.isSafeInteger(spent) && spent >= 0 ? { inputTokens: spent, outputTokens: 0 } : null
  const known = { usage, model: name(reply, 'model') ?? '' }
  const error = embeddedError(reply)
  if (error !== undefined) throw report.embedded(error, known)
  const items = list(reply, 'data').map(asFields)
  const sorted = items.toSorted((a, b) => Number(a?.['index'] ?? 0) - Number(b?.['index'] ?? 0))
  const vectors = sorted.map(vectorOf)
  if (vectors.length !== count || !vectors.every((vector) => vector !== undefined)) throw report.malformed(`it should hold ${count} embeddings, and does not.`, known)
  return { vectors, usage }
}
