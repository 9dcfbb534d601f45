// `stateloop resume`: goes on with a run from where its journal ends.
import type { Command } from 'commander'
import { continueRun, type ContinueOptions } from '../continue-run.ts'
import type { Io } from '../io.ts'
import { addContinueOptions, type SetExit } from './options.ts'

/** Adds the command. */
export const addResume = (program: Command, io: Io, setExit: SetExit): void => {
  addContinueOptions(program.command('resume').description('go on with a run that was left, and follow it').argument('<run>', 'id of the run')).action(async (run: string, options: ContinueOptions) =>
    setExit(await continueRun(io, run, options)),
  )
}
