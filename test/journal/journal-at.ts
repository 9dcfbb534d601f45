// Opens the journal that a process of a test is told of: by its URL in PostgreSQL, else a SQLite file.
import { sqliteJournal, type Journal } from '../../src/journal/index.ts'
import { postgresJournal } from '../../src/journal/postgres/index.ts'

/** @param place A path, or a URL that begins with `postgres:`. */
export const journalAt = (place: string): Journal => (place.startsWith('postgres:') ? postgresJournal({ url: place }) : sqliteJournal({ path: place }))
