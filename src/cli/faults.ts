// Bad weather to watch an agent in: its offline model behind a loopback server that misbehaves the way real providers do.
// Invariant: what fails is the wire, never the agent, so everything seen here happens the same way in production.
import { fail } from '../failure/index.ts'
import { openai, type ModelProvider } from '../model/index.ts'
import { faultServer, scriptedServer, type Fault, type RecordedRequest } from '../testing/index.ts'

/** What the server does with one call. */
type Mood = 'answers' | 'limits' | 'cuts' | 'refuses' | 'is out of quota'

/** One run under faults. */
export interface FaultScenario {
  readonly name: string
  /** One for each call in order; later calls are answered. */
  readonly moods: readonly Mood[]
}

/** What a newcomer is shown, in this order: the last one leaves the circuit open. */
export const FAULT_SCENARIOS: readonly FaultScenario[] = [
  { name: 'the provider limits the first call (429, Retry-After) and cuts the third reply in the middle', moods: ['limits', 'answers', 'cuts'] },
  { name: 'the model refuses to answer', moods: ['answers', 'refuses'] },
  { name: 'the account is out of quota, so the circuit opens and later calls are not even tried', moods: ['is out of quota'] },
]

/** A server under faults. */
export interface FaultyServer extends AsyncDisposable {
  readonly provider: ModelProvider
  readonly begin: (scenario: FaultScenario) => void
}

const RETRY_AFTER_MS = 700

const errorOf = (message: string, code: string): string => JSON.stringify({ error: { message, type: code, code } })

const refusalOf = ({ body }: RecordedRequest): Fault => {
  const refusal = "I'm sorry, I can't help with that."
  const usage = { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49 }
  const common = { id: 'offline', created: 0, model: 'offline' }
  if ((JSON.parse(body) as { readonly stream?: boolean }).stream !== true) {
    return { body: JSON.stringify({ ...common, object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: null, refusal }, finish_reason: 'stop' }], usage }) }
  }
  const chunk = (delta: object, finish: string | null): object => ({ ...common, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })
  const parts = [chunk({ role: 'assistant', refusal }, null), chunk({}, 'stop'), { ...common, object: 'chat.completion.chunk', choices: [], usage }]
  return { body: [...parts.map((part) => `data: ${JSON.stringify(part)}\n\n`), 'data: [DONE]\n\n'] }
}

/** Asks the server behind. */
const forwarded = async (url: string, { path, body }: RecordedRequest): Promise<Fault> => {
  const response = await fetch(new URL(path, url), { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return { status: response.status, headers: { 'content-type': response.headers.get('content-type') ?? 'application/json' }, body: await response.text() }
}

const perform = async (mood: Mood, url: string, request: RecordedRequest): Promise<Fault> => {
  switch (mood) {
    case 'answers':
      return forwarded(url, request)
    case 'limits':
      return { status: 429, headers: { 'retry-after-ms': String(RETRY_AFTER_MS) }, body: errorOf('Too many requests.', 'rate_limit_exceeded') }
    case 'is out of quota':
      return { status: 429, body: errorOf('You exceeded your current quota.', 'insufficient_quota') }
    case 'refuses':
      return refusalOf(request)
    case 'cuts': {
      const whole = await forwarded(url, request)
      return { ...whole, cut: { atByte: Math.floor(Buffer.byteLength(whole.body as string) / 2), how: 'close' } }
    }
  }
}

/**
 * Puts an agent's offline model behind such a server.
 * @throws FailureError `usage` when the agent has none.
 */
export const faultyServer = async (offline: ModelProvider | undefined): Promise<FaultyServer> => {
  if (offline === undefined) return fail('usage', 'Only an agent whose module exports an offline model can be run with --faults: export const offline = scripted({ rules }).')
  let moods: readonly Mood[] = []
  const behind = await scriptedServer({ provider: offline })
  const front = await faultServer({
    faults: [
      (request) => {
        const [mood = 'answers', ...rest] = moods
        moods = rest
        return perform(mood, behind.url, request)
      },
    ],
  })
  return {
    provider: openai({ id: offline.id, baseURL: front.url, apiKey: 'offline' }),
    begin: (scenario) => {
      moods = scenario.moods
    },
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]()
      await behind.close()
    },
  }
}
