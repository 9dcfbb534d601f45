// The page's line to its server. Invariant: the token is sent as a header only, never in an address, so it cannot end up in
// logs or in what other pages see.
import type { Aggregate, Comparison, Overview, Problem, StreamMessage } from './wire.ts'

const KEPT = 'stateloop.inspector.token'

/** Takes the token from the address, and hides it there. Kept for reloads of this tab. */
export const takeToken = (): string => {
  const given = location.hash.slice(1)
  if (/^[\w-]{20,}$/.test(given)) {
    sessionStorage.setItem(KEPT, given)
    history.replaceState(null, '', location.pathname)
  }
  return sessionStorage.getItem(KEPT) ?? ''
}

/** What the server refused, with its words. */
export class Refused extends Error {
  /** What is wrong with a value that was sent, place by place. */
  readonly problems: readonly Problem[]

  constructor(message: string, problems: readonly Problem[]) {
    super(message)
    this.problems = problems
  }
}

const refusedBy = async (response: Response): Promise<Refused> => {
  const body = (await response.json().catch(() => undefined)) as { readonly error?: { readonly code?: string; readonly message?: string; readonly details?: { readonly issues?: readonly Problem[] } } } | undefined
  return new Refused(`${body?.error?.code ?? response.status}: ${body?.error?.message ?? response.statusText}`, body?.error?.details?.issues ?? [])
}

/** Splits a stream of server-sent events into their data, with the last id. */
const eventsOf = async function* (body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<{ readonly id: string | undefined; readonly name: string; readonly data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  const parts: string[] = []
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    parts.push(value)
    if (!value.includes('\n\n') && !(parts.at(-2) ?? '').endsWith('\n')) continue
    const blocks = parts.splice(0).join('').split('\n\n')
    parts.push(blocks.pop() ?? '')
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      const data = fields.get('data')
      if (data !== undefined) yield { id: fields.get('id'), name: fields.get('event') ?? '', data }
    }
  }
}

/** Asks the server. */
export class Api {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${this.#token}` } })
    if (!response.ok) throw await refusedBy(response)
    return response
  }

  async #get<T>(path: string): Promise<T> {
    return (await (await this.#fetch(path)).json()) as T
  }

  overview(): Promise<Overview> {
    return this.#get('/api/overview')
  }

  aggregate(agent: string): Promise<Aggregate> {
    return this.#get(`/api/aggregate?agent=${encodeURIComponent(agent)}`)
  }

  compare(left: string, right: string): Promise<Comparison> {
    return this.#get(`/api/compare?left=${encodeURIComponent(left)}&right=${encodeURIComponent(right)}`)
  }

  async post(run: string, verb: 'send' | 'cancel', body: object): Promise<void> {
    await this.#fetch(`/api/runs/${encodeURIComponent(run)}/${verb}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  }

  /**
   * Follows a run until it ends or `signal` aborts, and comes back after the last step it has when the line breaks.
   * @param take gets each message; must not throw.
   * @param lost is told when the line broke, with what the server said.
   */
  async follow(run: string, signal: AbortSignal, take: (message: StreamMessage) => void, lost: (reason: string | undefined) => void): Promise<void> {
    let last = '-1'
    for (let waitMs = 500; !signal.aborted; waitMs = Math.min(waitMs * 2, 8_000)) {
      try {
        const { body } = await this.#fetch(`/api/runs/${encodeURIComponent(run)}/stream`, { signal, headers: { 'last-event-id': last } })
        if (body === null) return
        lost(undefined)
        for await (const { id, name, data } of eventsOf(body)) {
          if (name === 'broken') return lost((JSON.parse(data) as { readonly message: string }).message)
          const message = JSON.parse(data) as StreamMessage
          last = id ?? last
          waitMs = 500
          take(message)
          if (message.type === 'end') return
        }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Refused) return lost(error.message)
        lost('The inspector does not answer; trying again.')
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }
}
