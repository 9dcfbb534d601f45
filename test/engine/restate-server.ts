// A real Restate server for tests, from the platform package of npm, on free ports of the loopback, and services that it
// calls. Invariant: it is ended by the process that was started, and leaves nothing behind.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A server, running or killed. */
export interface RestateServer extends AsyncDisposable {
  readonly ingress: string
  readonly admin: string
  /** Ends the server at once, as `kill -9` does. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same data. */
  readonly start: () => Promise<void>
  /** Tells it where services are served. */
  readonly register: (port: number) => Promise<void>
}

const resolve = createRequire(join(import.meta.dirname, '../toolchain/restate/package.json')).resolve

/** A port of the loopback that nobody uses now. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

const TRIES = 600

/** Calls until it succeeds: a server that starts refuses for a while. */
const insist = async (act: () => Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (await act().catch(() => false)) return
    await pause(50)
  }
  throw new Error('Restate did not answer')
}

/** Starts a server on empty data. */
export const startRestate = async (): Promise<RestateServer> => {
  const binary = resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`)
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-restate-'))
  const [node, ingressPort, adminPort] = [await freePort(), await freePort(), await freePort()]
  const [ingress, admin] = [`http://127.0.0.1:${ingressPort}`, `http://127.0.0.1:${adminPort}`]
  let server: ChildProcess | undefined
  const start = async (): Promise<void> => {
    server = spawn(binary, ['--base-dir', folder, '--node-name', 'test', '--listen-mode', 'tcp', '--bind-address', `127.0.0.1:${node}`, '--advertised-address', `http://127.0.0.1:${node}`], {
      stdio: 'ignore',
      env: {
        ...process.env,
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingressPort}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adminPort}`,
        RESTATE_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: '1',
        RESTATE_WORKER__STORAGE__ROCKSDB_TOTAL_MEMORY_SIZE: '256MB',
        RESTATE_DEFAULT_NUM_PARTITIONS: '2',
      },
    })
    await insist(async () => (await fetch(`${admin}/health`)).ok && (await fetch(`${ingress}/restate/health`)).ok)
  }
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    running.kill(signal)
    await once(running, 'exit')
  }
  await start()
  return {
    ingress,
    admin,
    start,
    kill: () => stop('SIGKILL'),
    register: (port) =>
      insist(async () => (await fetch(`${admin}/deployments`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ uri: `http://127.0.0.1:${port}`, force: true }) })).ok),
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
