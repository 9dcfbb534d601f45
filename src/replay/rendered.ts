// The messages that a prompt put into a thread, as opposed to what models and tools said. They are the part of a request
// that no entry holds. Invariant: each message is given once, with the first ask after it came.
import type { Message } from '../prompt/index.ts'
import type { ModelAsk } from '../run/index.ts'

/** Gives the rendered messages that came into an ask's thread since the last ask of that thread. */
export const renderedReader = (): ((ask: ModelAsk) => readonly Message[]) => {
  const seen = new Map<ModelAsk['thread'], number>()
  return ({ thread }) => {
    const from = seen.get(thread) ?? 0
    seen.set(thread, thread.messages.length)
    return thread.messages.slice(from).filter(({ role }) => role === 'system' || role === 'user')
  }
}
