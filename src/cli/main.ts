#!/usr/bin/env node
// The program `stateloop`. Invariant: output is written to its end before the process leaves with the command's exit code, and
// a Node that is too old is told so before it meets code that it cannot read.
import { nodeProblem } from './oldest-node.ts'

const CANNOT_RUN = 3

/** Node warns that it strips types, from agents in TypeScript and from the inspector's page in this repository; a user of this program can do nothing about it. */
const hushTypeStripping = (): void => {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!/^(Type Stripping|stripTypeScriptTypes) is an experimental feature/.test(String(warning))) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
}

const flush = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write('', () => resolve())
  })

const main = async (): Promise<void> => {
  const problem = nodeProblem(process.versions.node)
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exit(CANNOT_RUN)
  }
  hushTypeStripping()
  const [{ processIo }, { runCli }] = await Promise.all([import('./io.ts'), import('./program.ts')])
  const code = await runCli(process.argv.slice(2), processIo())
  await Promise.all([flush(process.stdout), flush(process.stderr)])
  // An agent's services may hold the process open; the command is over.
  process.exit(code)
}

void main()
