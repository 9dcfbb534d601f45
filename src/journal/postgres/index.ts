// The front door of `stateloop/postgres`: the journal for several machines. `pg` is the user's own dependency and is loaded
// with the first use of a journal.
export { postgresJournal } from './journal.ts'
export { migratePostgres, postgresStatus } from './maintain.ts'
export type { PostgresOptions, SchemaStatus } from './open.ts'
