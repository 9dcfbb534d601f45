import { memoryJournal, sqliteJournal } from '../../src/journal/index.ts'
import { engineContract } from '../contract/engine.ts'
import { databasePaths } from '../journal/folder.ts'
import { embeddedEngine } from './embedded.ts'

const memory = memoryJournal()
const path = databasePaths()()

// A journal in memory lives as long as the process, whoever uses it.
engineContract(
  'memory',
  'embedded',
  embeddedEngine(() => ({ ...memory, close: async () => {} })),
)
engineContract(
  'SQLite',
  'embedded',
  embeddedEngine(() => sqliteJournal({ path })),
)
