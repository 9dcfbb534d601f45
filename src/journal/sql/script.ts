// What several statements do together, written once for databases that answer at once and for those that answer later.
// Invariant: a script knows nothing of transactions; whoever performs it does so within one.
import type { Columns, Value } from '../sqlite/connection.ts'

/** One statement with bare `?` parameters. */
export interface Query {
  readonly sql: string
  readonly parameters: readonly Value[]
}

/** Yields statements, gets their rows, and returns what they amount to. */
export type Script<T> = Generator<Query, T, readonly Columns[]>

/** One statement of a script: `const rows = yield* query(…)`. */
export function* query(sql: string, ...parameters: readonly Value[]): Script<readonly Columns[]> {
  return yield { sql, parameters }
}

/** Performs a script on a database that answers at once. */
export const perform = <T>(sql: { readonly all: (sql: string, ...parameters: Value[]) => readonly Columns[] }, script: Script<T>): T => {
  let step = script.next()
  while (step.done !== true) step = script.next(sql.all(step.value.sql, ...step.value.parameters))
  return step.value
}

/** Performs a script on a database that answers later. */
export const performLater = async <T>(sql: { readonly all: (sql: string, ...parameters: Value[]) => Promise<readonly Columns[]> }, script: Script<T>): Promise<T> => {
  let step = script.next()
  while (step.done !== true) step = script.next(await sql.all(step.value.sql, ...step.value.parameters))
  return step.value
}
