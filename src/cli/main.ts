#!/usr/bin/env node
// The program `stateloop`. Invariant: output is written to its end before the process leaves with the command's exit code.
import { processIo } from './io.ts'
import { runCli } from './program.ts'

/** Node 22 warns that it strips types when it loads an agent in TypeScript; a user of this program can do nothing about it. */
const hushTypeStripping = (): void => {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('Type Stripping is an experimental feature')) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
}

const flush = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write('', () => resolve())
  })

const main = async (): Promise<void> => {
  hushTypeStripping()
  const code = await runCli(process.argv.slice(2), processIo())
  await Promise.all([flush(process.stdout), flush(process.stderr)])
  // An agent's services may hold the process open; the command is over.
  process.exit(code)
}

void main()
