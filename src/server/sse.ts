// A feed as server-sent events. Invariant: an event is written when the client has taken the one before it, so what a slow
// client has not read stays in the feed and is never copied.
// @see https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { Clock } from '../clock/index.ts'
import type { Cursor, FeedReader, Frame } from './feed.ts'

/** How often an idle stream says that it is alive, milliseconds. */
const HEARTBEAT_MS = 15_000

const encoder = new TextEncoder()
const HEARTBEAT = encoder.encode(':\n\n')
/** Sent first: when to come back after the stream broke, milliseconds. */
const OPENING = encoder.encode('retry: 1000\n\n')

/** Headers of every event stream. `x-accel-buffering` asks proxies to pass events on at once. */
export const EVENT_STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } as const

/** An event on the wire. Those that no entry holds carry no id, so a client comes back to the last entry. */
const encode = (frame: Frame): Uint8Array => (frame.bytes ??= encoder.encode(`${frame.id === undefined ? '' : `id: ${frame.id}\n`}data: ${JSON.stringify(frame.event)}\n\n`))

/** What a stream is made of. */
export interface StreamParts {
  readonly reader: FeedReader
  readonly clock: Clock
  readonly stalledMs: number
  /** Called once, when the stream is over, however it ended. */
  readonly onClose: () => void
  /** Breaks the connection of a client that reads no more. Without it the stream only fails. */
  readonly abandon?: (() => void) | undefined
  /** Of the request: a client that is gone before its stream is read ends it as well. */
  readonly signal?: AbortSignal | undefined
}

/** Reads what a client was sent last: `17.2`. @returns undefined for what is no such id. */
export const parseCursor = (text: string | null | undefined): Cursor | undefined => {
  const [, seq, index] = /^(\d{1,9})\.(\d{1,9})$/.exec(text ?? '') ?? []
  return seq === undefined || index === undefined ? undefined : { seq: Number(seq), index: Number(index) }
}

/** A body that pulls pieces one at a time, and lets go of a client that stopped pulling. */
export const pulledBody = (next: () => Promise<Uint8Array | undefined>, { clock, stalledMs, onClose, abandon, signal }: Omit<StreamParts, 'reader'>): ReadableStream<Uint8Array> => {
  let calm = (): void => {}
  let over = false
  let leave = (): void => {}
  const close = (): void => {
    calm()
    if (over) return
    over = true
    signal?.removeEventListener('abort', leave)
    onClose()
  }
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        leave = () => {
          if (over) return
          close()
          controller.close()
        }
        signal?.addEventListener('abort', leave, { once: true })
        if (signal?.aborted === true) leave()
      },
      pull: async (controller) => {
        calm()
        const piece = await next().catch((error: unknown) => {
          close()
          throw error
        })
        if (over) return
        if (piece === undefined) {
          close()
          return controller.close()
        }
        controller.enqueue(piece)
        calm = clock.timer(
          stalledMs,
          () => {
            close()
            if (abandon === undefined) controller.error(new Error(`The client read nothing for ${stalledMs} ms.`))
            else abandon()
          },
          true,
        )
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  )
}

/** The events of a run as the body of a response. */
export const eventStream = (parts: StreamParts): ReadableStream<Uint8Array> => {
  let opened = false
  const next = async (): Promise<Uint8Array | undefined> => {
    if (!opened) {
      opened = true
      return OPENING
    }
    const frame = await parts.reader.next(HEARTBEAT_MS)
    if (frame === 'idle') return HEARTBEAT
    return frame === undefined ? undefined : encode(frame)
  }
  const onClose = (): void => {
    parts.reader.close()
    parts.onClose()
  }
  return pulledBody(next, { ...parts, onClose })
}
