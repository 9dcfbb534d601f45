// `stateloop cancel`: ends a run as cancelled.
import type { Command } from 'commander'
import { continueRun, type ContinueOptions } from '../continue-run.ts'
import type { Io } from '../io.ts'
import { addContinueOptions, type SetExit } from './options.ts'

interface CancelOptions extends ContinueOptions {
  readonly reason?: string
}

/** Adds the command. */
export const addCancel = (program: Command, io: Io, setExit: SetExit): void => {
  addContinueOptions(program.command('cancel').description('end a run as cancelled').argument('<run>', 'id of the run'))
    .option('--reason <text>', 'why, kept in the journal')
    .action(async (run: string, options: CancelOptions) => setExit(await continueRun(io, run, options, (sender) => sender.cancel(options.reason))))
}
