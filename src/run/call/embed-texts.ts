// Embeddings as a model call, so that cache, budget, limiter, circuit, retries and the bill are those of every other call.
// Invariant: the reply holds one vector for each text, in their order.
import { failure } from '../../failure/index.ts'
import { ModelCallError, type ModelIo, type ModelProvider, type ModelReply, type ModelRequest } from '../../model/index.ts'
import { textOf } from '../../prompt/index.ts'

/** A vector as 32-bit floats, little-endian, in base64: a quarter of its size as digits. */
const pack = (vector: readonly number[]): string => Buffer.from(Float32Array.from(vector).buffer).toString('base64')

/** The numbers of a packed vector. */
export const unpackVector = (packed: string): readonly number[] => {
  const bytes = Buffer.from(packed, 'base64')
  return Array.from({ length: bytes.length / Float32Array.BYTES_PER_ELEMENT }, (_none, at) => bytes.readFloatLE(at * Float32Array.BYTES_PER_ELEMENT))
}

/** The vectors that the text of a reply holds. */
export const vectorsIn = (text: string): readonly (readonly number[])[] => (JSON.parse(text) as readonly string[]).map(unpackVector)

/**
 * Embeds the text of each message. The text of the reply is a JSON list of packed vectors.
 * @throws ModelCallError as `call` of a provider does; `invalid_request` for one that cannot embed.
 */
export const embedTexts = async (provider: ModelProvider, { model, messages, providerOptions }: ModelRequest, io: ModelIo): Promise<ModelReply> => {
  if (provider.embed === undefined) throw new ModelCallError(failure('invalid_request', `Asked ${provider.id} to embed texts, but it cannot. Use a provider that has embeddings, such as openai().`))
  const texts = messages.map(({ content }) => textOf(content))
  const { vectors, usage } = await provider.embed({ model, texts, ...(providerOptions === undefined ? {} : { providerOptions }) }, io)
  return { message: { role: 'assistant', content: JSON.stringify(vectors.map(pack)) }, finish: 'stop', usage, model }
}
