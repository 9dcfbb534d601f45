// Run events for any number of readers: each has its own bounded buffer, so a slow reader loses deltas, never order.
import type { RunEvent } from './run-event.ts'

/** Events a reader may fall behind before deltas are left out. */
const BUFFER = 10_000

/** Events kept for readers that come late. */
const KEPT = 2_000

/** Hands events to readers. A reader that comes late gets what is still kept, then goes on live. */
export class EventStream {
  /** Keeps deltas too, and counts as watched from the start. */
  readonly #stream: boolean
  readonly #kept: RunEvent[] = []
  readonly #readers = new Set<{ readonly buffer: RunEvent[]; wake: () => void }>()
  #closed = false

  constructor(stream = false) {
    this.#stream = stream
  }

  /** True when somebody reads, or said that they will. */
  get watched(): boolean {
    return this.#stream || this.#readers.size > 0
  }

  push(event: RunEvent): void {
    if (this.#kept.length < KEPT && (this.#stream || event.type !== 'token.delta')) this.#kept.push(event)
    for (const reader of this.#readers) {
      if (reader.buffer.length >= BUFFER && event.type === 'token.delta') continue
      reader.buffer.push(event)
      reader.wake()
    }
  }

  /** What is still kept, oldest first. */
  get kept(): readonly RunEvent[] {
    return this.#kept
  }

  close(): void {
    this.#closed = true
    for (const reader of this.#readers) reader.wake()
  }

  /** Events until the stream closes. */
  async *read(): AsyncGenerator<RunEvent, void, undefined> {
    const reader = { buffer: [...this.#kept], wake: (): void => {} }
    this.#readers.add(reader)
    try {
      for (;;) {
        const event = reader.buffer.shift()
        if (event !== undefined) yield event
        else if (this.#closed) return
        else
          await new Promise<void>((resolve) => {
            reader.wake = resolve
            if (this.#closed || reader.buffer.length > 0) resolve()
          })
      }
    } finally {
      this.#readers.delete(reader)
    }
  }
}
