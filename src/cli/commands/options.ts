// Options that several commands share, so that they read alike everywhere.
import type { Command } from 'commander'

/** Notes the exit code of the command that was performed. */
export type SetExit = (code: number) => void

/** `--json` and `--db`. */
export const addCommonOptions = (command: Command): Command => command.option('--json', 'one JSON document on standard output').option('--db <file>', 'the database; default STATELOOP_DB, then .stateloop/stateloop.db')

/** Those, and what commands that go on with a run have. */
export const addContinueOptions = (command: Command): Command =>
  addCommonOptions(command)
    .option('--events', 'every event as a line of JSON')
    .option('--agent <agent>', 'the agent to go on with; default: where the run was started from')
    .option('--accept-changed', 'go on with a changed agent, if every recorded step still leads to the same place')
