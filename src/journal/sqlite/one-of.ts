// A condition on one column, in SQL that every database takes.

/** A column that is one of so many parameters; PostgreSQL takes no empty list. */
export const oneOf = (column: string, count: number): string => (count === 0 ? '1 = 0' : `${column} IN (${Array.from({ length: count }, () => '?').join(', ')})`)
