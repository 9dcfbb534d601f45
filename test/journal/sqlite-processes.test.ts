import { sqliteJournal } from '../../src/journal/index.ts'
import { sharedJournalContract } from '../contract/shared-journal.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()

sharedJournalContract(
  'SQLite',
  async () => newPath(),
  (path) => sqliteJournal({ path }),
)
