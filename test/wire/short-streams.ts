// The shortest recorded streams, and a provider whose replies come from memory: thousands of them cost seconds.
import { openai, type ModelProvider } from '../../src/model/index.ts'
import { allRecordings, expectedOf, isStream, type Recording } from './recordings.ts'

/** Recorded streams of at most so many bytes that should give a reply, shortest first. */
export const shortStreams = (maxBytes: number): readonly Recording[] =>
  allRecordings()
    .flatMap(([, recordings]) => recordings)
    .filter((recording) => isStream(recording) && Buffer.byteLength(recording.response.body) <= maxBytes && expectedOf(recording).kind === 'reply')
    .toSorted((a, b) => a.response.body.length - b.response.body.length)

/**
 * How many bytes of a stream it takes to be complete: up to the empty line after its last event. What a gateway adds after
 * `response.completed` says nothing.
 */
export const completeAt = ({ api, response: { body } }: Recording): number => {
  const marker = api === 'openai.chat' ? body.lastIndexOf('data: [DONE]') : body.search(/data: ?\{[^\n]*"type": ?"response\.(completed|incomplete)"/)
  return Buffer.byteLength(body.slice(0, body.indexOf('\n\n', marker) + 2))
}

/** How a body from memory ends: as it should, or broken like a reset socket. */
export type Ending = 'end' | 'reset'

/** A provider that gets the given pieces, whatever it asks. */
export const memoryProvider = (recording: Recording, pieces: () => { readonly body: readonly Uint8Array[]; readonly ending: Ending }): ModelProvider => {
  const fetch = async (): Promise<Response> => {
    const { body, ending } = pieces()
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of body) controller.enqueue(piece)
        if (ending === 'end') controller.close()
      },
      pull(controller) {
        if (ending === 'reset') controller.error(new TypeError('terminated', { cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) }))
      },
    })
    return new Response(stream, { status: recording.response.status, headers: recording.response.headers })
  }
  return openai({ baseURL: 'http://memory.invalid/v1', apiKey: 'test-key-1234', fetch, wire: recording.api === 'openai.responses' ? 'responses' : 'chat' })
}
