// What the journal needs of the driver `pg`, in its own words. Invariant: no published type names the driver, so a program
// that keeps its journal elsewhere compiles without it.

/** Rows of a result, and how many there were. */
export interface PgResult<R> {
  readonly rows: R[]
  readonly rowCount: number | null
}

/** Anything that takes SQL. */
export interface PgQueryable {
  query<R = { readonly [column: string]: unknown }>(sql: string | { readonly name: string; readonly text: string; readonly values: readonly unknown[] }, parameters?: readonly unknown[]): Promise<PgResult<R>>
  on(event: 'error', hear: () => void): unknown
}

/** One connection, borrowed from a pool. */
export interface PgClient extends PgQueryable {
  /** Gives it back. @param destroy true when it must not be used again. */
  release(destroy?: boolean): void
}

/** Connections to one database. */
export interface PgPool extends PgQueryable {
  connect(): Promise<PgClient>
  end(): Promise<void>
}
