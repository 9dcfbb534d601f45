// `stateloop resume`: goes on with a run from where its journal ends.
import { CONTINUE, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { continueRun, type ContinueOptions } from '../continue-run.ts'

/** `stateloop resume <run>`. */
export const resumeCommand: CommandDefinition<ContinueOptions> = {
  name: 'resume',
  about: 'go on with a run that was left, and follow it',
  args: [RUN_ARGUMENT],
  options: CONTINUE,
  run: (io, [run = ''], options) => continueRun(io, run, options),
}
