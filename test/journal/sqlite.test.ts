import { sqliteJournal } from '../../src/journal/index.ts'
import { journalContract } from '../contract/journal.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()

journalContract('SQLite', async ({ clock }) => sqliteJournal({ path: newPath(), clock }))
