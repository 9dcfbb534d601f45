// An empty folder of a newcomer, who has npm and reads. Invariant: it holds what the commands typed there put there; a package
// is installed from the packed tarball or in the version that this repository is tested with.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packed, root } from './packed.ts'
import { newcomerEnvironment, runProgram } from './program.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly dependencies: { readonly [name: string]: string }; readonly devDependencies: { readonly [name: string]: string } }
const versions = { ...manifest.dependencies, ...manifest.devDependencies }

/** A command that stays until it is ended. */
export interface Lasting {
  /** What it has printed so far. */
  readonly said: string
  /** Ends it as Ctrl-C does. @returns everything it printed. */
  readonly end: () => Promise<string>
}

/** A folder and what can be done in it. */
export interface NewcomerFolder extends AsyncDisposable {
  readonly path: string
  /** Types one line. @returns what it printed; a command that fails rejects with its output. */
  readonly type: (line: string) => Promise<string>
  /** Types one line that stays, and waits until it printed something that matches. */
  readonly begin: (line: string, until: RegExp) => Promise<Lasting>
  /** Saves a file. */
  readonly save: (path: string, text: string) => Promise<void>
}

/** `npm install a b` with the tarball for ours, and versions that this repository knows for the others. */
const pinned = (line: string, tarball: string): string => {
  const [, command = '', names = ''] = /^(npm install(?: --?\S+)*)((?: [@\w./-]+)*)$/.exec(line) ?? []
  const exact = names
    .split(' ')
    .filter(Boolean)
    .map((name) => {
      if (name === 'stateloop') return `'${tarball}'`
      if (versions[name] === undefined) throw new Error(`${line} names ${name}, which is not tested here: it is no dependency of this repository.`)
      return `${name}@${versions[name]}`
    })
  return [`${command} --prefer-offline --no-audit --no-fund`, ...exact].join(' ')
}

/** `npx` never downloads here: what it runs must have been installed, and runs with what npm would tell it. */
const installed = (folder: string, line: string): string =>
  line.replaceAll(/\bnpx ([\w-]+)/g, (_all, name: string) => {
    const program = join('node_modules', '.bin', name)
    if (!existsSync(join(folder, program))) throw new Error(`${line}: ${name} was not installed, so npx would look for it elsewhere.`)
    return `env npm_command=exec ${program}`
  })

/** Makes an empty folder. @param added variables that the newcomer has set. */
export const newcomerFolder = async (added: { readonly [name: string]: string } = {}): Promise<NewcomerFolder> => {
  const { tarball } = await packed()
  const around = await mkdtemp(join(tmpdir(), 'stateloop-newcomer-'))
  const path = join(around, 'my-agent')
  await mkdir(path)
  const env = newcomerEnvironment(added)
  const running = new Set<Lasting>()
  const exact = (line: string): string => (line.startsWith('npm install') ? pinned(line, tarball) : installed(path, line))
  return {
    path,
    type: (line) => runProgram(path, 'sh', ['-c', exact(line)], env),
    begin: async (line, until) => {
      const child = spawn('sh', ['-c', `exec ${exact(line)}`], { cwd: path, env, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      const closed = once(child, 'close')
      const matched = new Promise<void>((resolve, reject) => {
        const hear = (text: string): void => {
          said += text
          if (until.test(said)) resolve()
        }
        child.stdout.setEncoding('utf8').on('data', hear)
        child.stderr.setEncoding('utf8').on('data', hear)
        child.once('close', (code) => reject(new Error(`${line} ended with ${code} before it said ${until}:\n${said}`)))
      })
      const lasting: Lasting = {
        get said() {
          return said
        },
        end: async () => {
          running.delete(lasting)
          child.kill('SIGINT')
          await closed
          return said
        },
      }
      running.add(lasting)
      await matched
      return lasting
    },
    save: async (file, text) => {
      await mkdir(dirname(join(path, file)), { recursive: true })
      await writeFile(join(path, file), text)
    },
    [Symbol.asyncDispose]: async () => {
      for (const lasting of running) await lasting.end()
      await rm(around, { recursive: true, force: true })
    },
  }
}
