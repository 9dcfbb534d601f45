// A server with agents that need no network, called as its clients call it: by requests.
import { agent, createRuntime, defineTool, fakeClock, replyCalls, replyText, scripted, type AnyAgent, type Clock, type FakeClock, type ModelRequest, type RunEvent, type Runtime, type ScriptedReply } from 'stateloop'
import { createServer, type Server, type ServerOptions } from 'stateloop/server'
import { z } from 'zod'

export const TOKEN = 'a-token-for-the-tests'

export const weather = agent({
  id: 'weather',
  model: 'openai/gpt-5-mini',
  prompt: 'Answer questions about the weather.',
  tools: { getWeather: defineTool({ description: 'Says what the weather is.', input: z.object({ city: z.string() }), run: ({ city }) => ({ city, sky: 'rain' }) }) },
})

export const payer = agent({
  id: 'payer',
  model: 'openai/gpt-5-mini',
  prompt: 'Pay what is asked for.',
  tools: { pay: defineTool({ description: 'Pays.', input: z.object({ amount: z.number() }), effect: 'irreversible', run: ({ amount }) => ({ paid: amount }) }) },
})

/** Calls the one tool that is offered, then says what it gave. */
export const obedient = (request: ModelRequest): ScriptedReply => {
  const last = request.messages.at(-1)
  if (last?.role === 'tool') return replyText(`The tool said: ${typeof last.content === 'string' ? last.content : ''}`)
  const [tool] = request.tools ?? []
  if (tool === undefined) return replyText('There is no tool.')
  return replyCalls({ name: tool.name, args: tool.name === 'pay' ? { amount: 3 } : { city: 'Bern' } })
}

/** How a response ended. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

/** A server and its runtime. */
export interface TestServer {
  readonly server: Server
  readonly runtime: Runtime
  readonly clock: Clock
  /** Sends a request with the token, and reads the answer as JSON. */
  readonly call: (method: string, path: string, body?: unknown, headers?: { readonly [name: string]: string }) => Promise<Answered>
  /** Opens a stream of events. */
  readonly open: (path: string, init?: RequestInit) => Promise<Response>
}

export type TestServerOptions = Partial<Omit<ServerOptions, 'runtime'>> & {
  readonly runtime?: Parameters<typeof createRuntime>[0]
  readonly rules?: (request: ModelRequest) => ScriptedReply
  /** The model costs something. */
  readonly priced?: boolean
}

/** Makes a server for `weather` and `payer`. */
export const testServer = ({ runtime: runtimeOptions, priced = false, rules = obedient, agents = [weather, payer] as readonly AnyAgent[], ...options }: TestServerOptions = {}): TestServer => {
  const clock = options.clock ?? fakeClock()
  const runtime = createRuntime({ clock, providers: [{ ...scripted({ id: 'openai', rules, clock }), ...(priced ? { price: { inputUsd: 1, outputUsd: 2 } } : {}) }], agents, ...runtimeOptions })
  const server = createServer({ runtime, agents, token: TOKEN, clock, ...options })
  const open = (path: string, init: RequestInit = {}): Promise<Response> => server.fetch(new Request(`http://test${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...(init.headers as object) } }))
  return {
    server,
    runtime,
    clock,
    open,
    call: async (method, path, body, headers = {}) => {
      const response = await open(path, {
        method,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
    },
  }
}

/** An event with the id it came under. */
export interface Told {
  readonly id?: string
  readonly event: RunEvent
}

/** Events of a stream up to the one that `last` names, or to its end. */
export const readEvents = async (response: Response, last: (told: Told) => boolean = () => false): Promise<readonly Told[]> => {
  const all: Told[] = []
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return all
    text += decoder.decode(value, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data === undefined) continue
      const id = /^id: (.*)$/m.exec(block)?.[1]
      all.push({ event: JSON.parse(data) as RunEvent, ...(id === undefined ? {} : { id }) })
      if (last(all.at(-1) as Told)) {
        await reader.cancel()
        return all
      }
    }
  }
}

/** Asks for as long as the fake clock must run for it. */
export const withTime = async <T>(clock: FakeClock, work: Promise<T>, stepMs = 50): Promise<T> => {
  let done = false
  const finished = work.finally(() => (done = true))
  for (let steps = 0; !done && steps < 10_000; steps++) await clock.advance(stepMs)
  return finished
}
