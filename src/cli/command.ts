// A command as plain data: its name, what it takes and the function that performs it. Invariant: only the program knows
// which library reads the command line.
import type { Io } from './io.ts'

/** An option, with flags as help shows them: `--input <json>`. */
export interface Option {
  readonly flags: string
  readonly about: string
  readonly default?: string
  /** True when it may be repeated; its value is a list then. */
  readonly many?: true
}

/** A command. `O` is the shape of its options once they are read. */
export interface CommandDefinition<O> {
  /** `run`, or `prompts list` for a command of a group. */
  readonly name: string
  readonly about: string
  /** Arguments, in order; those that may be left out come last, and only the last may be repeated. */
  readonly args: readonly { readonly name: string; readonly about: string; readonly optional?: true; readonly many?: true }[]
  readonly options: readonly Option[]
  /** Performs it. @returns the exit code. May throw a FailureError. */
  readonly run: (io: Io, args: readonly string[], options: O) => Promise<number>
}

/** The argument that names a run. */
export const RUN_ARGUMENT = { name: 'run', about: 'id of the run' } as const

/** `--json`. */
export const JSON_OPTION: Option = { flags: '--json', about: 'one JSON document on standard output' }

/** The argument that names an agent. */
export const AGENT_ARGUMENT = { name: 'agent', about: 'a path, a name in stateloop.config, or the name of a folder under agents/' } as const

/** Options that every command on runs has. */
export const COMMON: readonly Option[] = [JSON_OPTION, { flags: '--db <place>', about: 'the database, a file or postgres://…; default STATELOOP_DB, then .stateloop/stateloop.db' }]

/** Options of commands that go on with a run. */
export const CONTINUE: readonly Option[] = [
  ...COMMON,
  { flags: '--events', about: 'every event as a line of JSON' },
  { flags: '--agent <agent>', about: 'the agent to go on with; default: where the run was started from' },
  { flags: '--accept-changed', about: 'go on with a changed agent, if every recorded step still leads to the same place' },
]
