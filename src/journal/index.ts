export { CHAIN_START, ENTRY_VERSION, chainHash } from './entry.ts'
export type { CallRecord, Carried, Cause, Entry, EntryBody, Intent, Move, Outcome, RunEnd, StartCause, StateValue, StoredEntry } from './entry.ts'
export type { InboxItem, Journal, Lease, RowUpdate, RunFilter, RunRow, RunStatus, StoredSnapshot, Waiting } from './journal.ts'
