// What a session was sent, for a client whose connection broke. Invariant: a session keeps the newest messages up to a size
// and no more; a client that comes back for older ones is told so, never given a part.
import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'

interface Kept {
  readonly id: number
  readonly stream: string
  readonly message: JSONRPCMessage
  readonly size: number
}

/** Makes the store of one session. @param mostChars of all messages together. */
export const eventStore = (mostChars: number): EventStore => {
  let kept: Kept[] = []
  let chars = 0
  let last = 0
  return {
    storeEvent: async (stream, message) => {
      const size = JSON.stringify(message).length
      kept.push({ id: ++last, stream, message, size })
      chars += size
      const gone = kept.findIndex((_, at) => (chars -= at === 0 ? 0 : (kept[at - 1]?.size ?? 0)) <= mostChars)
      kept = gone < 0 ? [] : kept.slice(gone)
      return String(last)
    },
    getStreamIdForEventId: async (id) => kept.find((one) => String(one.id) === id)?.stream,
    replayEventsAfter: async (id, { send }) => {
      const seen = kept.find((one) => String(one.id) === id)
      if (seen === undefined) throw new Error(`Event ${id.slice(0, 40)} is not kept any more.`)
      for (const { id: next, message } of kept.filter((one) => one.stream === seen.stream && one.id > seen.id)) await send(String(next), message)
      return seen.stream
    },
  }
}
