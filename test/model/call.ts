// One model call as tests make it: a small request, an io that waits long, and the failure of a promise that must reject.
import { ModelCallError, type ModelDelta, type ModelIo, type ModelRequest } from '../../src/model/index.ts'

export const ask = (overrides: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'test-model',
  messages: [{ role: 'user', content: 'Hello' }],
  params: { maxOutputTokens: 100 },
  ...overrides,
})

export const patience = { connectMs: 10_000, firstTokenMs: 10_000, idleMs: 10_000, totalMs: 60_000 }

export const io = (overrides: Partial<ModelIo> = {}): ModelIo => ({
  signal: new AbortController().signal,
  timeouts: patience,
  key: 'run/asking#1.1',
  ...overrides,
})

/** An io that listens, and what it heard. */
export const listening = (overrides: Partial<ModelIo> = {}): ModelIo & { readonly heard: readonly ModelDelta[] } => {
  const heard: ModelDelta[] = []
  return { ...io(overrides), onDelta: (delta) => void heard.push(delta), heard }
}

export const rejection = async (promise: Promise<unknown>): Promise<ModelCallError> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof ModelCallError) return error
    throw error
  }
  throw new Error('the call succeeded, but should have failed')
}

/** A chat completion as a server writes it. */
export const completion = (message: object = { role: 'assistant', content: 'Hi.' }, finish = 'stop', extra: object = {}): string =>
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'test-model-1',
    choices: [{ index: 0, message, finish_reason: finish }],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
    ...extra,
  })

/** Events of a stream as a server writes them. */
export const events = (...data: readonly (object | string)[]): string => data.map((item) => `data: ${typeof item === 'string' ? item : JSON.stringify(item)}\n\n`).join('')

export const chunk = (delta: object, finish: string | null = null, extra: object = {}): object => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'test-model-1',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...extra,
})

export const usageChunk = {
  id: 'c1',
  object: 'chat.completion.chunk',
  model: 'test-model-1',
  choices: [],
  usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
}
