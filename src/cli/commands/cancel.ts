// `stateloop cancel`: ends a run as cancelled.
import { CONTINUE, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { continueRun, type ContinueOptions } from '../continue-run.ts'

interface CancelOptions extends ContinueOptions {
  readonly reason?: string
}

/** `stateloop cancel <run>`. */
export const cancelCommand: CommandDefinition<CancelOptions> = {
  name: 'cancel',
  about: 'end a run as cancelled',
  args: [RUN_ARGUMENT],
  options: [...CONTINUE, { flags: '--reason <text>', about: 'why, kept in the journal' }],
  run: (io, [run = ''], options) => continueRun(io, run, options, (sender) => sender.cancel(options.reason)),
}
