// `stateloop send`: sends a run an event and follows it until it rests again.
import { fail } from '../../failure/index.ts'
import type { OutsideEvent } from '../../run/index.ts'
import { CONTINUE, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { continueRun, type ContinueOptions } from '../continue-run.ts'
import type { Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'

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

/** `stateloop send <run> <event>`. */
export const sendCommand: CommandDefinition<SendOptions> = {
  name: 'send',
  about: 'send a run an event and follow it',
  args: [RUN_ARGUMENT, { name: 'event', about: 'the event as JSON, @file, or - for standard input' }],
  options: [...CONTINUE, { flags: '--by <who>', about: 'who sends it, kept in the journal' }],
  run: (io, [run = '', event = ''], options) => send(io, run, event, options),
}
