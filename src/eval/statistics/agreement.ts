// How far two judges agree. Invariant: agreement that chance alone would give counts as none.
// @see Cohen (1960), A coefficient of agreement for nominal scales

/** Two verdicts on one row. */
export interface Verdicts {
  readonly judge: boolean
  readonly person: boolean
}

/** The share of rows with equal verdicts, and Cohen's kappa; kappa is null when chance alone would agree always. */
export const agreementOf = (rows: readonly Verdicts[]): { readonly rows: number; readonly share: number; readonly kappa: number | null } => {
  const count = (which: (row: Verdicts) => boolean): number => rows.filter(which).length / rows.length
  const share = count(({ judge, person }) => judge === person)
  const [judge, person] = [count((row) => row.judge), count((row) => row.person)]
  const chance = judge * person + (1 - judge) * (1 - person)
  return { rows: rows.length, share, kappa: chance === 1 ? null : (share - chance) / (1 - chance) }
}
