// The door as a program meets it: OpenAI's own SDK, over a socket.
import OpenAI from 'openai'
import type { ModelRequest, ScriptedReply } from 'stateloop'
import { listen } from 'stateloop/server'
import { testServer, TOKEN, type TestServer, type TestServerOptions } from './world.ts'

/** A server, and a client of it. */
export interface Door extends TestServer, AsyncDisposable {
  readonly client: OpenAI
  readonly url: string
  /** What the provider was asked. */
  readonly asked: readonly ModelRequest[]
}

/** Opens a door whose model alias is called `fast`. */
export const openDoor = async ({ rules, ...options }: TestServerOptions & { readonly rules: (request: ModelRequest) => ScriptedReply }, headers: Record<string, string> = {}): Promise<Door> => {
  const asked: ModelRequest[] = []
  const made = testServer({
    models: { fast: 'openai/gpt-5-mini' },
    rules: (request) => {
      asked.push(structuredClone(request))
      return rules(request)
    },
    ...options,
  })
  const listening = await listen(made.server, { port: 0 })
  const client = new OpenAI({ apiKey: TOKEN, baseURL: `${listening.url}/v1`, maxRetries: 0, defaultHeaders: headers })
  return { ...made, client, url: listening.url, asked, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() }
}

/** What a call was refused with. */
export const refusalOf = async (call: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
  try {
    await call
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error
    throw error
  }
  throw new Error('It was not refused.')
}
