// A response of the SDK for a client that may read slowly. Invariant: what it was not yet sent stays below a size; beyond it
// the connection ends, and a client that can comes back for the rest.

/** Bounds what waits for a client. @param onEnd called once, when the body has ended in whatever way. */
export const boundedBody = (response: Response, mostBytes: number, onEnd: () => void): Response => {
  if (response.body === null) {
    onEnd()
    return response
  }
  const reader = response.body.getReader()
  const pump = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return controller.close()
      controller.enqueue(value)
      if ((controller.desiredSize ?? 0) < 0) throw new Error(`The client left more than ${mostBytes} bytes unread.`)
    }
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        pump(controller)
          .catch(async (error: unknown) => {
            controller.error(error)
            await reader.cancel(error).catch(() => {})
          })
          .finally(onEnd)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: mostBytes }),
  )
  return new Response(body, response)
}
