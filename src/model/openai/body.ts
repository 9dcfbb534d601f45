// The body of a reply as text, never more of it than the size limit allows. Invariant: memory stays flat however much
// the other side sends, and a body that was read to its end leaves its connection reusable.
import type { Clock } from '../../clock/index.ts'
import { bodyFault, type NetworkFault } from './network.ts'

/** Default size limit of a reply, bytes after decompression. */
export const MAX_REPLY_BYTES = 10_000_000

/** Why a body could not be read on. */
export class BodyError extends Error {
  /** Undefined when the body is too large. */
  readonly fault: NetworkFault | undefined
  constructor(fault: NetworkFault | undefined) {
    super(fault?.message ?? 'too large')
    this.fault = fault
  }
}

/** Reads a body piece by piece. */
export interface BodyReader {
  /** The next piece; undefined at the end. @throws BodyError */
  next(): Promise<string | undefined>
  /** Stops reading; closes the connection unless the end was reached. */
  discard(): void
  /** Reads what is left in the background, for a moment, so that the connection can be used again. */
  drain(clock: Clock): void
}

/** How long the rest of a reply is waited for once everything that matters is known. */
const PATIENCE_MS = 1000

/** Opens the body of a response. A response without one reads as empty. */
export const readBody = (body: ReadableStream<Uint8Array> | null, maxBytes: number): BodyReader => {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let bytes = 0
  let ended = false
  const next = async (): Promise<string | undefined> => {
    if (reader === undefined || ended) return undefined
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new BodyError(bodyFault(error))
    })
    if (done) {
      ended = true
      const rest = decoder.decode()
      return rest === '' ? undefined : rest
    }
    bytes += value.byteLength
    if (bytes > maxBytes) throw new BodyError(undefined)
    return decoder.decode(value, { stream: true })
  }
  const discard = (): void => {
    if (!ended) reader?.cancel().catch(() => undefined)
  }
  return {
    next,
    discard,
    drain(clock) {
      const cancel = clock.timer(PATIENCE_MS, discard, true)
      const rest = async (): Promise<void> => {
        while ((await next()) !== undefined);
      }
      rest().catch(discard).finally(cancel)
    },
  }
}

/** The whole body as text. @throws BodyError */
export const readWhole = async (body: BodyReader): Promise<string> => {
  const pieces: string[] = []
  for (let piece = await body.next(); piece !== undefined; piece = await body.next()) pieces.push(piece)
  return pieces.join('')
}

/** The beginning of a body: what could be read of it within the size limit and a second. Never throws. */
export const readBeginning = async (body: BodyReader, clock: Clock): Promise<string> => {
  const pieces: string[] = []
  const cancel = clock.timer(PATIENCE_MS, body.discard, true)
  try {
    for (let piece = await body.next(); piece !== undefined; piece = await body.next()) pieces.push(piece)
  } catch {
    body.discard()
  }
  cancel()
  return pieces.join('')
}
