// A project in a folder of its own, and the program run in it: in this process with a world made up for it, where each
// command still opens the database anew, or as a child process, as a user would.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Io, Keyboard } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/program.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Path of an agent under test/fixtures/cli. */
export const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cli/${name}.ts`, import.meta.url))

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A project on disk. */
export interface TestProject extends AsyncDisposable {
  readonly folder: string
  /** Performs a command to its end. */
  readonly stateloop: (args: readonly string[], options?: { readonly input?: string; readonly cwd?: string; readonly terminal?: boolean; readonly keyboard?: Keyboard }) => Promise<Ended>
  /** Performs a command and reads its JSON. */
  readonly json: (...args: readonly string[]) => Promise<{ readonly code: number | null; readonly value: unknown }>
  /** Starts a child process. */
  readonly begin: (args: readonly string[]) => ChildProcess
  readonly write: (path: string, text: string) => Promise<void>
}

/** Ends of a child process. */
export const endOf = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve, reject) => {
    let out = ''
    let err = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })

/** Makes a project whose settings name the fixtures `desk`, `order` and `slow`, and with one agent under agents/. @param env what commands see of the environment; default nothing. */
export const testProject = async (env: Io['env'] = {}): Promise<TestProject> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-cli-'))
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, STATELOOP_DB: _db, FORCE_COLOR: _color, ...inherited } = process.env
  const begin = (args: readonly string[]): ChildProcess => spawn(process.execPath, ['--conditions=stateloop-source', MAIN, ...args], { cwd: folder, env: inherited })
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const stateloop: TestProject['stateloop'] = async (args, { input = '', cwd = folder, terminal = false, keyboard } = {}) => {
    let out = ''
    let err = ''
    const io: Io = {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      readInput: () => Promise.resolve(input),
      terminal,
      ...(keyboard === undefined ? {} : { keyboard }),
      columns: () => 80,
      style: (format, text) => (terminal ? `<${format}>${text}</>` : text),
      cwd,
      env,
      platform: 'linux',
      program: 'stateloop',
    }
    const code = await runCli(args, io)
    return { code, out, err }
  }
  await write('package.json', '{ "type": "module" }')
  await write('stateloop.config.mjs', `export default { agents: ${JSON.stringify({ desk: fixture('desk'), order: fixture('order'), slow: fixture('slow') })} }`)
  await write('agents/forecast/agent.mjs', `export * from ${JSON.stringify(pathToFileURL(fixture('weather')).href)}\nexport { default } from ${JSON.stringify(pathToFileURL(fixture('weather')).href)}`)
  return {
    folder,
    stateloop,
    json: async (...args) => {
      const { code, out } = await stateloop([...args, '--json'])
      return { code, value: JSON.parse(out) as unknown }
    },
    begin,
    write,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
