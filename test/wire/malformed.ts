// Generates malformed replies from well-formed ones: seeded, so that a seed and a number name one payload for ever.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../src/clock/index.ts'
import { isStream, sampleFolder, type Recording } from './recordings.ts'

/** One malformed reply. */
export interface Payload {
  readonly wire: 'chat' | 'responses'
  readonly streaming: boolean
  readonly status: number
  readonly contentType: string
  readonly body: Uint8Array
  /** Names of the mutations, in order. */
  readonly how: readonly string[]
}

type Random = () => number

const seeds: readonly Recording[] = ['openai.chat.sample.jsonl', 'openai.responses.sample.jsonl']
  .flatMap((file) => readFileSync(join(sampleFolder, file), 'utf8').split('\n'))
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Recording)

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const below = (random: Random, limit: number): number => Math.floor(random() * limit)

const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1e308,
  () => 0.1,
  () => '',
  () => '\ud800',
  () => 'null',
  () => [],
  () => ({}),
  () => [null],
  () => ({ a: [] }),
  () => 'x'.repeat(3000),
  () => ({ prototype: { polluted: true } }),
  () => [[[[[[[[]]]]]]]],
  () => ({ error: { message: 'm' } }),
  () => 'stop',
  () => 'tool_calls',
  () => 2 ** 53,
  () => '[DONE]',
]

/** Replaces, removes or doubles one random node of a JSON document. */
const mutateTree = (random: Random, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || random() < 0.15) return pick(random, VALUES)()
  if (Array.isArray(value)) {
    const items = [...(value as readonly unknown[])]
    if (items.length === 0) return pick(random, VALUES)()
    const at = below(random, items.length)
    const change = random()
    if (change < 0.2) items.splice(at, 1)
    else if (change < 0.4) items.splice(at, 0, items[at])
    else items[at] = mutateTree(random, items[at])
    return items
  }
  const entries = Object.entries(value)
  if (entries.length === 0) return pick(random, VALUES)()
  const at = below(random, entries.length)
  const [key, item] = entries[at] as [string, unknown]
  const change = random()
  if (change < 0.2) entries.splice(at, 1)
  else if (change < 0.3) entries[at] = [pick(random, ['__proto__', 'constructor', 'index', 'error', 'type', 'choices', 'x', '']), item]
  else entries[at] = [key, mutateTree(random, item)]
  return Object.fromEntries(entries)
}

const mutateJsonText = (random: Random, json: string): string => {
  try {
    return JSON.stringify(mutateTree(random, JSON.parse(json)))
  } catch {
    return json
  }
}

const TEXT_MUTATIONS: { readonly [name: string]: (random: Random, body: string, streaming: boolean) => string } = {
  tree: (random, body, streaming) => {
    if (!streaming) return mutateJsonText(random, body)
    const lines = body.split('\n')
    const at = below(random, lines.length)
    const line = lines[at] ?? ''
    if (line.startsWith('data: {')) lines[at] = `data: ${mutateJsonText(random, line.slice(6))}`
    return lines.join('\n')
  },
  cut: (random, body) => body.slice(0, below(random, body.length)),
  remove: (random, body) => {
    const at = below(random, body.length)
    return body.slice(0, at) + body.slice(at + 1 + below(random, 40))
  },
  insert: (random, body) => {
    const at = below(random, body.length)
    return (
      body.slice(0, at) + pick(random, ['\n', '\n\n', '\r', '"', '}', '{', '[', ',', '\\', '\u0000', '\ufeff', 'data: ', 'event: error\n', 'data: [DONE]\n\n', ':', '\\ud800', '{"a":1,"a":2}', '\ud83d']) + body.slice(at)
    )
  },
  duplicateKey: (_random, body) => body.replace(/"(\w+)":/, '"$1":7,"$1":'),
  swapLines: (random, body) => {
    const lines = body.split('\n')
    const from = below(random, lines.length)
    const to = below(random, lines.length)
    const moved = lines[from] ?? ''
    lines[from] = lines[to] ?? ''
    lines[to] = moved
    return lines.join('\n')
  },
  dropLine: (random, body) =>
    body
      .split('\n')
      .toSpliced(below(random, body.split('\n').length), 1)
      .join('\n'),
  repeat: (_random, body) => body + body,
  deep: (random, body) => body.replace(/"content":("[^"]*"|null)/, () => `"content":${'['.repeat(2000 + below(random, 3000))}`),
  deepArguments: (random, body) => body.replace(/"arguments":"[^"]*(\\"[^"]*)*"/, () => `"arguments":"${'['.repeat(500 + below(random, 3000))}"`),
  escapes: (random, body) => body.replaceAll(/[a-z]/g, (letter) => (random() < 0.02 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter)),
  returns: (_random, body) => body.replaceAll('\n', '\r\n'),
  html: () => '<html><body><h1>502 Bad Gateway</h1></body></html>',
  nothing: () => '',
}

const BYTE_MUTATIONS: { readonly [name: string]: (random: Random, body: Uint8Array) => Uint8Array } = {
  flip: (random, body) => body.map((byte) => (random() < 0.003 ? byte ^ (1 << below(random, 8)) : byte)),
  noise: (random) => Uint8Array.from({ length: below(random, 400) }, () => below(random, 256)),
  halfCharacter: (random, body) => Uint8Array.from([...body.slice(0, below(random, body.length)), 0xe2, 0x98]),
}

/** The payload with this number. */
export const malformed = (seed: number, number: number): Payload => {
  const random = seededRandom(seed * 1_000_003 + number)
  // The first numbers of neighbouring seeds are alike.
  for (let skip = 0; skip < 5; skip++) random()
  const base = pick(random, seeds)
  const streaming = random() < 0.05 ? !isStream(base) : isStream(base)
  const how: string[] = []
  let text = base.response.body
  for (let count = 1 + below(random, 3); count > 0; count--) {
    const name = pick(random, random() < 0.4 ? ['tree'] : Object.keys(TEXT_MUTATIONS))
    text = TEXT_MUTATIONS[name]?.(random, text, isStream(base)) ?? text
    how.push(name)
  }
  let body: Uint8Array = Buffer.from(text)
  if (random() < 0.15) {
    const name = pick(random, Object.keys(BYTE_MUTATIONS))
    body = BYTE_MUTATIONS[name]?.(random, body) ?? body
    how.push(name)
  }
  return {
    wire: random() < 0.03 ? pick(random, ['chat', 'responses']) : base.api === 'openai.chat' ? 'chat' : 'responses',
    streaming,
    status: random() < 0.1 ? pick(random, [200, 201, 400, 401, 404, 429, 500, 503, 529]) : base.response.status,
    contentType: random() < 0.1 ? pick(random, ['', 'text/html', 'text/plain', 'application/json', 'text/event-stream']) : (base.response.headers['content-type'] ?? ''),
    body,
    how,
  }
}
