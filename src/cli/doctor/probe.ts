// Tries what a server can do with three small calls: structured output, a tool, a stream. Invariant: each call has limits in
// time and tokens, and goes the way that a run's calls go.
import { systemClock } from '../../clock/index.ts'
import { fail } from '../../failure/index.ts'
import type { ModelProvider, ModelReply, ModelRequest } from '../../model/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import { textOf } from '../../prompt/index.ts'
import { parseJson } from '../../schema/index.ts'
import { failureFrom } from '../exit-code.ts'
import { broken, ok, warning, type Check } from './check.ts'

const LIMITS = timeoutsOf({ connectMs: 5_000, firstTokenMs: 30_000, idleMs: 10_000, totalMs: 40_000 })
// Models that reason spend some of this before they answer.
const MOST_OUTPUT_TOKENS = 1_024

const WORD = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'], additionalProperties: false } as const

/** One thing to try. */
interface Trial {
  readonly what: string
  readonly ask: string
  readonly extra: Pick<ModelRequest, 'output' | 'tools' | 'toolChoice'>
  readonly streamed?: true
  /** Whether the reply shows it, given how many pieces of text came before the end. */
  readonly shown: (reply: ModelReply, pieces: number) => boolean
}

const hasWord = ({ message }: ModelReply): boolean => {
  const parsed = parseJson(textOf(message.content))
  return parsed.ok && typeof parsed.value === 'object' && parsed.value !== null && 'word' in parsed.value && typeof parsed.value.word === 'string'
}

const TRIALS: readonly Trial[] = [
  { what: 'structured output', ask: 'Answer with the word blue.', extra: { output: { name: 'answer', schema: WORD } }, shown: hasWord },
  {
    what: 'tools',
    ask: 'Call the tool say with the word blue.',
    extra: { tools: [{ name: 'say', description: 'Says a word.', parameters: WORD }], toolChoice: 'required' },
    shown: ({ message }) => message.calls?.[0]?.name === 'say',
  },
  { what: 'streaming', ask: 'Answer with the word blue.', extra: {}, streamed: true, shown: (_reply, pieces) => pieces > 0 },
]

/** What came of a trial, and whether the reply counted its tokens; undefined when there was none. */
interface Tried {
  readonly check: Check
  readonly counted?: boolean
}

const attempt = async (provider: ModelProvider, model: string, { what, ask, extra, streamed, shown }: Trial): Promise<Tried> => {
  const place = `${provider.id}/${model}`
  let pieces = 0
  try {
    const request: ModelRequest = { model, messages: [{ role: 'user', content: ask }], params: { maxOutputTokens: MOST_OUTPUT_TOKENS }, ...extra }
    const onDelta = streamed === true ? { onDelta: () => void pieces++ } : {}
    const reply = await provider.call(request, { signal: AbortSignal.timeout(LIMITS.totalMs), timeouts: LIMITS, key: systemClock.id(), ...onDelta })
    const check = shown(reply, pieces) ? ok('probe', `${place}: ${what} works`) : warning('probe', `${place}: ${what} was asked for, but the reply had none. States that need it will fail or repair.`)
    return { check, counted: reply.usage !== null }
  } catch (thrown) {
    const { code, message } = failureFrom(thrown)
    return { check: code === 'invalid_request' ? warning('probe', `${place}: the server refuses ${what}: ${message}`) : broken('probe', `${place}: ${what} failed: ${message}`) }
  }
}

const checkCounts = (place: string, uncounted: readonly string[]): Check =>
  uncounted.length === 0
    ? ok('probe', `${place}: tokens are counted`)
    : warning('probe', `${place}: no tokens were counted with ${uncounted.join(', ')}. Such calls are billed as what was held for them, and marked as estimated.`)

/**
 * Tries a model, named as `provider/model`.
 * @throws FailureError `usage` when no provider has that prefix.
 */
export const probeModel = async (providers: readonly ModelProvider[], name: string): Promise<readonly Check[]> => {
  const [prefix = '', ...rest] = name.split('/')
  const provider = providers.find(({ id }) => id === prefix)
  if (provider === undefined || rest.length === 0) return fail('usage', `--probe ${name} names no model of a provider. Write provider/model, with one of these providers: ${providers.map(({ id }) => id).join(', ')}.`)
  const tried: Tried[] = []
  for (const trial of TRIALS) tried.push(await attempt(provider, rest.join('/'), trial))
  const uncounted = TRIALS.filter((_trial, at) => tried[at]?.counted === false).map(({ what }) => what)
  const answered = tried.some(({ counted }) => counted !== undefined)
  return [...tried.map(({ check }) => check), ...(answered ? [checkCounts(name, uncounted)] : [])]
}
