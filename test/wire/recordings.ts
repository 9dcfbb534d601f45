// Recorded traffic and an independent reading of it: nothing here uses the code under test. What a recording should give
// is derived from its bytes by simpler means than a provider's (split by lines, join the deltas).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** One exchange as recorded. */
export interface Recording {
  readonly file: string
  readonly line: number
  readonly api: string
  readonly request: { readonly url: string; readonly body: { readonly [key: string]: unknown } | null }
  readonly response: { readonly status: number; readonly headers: { readonly [name: string]: string }; readonly body: string }
}

/** What a recording should give. */
export type Expected =
  | { readonly kind: 'failure'; readonly codes: readonly string[] }
  | {
      readonly kind: 'reply'
      readonly text: string
      readonly refusal: string
      readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
      readonly finish: string
      readonly usage: { readonly [name: string]: number } | null
      readonly model: string
    }

const root = join(import.meta.dirname, '..', '..')

/** The sample that comes with the repository, and the large collection beside it where there is one. */
export const sampleFolder = join(root, 'test', 'fixtures', 'wire')
export const sharedFolder = join(root, '..', 'shared', 'wire')
export const hasShared = existsSync(sharedFolder)

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : entry.name.endsWith('.jsonl') ? [join(folder, entry.name)] : []))
    .toSorted()

const readFile = (folder: string, path: string): readonly Recording[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, at) => ({ ...(JSON.parse(line) as Recording), file: relative(folder, path), line: at + 1 }))

/** Recordings of a folder, one list per file. */
const recordingsIn = (folder: string): readonly (readonly [file: string, recordings: readonly Recording[]])[] => filesBelow(folder).map((path) => [relative(folder, path), readFile(folder, path)])

/** All there are: the sample always, the large collection where it exists. */
export const allRecordings = (): readonly (readonly [file: string, recordings: readonly Recording[]])[] => [...recordingsIn(sampleFolder), ...(hasShared ? recordingsIn(sharedFolder) : [])]

export const isStream = ({ response }: Recording): boolean => (response.headers['content-type'] ?? '').includes('event-stream')

/** Recordings are read without any assumption. */
type Loose = { readonly [key: string]: any }

const failure = (...codes: readonly string[]): Expected => ({ kind: 'failure', codes })

