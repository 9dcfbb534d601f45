// Programs as a user starts them: with the Node of this test, and with nothing in the environment that a newcomer would not have.
import { execFile } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** The environment of a newcomer's shell, with what is added. No key, no setting of ours, no command of this repository. */
export const newcomerEnvironment = (added: { readonly [name: string]: string } = {}): NodeJS.ProcessEnv => {
  const kept = Object.entries(process.env).filter(([name]) => !/^(OPENAI|AZURE|OTEL|STATELOOP|NODE_|VITEST|npm_(command|lifecycle|package)|INIT_CWD|NO_COLOR|FORCE_COLOR)/.test(name))
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path].join(delimiter), NEXT_TELEMETRY_DISABLED: '1', ...added }
}

/** Runs a program to its end. @returns what it printed; one that fails rejects with all of its output. */
export const runProgram = async (cwd: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = newcomerEnvironment()): Promise<string> => {
  const { stdout } = await exec(program, args, { cwd, env, shell: process.platform === 'win32', maxBuffer: 64_000_000 }).catch((error: { readonly stdout: string; readonly stderr: string }) => {
    throw new Error(`${[program, ...args].join(' ')} failed:\n${error.stdout}${error.stderr}`, { cause: error })
  })
  return stdout
}
