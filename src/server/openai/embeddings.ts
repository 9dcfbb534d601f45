// The door for clients of OpenAI's embeddings: each request is a run of its alias like any other call, so retries, the
// circuit, limits, budgets, prices and the cache apply. Invariant: one vector for each text, in the order of the texts.
// @see https://platform.openai.com/docs/api-reference/embeddings
import { z } from 'zod'
import { fail } from '../../failure/index.ts'
import { textOf } from '../../prompt/index.ts'
import { unpackVector } from '../../run/index.ts'
import { parseJson, validate } from '../../schema/index.ts'
import type { ServerParts } from '../options.ts'
import type { ServerContext } from '../requests.ts'
import type { Asked } from './answerer.ts'
import { answering, bodyIn, replies, startRuns, type Report } from './door.ts'
import { EMBEDDINGS, refuseParameter, type Body } from './parameters.ts'

/** As many texts as OpenAI takes in one request. */
const MOST_TEXTS = 2_048

const shape = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(MOST_TEXTS)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
})

const isTokens = (input: unknown): boolean => Array.isArray(input) && input.length > 0 && input.every((item) => typeof item === 'number' || Array.isArray(item))

const readRequest = (body: Body): z.infer<typeof shape> => {
  if (isTokens(body['input'])) refuseParameter('input', 'Tokens mean something to one model only. Send the texts; in LangChain set check_embedding_ctx_length to False.')
  const checked = validate<z.infer<typeof shape>>(shape, body)
  if (checked.ok) return checked.value
  const [{ path, message } = { path: '', message: '' }] = checked.issues
  return fail('invalid_request', `This is not a request for embeddings: ${path}: ${message}`, { details: { param: path } })
}

/** Answers `POST /v1/embeddings`. */
export const embeddings = (parts: ServerParts, context: ServerContext, report: Report): Promise<Response> =>
  answering(parts, report, async (headersAre) => {
    const body = await bodyIn(parts, context)
    const { model, input, encoding_format: encoding } = readRequest(body)
    if (parts.chats.has(model)) refuseParameter('model', `${JSON.stringify(model)} is an agent, and an agent has no embeddings. Call a model alias for them.`)
    const texts = typeof input === 'string' ? [input] : input
    // An embedding has no output, so nothing is held back for one.
    const request = { embeds: true, params: { maxOutputTokens: 0 } }
    const asked: Asked = { model, messages: texts.map((content) => ({ role: 'user', content })), request, count: 1, stream: false, body }
    const runs = await startRuns(parts, context, asked, EMBEDDINGS)
    headersAre(runs.headers)
    const [reply] = await replies(runs, context)
    const parsed = parseJson(textOf(reply?.message.content ?? ''))
    if (!parsed.ok) throw new TypeError('A run that embeds gave no list of vectors.')
    const vectors = parsed.value as readonly string[]
    const tokens = reply?.usage?.inputTokens ?? 0
    const data = vectors.map((packed, index) => ({ object: 'embedding', index, embedding: encoding === 'base64' ? packed : unpackVector(packed) }))
    return Response.json({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }, { headers: runs.headers })
  })
