// The body of a request as JSON. Invariant: nothing is read beyond the limit, and nothing reaches the runtime that is not
// plain data.
import type { z } from 'zod'
import type { Json } from '../failure/index.ts'
import { formatIssues, parseJson, validate } from '../schema/index.ts'
import { Refusal, refuse } from './problem.ts'

const readText = async (request: Request, mostBytes: number): Promise<string> => {
  const tooLarge = (): never => refuse('request_too_large', `The body is larger than ${mostBytes} bytes. Send less, or raise limits.bodyBytes of the server.`, { details: { mostBytes } })
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) tooLarge()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  try {
    for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += piece.length
      if (bytes > mostBytes) tooLarge()
      text += decoder.decode(piece, { stream: true })
    }
    return text + decoder.decode()
  } catch (error) {
    if (error instanceof Refusal) throw error
    return refuse('usage', 'The body is not UTF-8, or it ended early. Send JSON as UTF-8.')
  }
}

/**
 * Reads a body as JSON; an empty one is `{}`.
 * @throws Refusal `usage` for another media type or text that is no JSON, `request_too_large`.
 */
export const readJson = async (request: Request, mostBytes: number): Promise<Json> => {
  if (request.headers.has('content-encoding')) refuse('usage', 'The body is encoded. Send it as it is: nothing is unpacked here.', { status: 415 })
  const text = await readText(request, mostBytes)
  if (text === '') return {}
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') refuse('usage', `The body is ${type === '' ? 'of no media type' : JSON.stringify(type)}. Send JSON with \`content-type: application/json\`.`, { status: 415 })
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : refuse('usage', `The body cannot be used: ${formatIssues(parsed.issues)}.`)
}

/** Reads a body of a given shape. @throws Refusal `usage`, `request_too_large`. */
export const readBody = async <T>(request: Request, mostBytes: number, shape: z.ZodType<T>): Promise<T> => checkShape(shape, await readJson(request, mostBytes), 'body')

/** Holds a part of a request to a shape. @throws Refusal `usage`. */
export const checkShape = <T>(shape: z.ZodType<T>, value: unknown, what: string): T => {
  const checked = validate<T>(shape, value)
  return checked.ok ? checked.value : refuse('usage', `The ${what} does not match: ${formatIssues(checked.issues)}.`)
}
