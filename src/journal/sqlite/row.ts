// A run's row as columns and back. Invariant: a row that is read has every field it must have, each of its type, and
// its head is an entry of the run; else the database is reported as damaged.
import type { StoredEntry } from '../entry.ts'
import { isEnded, type RunRow, type RunStatus } from '../journal.ts'
import { damaged, jsonIn, numberIn, textIn, type Columns, type Value } from './connection.ts'

type Kind = 'text' | 'number' | 'flag' | 'json'

const FIELDS: readonly { readonly field: keyof RunRow; readonly column: string; readonly kind: Kind; readonly optional?: true }[] = [
  { field: 'id', column: 'id', kind: 'text' },
  { field: 'agent', column: 'agent', kind: 'text' },
  { field: 'agentVersion', column: 'agent_version', kind: 'text', optional: true },
  { field: 'agentHash', column: 'agent_hash', kind: 'text' },
  { field: 'source', column: 'source', kind: 'text', optional: true },
  { field: 'engine', column: 'engine', kind: 'text' },
  { field: 'user', column: 'user_id', kind: 'text', optional: true },
  { field: 'route', column: 'route', kind: 'text', optional: true },
  { field: 'tenant', column: 'tenant', kind: 'text', optional: true },
  { field: 'session', column: 'session', kind: 'text', optional: true },
  { field: 'key', column: 'run_key', kind: 'text', optional: true },
  { field: 'status', column: 'status', kind: 'text' },
  { field: 'priority', column: 'priority', kind: 'number', optional: true },
  { field: 'startedAt', column: 'started_at', kind: 'number' },
  { field: 'updatedAt', column: 'updated_at', kind: 'number' },
  { field: 'seq', column: 'seq', kind: 'number' },
  { field: 'hash', column: 'hash', kind: 'text' },
  { field: 'state', column: 'state', kind: 'json' },
  { field: 'waiting', column: 'waiting', kind: 'json', optional: true },
  { field: 'dueAt', column: 'due_at', kind: 'number', optional: true },
  { field: 'taken', column: 'taken', kind: 'number' },
  { field: 'modelCalls', column: 'model_calls', kind: 'number' },
  { field: 'toolCalls', column: 'tool_calls', kind: 'number' },
  { field: 'inputTokens', column: 'input_tokens', kind: 'number' },
  { field: 'outputTokens', column: 'output_tokens', kind: 'number' },
  { field: 'costNano', column: 'cost_nano', kind: 'number' },
  { field: 'costUnknown', column: 'cost_unknown', kind: 'flag' },
  { field: 'output', column: 'output', kind: 'json', optional: true },
  { field: 'failureCode', column: 'failure_code', kind: 'text', optional: true },
  { field: 'defect', column: 'defect', kind: 'flag', optional: true },
]

const columns = FIELDS.map(({ column }) => column).join(', ')

/** Reads rows, each with the hash of the entry that is its head; conditions follow. */
export const SELECT_ROW = `SELECT ${columns}, (SELECT entries.hash FROM entries WHERE entries.run = runs.no AND entries.seq = runs.seq) AS head FROM runs`

/** Inserts a run and gives its number. */
export const INSERT_ROW = `INSERT INTO runs (${columns}, inbox) VALUES (${FIELDS.map(() => '?').join(', ')}, 0) RETURNING no`

/** JSON as a column; null stands for a field that is absent, the text `null` for JSON's null. */
export const jsonColumn = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))
/** A flag as a column. */
export const flagColumn = (value: boolean | undefined): number | null => (value === undefined ? null : Number(value))

const encode: { readonly [kind in Kind]: (value: unknown) => Value } = {
  text: (value) => (value ?? null) as string | null,
  number: (value) => (value ?? null) as number | null,
  flag: (value) => flagColumn(value as boolean | undefined),
  json: jsonColumn,
}

const decode: { readonly [kind in Kind]: (value: unknown, what: string) => unknown } = {
  text: textIn,
  number: numberIn,
  flag: (value, what) => numberIn(value, what) === 1,
  json: jsonIn,
}

/** The parameters of INSERT_ROW. */
export const columnsOf = (row: RunRow, first: StoredEntry): Value[] => {
  const stored: RunRow = { ...row, seq: first.seq, hash: first.hash }
  return FIELDS.map(({ field, kind }) => encode[kind](stored[field]))
}

const OPEN: readonly string[] = ['queued', 'running', 'waiting']

/** The row in the result of SELECT_ROW. @throws FailureError `journal_corrupt`. */
export const rowIn = (found: Columns): RunRow => {
  const row: Record<string, unknown> = {}
  const damage = (what: string): never => damaged(`the ${what} of run ${String(found['id'])}`)
  for (const { field, column, kind, optional } of FIELDS) {
    const value = found[column]
    if (value !== null) row[field] = decode[kind](value, `the ${field} of run ${String(found['id'])}`)
    else if (optional !== true) damage(field)
  }
  const status = row['status'] as string
  if (!OPEN.includes(status) && !isEnded(status as RunStatus)) damage('status')
  if (found['head'] !== row['hash']) damage('head')
  return row as unknown as RunRow
}
