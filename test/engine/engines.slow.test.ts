// The conformance suite on the engines that need a server: PostgreSQL and Restate, the latter with runs that stay in their
// invocation while they wait and with runs that leave it. All must write the same for the same sequential agent.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { memoryJournal, sqliteJournal } from '../../src/journal/index.ts'
import { postgresJournal } from '../../src/journal/postgres/index.ts'
import { engineContract } from '../contract/engine.ts'
import { databasePaths } from '../journal/folder.ts'
import { startPostgres, type PostgresServer } from '../journal/postgres-server.ts'
import { embeddedEngine } from './embedded.ts'
import { startRestate, type RestateServer } from './restate-server.ts'
import { restateSubject } from './restate-subject.ts'

const newPath = databasePaths()
let postgres: PostgresServer
let restate: RestateServer
beforeAll(async () => {
  ;[postgres, restate] = await Promise.all([startPostgres(), startRestate()])
})
afterAll(async () => {
  await postgres[Symbol.asyncDispose]()
  await restate[Symbol.asyncDispose]()
})

const written: unknown[] = []
const seen = (entries: unknown): void => void written.push(entries)

const memory = memoryJournal()
engineContract(
  'memory',
  'embedded',
  embeddedEngine(() => ({ ...memory, close: async () => {} })),
  seen,
)
engineContract(
  'PostgreSQL',
  'embedded',
  async (agents) => {
    const url = await postgres.newDatabase()
    return embeddedEngine(() => postgresJournal({ url }))(agents)
  },
  seen,
)
engineContract(
  'Restate, runs that stay,',
  'restate',
  async (agents) => {
    const path = newPath()
    return restateSubject(restate, () => sqliteJournal({ path }), agents)
  },
  seen,
)
engineContract(
  'Restate, runs that leave,',
  'restate',
  async (agents) => {
    const url = await postgres.newDatabase()
    return restateSubject(restate, () => postgresJournal({ url }), agents, { holdMs: 0 })
  },
  seen,
)

test('a sequential run reads the same whichever engine drove it, but for ids, times and hashes', () => {
  expect(written).toHaveLength(4)
  for (const entries of written) expect(entries).toStrictEqual(written[0])
})