const argsOf = (text: string): unknown => {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

const numbers = (entries: readonly (readonly [string, unknown])[]): { readonly [name: string]: number } => Object.fromEntries(entries.filter((entry): entry is readonly [string, number] => typeof entry[1] === 'number'))

const chatUsage = (usage: Loose | null | undefined): { readonly [name: string]: number } | null =>
  usage
    ? numbers([
        ['inputTokens', usage['prompt_tokens']],
        ['outputTokens', usage['completion_tokens']],
        ['cachedTokens', usage['prompt_tokens_details']?.cached_tokens ?? usage['prompt_cache_hit_tokens'] ?? usage['cached_tokens']],
        ['cacheWriteTokens', usage['prompt_tokens_details']?.cache_write_tokens],
        ['reasoningTokens', usage['completion_tokens_details']?.reasoning_tokens],
      ])
    : null

const responseUsage = (usage: Loose | null | undefined): { readonly [name: string]: number } | null =>
  usage
    ? numbers([
        ['inputTokens', usage['input_tokens']],
        ['outputTokens', usage['output_tokens']],
        ['cachedTokens', usage['input_tokens_details']?.cached_tokens],
        ['cacheWriteTokens', usage['input_tokens_details']?.cache_write_tokens],
        ['reasoningTokens', usage['output_tokens_details']?.reasoning_tokens],
      ])
    : null

const ofStatus = (status: number, body: string): Expected => {
  if (/maximum context length|context_length_exceeded/.test(body)) return failure('context_overflow')
  if (status === 401 || status === 403) return failure('auth_failed')
  if (status === 404 || /"code":\s*"model_not_found"/.test(body)) return failure('model_not_found')
  if (status === 429) return failure(/insufficient_quota/.test(body) ? 'quota_exhausted' : 'rate_limited')
  return status >= 500 ? failure('provider_error', 'overloaded') : failure('invalid_request')
}

const plainText = (content: any): string =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content
          .filter((part) => part.type === 'text')
          .map((part) => part.text)
          .join('')
      : ''

const chatDocument = (body: Loose, asked: string): Expected => {
  const choice = (body['choices'] as readonly Loose[]).find((each) => each['index'] === 0) ?? body['choices'][0]
  const message: Loose = choice.message ?? {}
  const listed: readonly Loose[] = message['tool_calls'] ?? (message['function_call'] ? [{ id: 'call_0', function: message['function_call'] }] : [])
  return {
    kind: 'reply',
    text: plainText(message['content']) || (message['audio']?.transcript ?? ''),
    refusal: message['refusal'] ?? '',
    calls: listed.map((call) => ({ id: call['id'], name: call['function'].name, args: argsOf(call['function'].arguments) })),
    finish: choice.finish_reason === 'function_call' ? 'tool_calls' : choice.finish_reason,
    usage: chatUsage(body['usage']),
    model: body['model'] ?? asked,
  }
}

const dataOf = (body: string): readonly Loose[] =>
  body
    .split('\n')
    .filter((line) => line.startsWith('data:') && !line.includes('[DONE]'))
    .map((line) => JSON.parse(line.slice('data:'.length)) as Loose)

const chatStream = (body: string, asked: string): Expected => {
  const chunks = dataOf(body)
  if (chunks.some((chunk) => chunk['error'])) return failure('provider_error', 'overloaded', 'rate_limited', 'invalid_request')
  const choices = chunks.flatMap((chunk) => (chunk['choices'] ?? []) as readonly Loose[]).filter((choice) => (choice['index'] ?? 0) === 0)
  const finish = choices.map((choice) => choice['finish_reason']).findLast(Boolean)
  if (finish === undefined || !body.includes('data: [DONE]')) return failure('stream_truncated')
  const calls = new Map<number, { id: string; name: string; args: string }>()
  for (const piece of choices.flatMap((choice) => (choice['delta']?.tool_calls ?? []) as readonly Loose[])) {
    const index = piece['index'] ?? calls.size
    const call = calls.get(index) ?? { id: '', name: '', args: '' }
    calls.set(index, {
      id: call.id + (call.id ? '' : (piece['id'] ?? '')),
      name: call.name + (call.name ? '' : (piece['function']?.name ?? '')),
      args: call.args + (piece['function']?.arguments ?? ''),
    })
  }
  return {
    kind: 'reply',
    text: choices.map((choice) => plainText(choice['delta']?.content)).join(''),
    refusal: choices.map((choice) => choice['delta']?.refusal ?? '').join(''),
    calls: [...calls.entries()].toSorted(([a], [b]) => a - b).map(([, call]) => ({ id: call.id, name: call.name, args: argsOf(call.args) })),
    finish,
    usage: chatUsage(chunks.findLast((chunk) => chunk['usage'])?.['usage']),
    model: chunks.findLast((chunk) => chunk['model'])?.['model'] ?? asked,
  }
}

const responseFinish = (response: Loose, hasCalls: boolean): string => {
  if (response['status'] === 'completed') return hasCalls ? 'tool_calls' : 'stop'
  return response['incomplete_details']?.reason === 'content_filter' ? 'content_filter' : 'length'
}

const responseDocument = (body: Loose): Expected => {
  if (body['status'] === 'failed' || body['status'] === 'cancelled') return failure('provider_error', 'rate_limited', 'overloaded')
  if (body['status'] !== 'completed' && body['status'] !== 'incomplete') return failure('malformed_response')
  const output = body['output'] as readonly Loose[]
  const parts = output.filter((item) => item['type'] === 'message').flatMap((item) => item['content'] as readonly Loose[])
  const calls = output.filter((item) => item['type'] === 'function_call')
  return {
    kind: 'reply',
    text: parts.map((part) => (part['type'] === 'output_text' ? part['text'] : '')).join(''),
    refusal: parts.map((part) => (part['type'] === 'refusal' ? part['refusal'] : '')).join(''),
    calls: calls.map((call) => ({ id: call['call_id'], name: call['name'], args: argsOf(call['arguments']) })),
    finish: responseFinish(body, calls.length > 0),
    usage: responseUsage(body['usage']),
    model: body['model'],
  }
}

/** From the deltas, where a provider would rather read the last event. */
const responseStream = (body: string): Expected => {
  const events = dataOf(body)
  const last = events.at(-1) ?? {}
  if (events.some((event) => event['type'] === 'error')) return failure('provider_error', 'rate_limited', 'overloaded', 'invalid_request')
  if (last['type'] === 'response.failed') return failure('provider_error', 'rate_limited', 'overloaded')
  if (last['type'] !== 'response.completed' && last['type'] !== 'response.incomplete') return failure('stream_truncated')
  const joined = (type: string, at?: unknown): string =>
    events
      .filter((event) => event['type'] === type && (at === undefined || event['output_index'] === at))
      .map((event) => event['delta'])
      .join('')
  // One recording was edited by its authors: where the deltas disagree with the event that closes them, that one counts.
  const closed = (at: unknown): string | undefined => events.find((event) => event['type'] === 'response.function_call_arguments.done' && event['output_index'] === at)?.['arguments']
  const added = events.filter((event) => event['type'] === 'response.output_item.added' && event['item'].type === 'function_call')
  return {
    kind: 'reply',
    text: joined('response.output_text.delta'),
    refusal: joined('response.refusal.delta'),
    calls: added.map((event) => ({
      id: event['item'].call_id,
      name: event['item'].name,
      args: argsOf(closed(event['output_index']) || joined('response.function_call_arguments.delta', event['output_index']) || event['item'].arguments),
    })),
    finish: responseFinish(last['response'], added.length > 0),
    usage: responseUsage(last['response'].usage),
    model: last['response'].model,
  }
}

/** What the provider should make of a recording. Traffic of other protocols must be recognised as such. */
export const expectedOf = (recording: Recording): Expected => {
  const { api, response } = recording
  const asked = String(recording.request.body?.['model'] ?? 'unknown')
  if (api !== 'openai.chat' && api !== 'openai.responses') return failure('malformed_response')
  if (response.status >= 400) return ofStatus(response.status, response.body)
  if (isStream(recording)) return api === 'openai.chat' ? chatStream(response.body, asked) : responseStream(response.body)
  const body = JSON.parse(response.body) as Loose
  return api === 'openai.chat' ? chatDocument(body, asked) : responseDocument(body)
}
