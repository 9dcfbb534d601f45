// The command line as a function from arguments to an exit code. Invariant: it never ends the process, and with `--json`
// standard output holds JSON even when the command was not understood.
import { Command, CommanderError } from 'commander'
import { failure, type Failure } from '../failure/index.ts'
import type { CommandDefinition } from './command.ts'
import { cacheSuggestCommand } from './commands/cache-suggest.ts'
import { cancelCommand } from './commands/cancel.ts'
import { checkCompatCommand } from './commands/check-compat.ts'
import { costsCommand } from './commands/costs.ts'
import { dbCommand } from './commands/db.ts'
import { approveCommand, rejectCommand } from './commands/decide.ts'
import { diffCommand } from './commands/diff.ts'
import { doctorCommand } from './commands/doctor.ts'
import { ejectCommand } from './commands/eject.ts'
import { evalAddCommand } from './commands/eval-add.ts'
import { evalDriftCommand } from './commands/eval-drift.ts'
import { evalCommand } from './commands/eval.ts'
import { PROMPT_COMMANDS } from './commands/prompts/index.ts'
import { exportCommand } from './commands/export.ts'
import { forkCommand } from './commands/fork.ts'
import { importCommand } from './commands/import.ts'
import { inspectCommand } from './commands/inspect.ts'
import { newCommand } from './commands/new.ts'
import { limitCommand } from './commands/limit.ts'
import { mcpCommand } from './commands/mcp.ts'
import { recordCommand } from './commands/record.ts'
import { replayCommand } from './commands/replay.ts'
import { resumeCommand } from './commands/resume.ts'
import { runCommand } from './commands/run.ts'
import { runsCommand } from './commands/runs.ts'
import { sendCommand } from './commands/send.ts'
import { serveCommand } from './commands/serve.ts'
import { showCommand } from './commands/show.ts'
import { traceCommand } from './commands/trace.ts'
import { forgetCommand, pruneCommand } from './commands/prune.ts'
import { workerCommand } from './commands/worker.ts'
import { EXIT, EXIT_HELP, exitOfFailure, failureFrom } from './exit-code.ts'
import { plain, type Io } from './io.ts'
import { ownManifest } from './own-package.ts'

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandDefinition<never>[] = [
  runCommand,
  sendCommand,
  approveCommand,
  rejectCommand,
  resumeCommand,
  cancelCommand,
  runsCommand,
  showCommand,
  traceCommand,
  cacheSuggestCommand,
  costsCommand,
  limitCommand,
  serveCommand,
  mcpCommand,
  recordCommand,
  importCommand,
  replayCommand,
  forkCommand,
  diffCommand,
  checkCompatCommand,
  ejectCommand,
  exportCommand,
  inspectCommand,
  dbCommand,
  workerCommand,
  pruneCommand,
  forgetCommand,
  doctorCommand,
  evalCommand,
  evalAddCommand,
  evalDriftCommand,
  newCommand,
  ...PROMPT_COMMANDS,
]

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** What groups of commands are for. */
const GROUPS: { readonly [name: string]: string } = { prompts: 'versions of prompts: see them, compare them, release them, go back' }

/** The command that holds a group of others. */
const groupOf = (program: Command, name: string): Command => program.commands.find((command) => command.name() === name) ?? program.command(name).description(GROUPS[name] ?? '')

/** Adds a command to the program. */
const add = (program: Command, { name, about, args, options, run }: CommandDefinition<never>, perform: (run: (io: Io) => Promise<number>) => Promise<void>): void => {
  const [group = '', member] = name.split(' ')
  const command = (member === undefined ? program.command(group) : groupOf(program, group).command(member)).description(about).enablePositionalOptions()
  for (const argument of args) {
    const shown = `${argument.name}${argument.many === true ? '...' : ''}`
    command.argument(argument.optional === true ? `[${shown}]` : `<${shown}>`, argument.about)
  }
  for (const option of options) {
    if (option.many === true) command.option(option.flags, option.about, collect)
    else command.option(option.flags, option.about, option.default)
  }
  command.action(() => perform((io) => run(io, command.args, command.opts() as never)))
}

const report = (io: Io, problem: Failure, json: boolean, lines: boolean): void => {
  if (json) io.out(`${JSON.stringify({ error: problem }, null, lines ? 0 : 2)}\n`)
  else io.err(`${io.style('red', `${problem.code}:`)} ${plain(problem.message)}\n${problem.code === 'defect' && problem.cause?.stack !== undefined ? `${plain(problem.cause.stack)}\n` : ''}`)
}

/** Performs a command line. @returns the exit code. */
export const runCli = async (args: readonly string[], io: Io): Promise<number> => {
  // Known before the arguments are parsed, because parsing itself may fail.
  const lines = args.includes('--events')
  const json = lines || args.includes('--json')
  let exit: number = EXIT.done
  const program = new Command('stateloop')
    .description('Run LLM agents as state machines: start them, go on with them, and see every step.')
    .version(ownManifest().version, '-V, --version', 'print the version')
    // Options after the name of a command are that command's, also where its group has one of the same name.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: (text) => (json ? undefined : io.err(text)),
      getOutHelpWidth: io.columns,
      getErrHelpWidth: io.columns,
      getOutHasColors: () => io.terminal,
      getErrHasColors: () => false,
    })
    .addHelpText('after', EXIT_HELP)
  for (const command of COMMANDS)
    add(program, command, async (run) => {
      exit = await run(io)
    })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help asked for ends with 0; help shown because no command was named does not.
      if (error.exitCode === 0) return EXIT.done
      if (json) report(io, failure('usage', error.message.replace(/^error: /, '')), true, lines)
      return EXIT.usage
    }
    const problem = failureFrom(error)
    report(io, problem, json, lines)
    return exitOfFailure(problem)
  }
}
