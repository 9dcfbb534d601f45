// `stateloop send`: sends a run an event and follows it until it rests again.
import type { Command } from 'commander'
import { fail } from '../../failure/index.ts'
import { continueRun, type ContinueOptions } from '../continue-run.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'
import type { OutsideEvent } from '../../run/index.ts'
import { addContinueOptions, type SetExit } from './options.ts'

interface SendOptions extends ContinueOptions {
  readonly by?: string
}

const eventOf = async (io: Io, argument: string): Promise<OutsideEvent> => {
  const event = await jsonArgument(io, argument, 'The event')
  const typed = typeof event === 'object' && event !== null && !Array.isArray(event) && typeof (event as { readonly type?: unknown }).type === 'string'
  return typed ? (event as OutsideEvent) : fail('usage', 'An event is an object with a type, such as \'{"type":"PAID","amount":3}\'.')
}

const send = async (io: Io, run: string, argument: string, options: SendOptions): Promise<number> => {
  const event = await eventOf(io, argument)
  return continueRun(io, run, options, (sender) => sender.send(event, options.by))
}

/** Adds the command. */
export const addSend = (program: Command, io: Io, setExit: SetExit): void => {
  addContinueOptions(program.command('send').description('send a run an event and follow it').argument('<run>', 'id of the run').argument('<event>', 'the event as JSON, @file, or - for standard input'))
    .option('--by <who>', 'who sends it, kept in the journal')
    .action(async (run: string, event: string, options: SendOptions) => setExit(await send(io, run, event, options)))
}
