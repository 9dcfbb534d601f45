// A proxy between a client and a server that cuts, refuses and holds back, as networks do.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What happens to one connection. */
export interface Fault {
  /** Ends both sides after so many bytes of the answer. */
  readonly cutAfterBytes?: number
  readonly refuse?: boolean
  /** Passes nothing of the answer on before it has ended. */
  readonly holdBack?: boolean
}

/** A proxy that listens. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string
  readonly connections: () => number
}

/** Starts a proxy. @param faultOf decides for each connection, counted from 0. */
export const faultProxy = async (target: string, faultOf: (connection: number) => Fault): Promise<FaultProxy> => {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer((near) => {
    const { cutAfterBytes = Infinity, refuse = false, holdBack = false } = faultOf(connections++)
    if (refuse) return void near.destroy()
    const far = connect(Number(port), hostname)
    let passed = 0
    const held: Buffer[] = []
    const end = (): void => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', end).on('close', () => {
        open.delete(socket)
        if (socket === near) far.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (piece: Buffer) => {
      if (holdBack) return void held.push(piece)
      const rest = cutAfterBytes - passed
      passed += piece.length
      if (piece.length < rest) return void near.write(piece)
      near.write(piece.subarray(0, rest), end)
    })
    far.on('end', () => near.end(Buffer.concat(held)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
