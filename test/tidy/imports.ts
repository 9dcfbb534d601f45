// Rules about who may import whom: the order of the rooms, their front doors, and one door for each third party.
// All of them see type imports too, because a type is a dependency.
import { packageOf, roomOf, targetOf } from './source.ts'
import type { Import, Rule, SourceFile } from './source.ts'

/** The rooms under `src/`, each of which may import only rooms before it. */
export const ROOMS: readonly string[] = 'failure clock schema prompt cost trace policy model tool journal agent run replay eval check inspector engine server mcp client testing cli'.split(' ')

const inRoom = (path: string): boolean => roomOf(path) !== undefined

/** Reports each import for which `problem` has something to say. */
const perImport = (files: readonly SourceFile[], problem: (file: SourceFile, imported: Import) => string | undefined): readonly string[] =>
  files.flatMap((file) =>
    file.imports.flatMap((imported) => {
      const found = problem(file, imported)
      return found === undefined ? [] : [`${file.path}:${imported.line} ${found}`]
    }),
  )

const arrows: Rule = {
  name: 'a room imports only rooms to its left',
  applies: inRoom,
  check: (files) =>
    perImport(files, (file, { specifier }) => {
      const target = targetOf(file.path, specifier)
      if (packageOf(specifier) === 'stateloop' || target === 'src/index.ts') return 'imports the front door of the package from inside'
      if (target === undefined) return undefined
      const [from, to] = [ROOMS.indexOf(roomOf(file.path) ?? ''), ROOMS.indexOf(roomOf(target) ?? '')]
      if (from < 0) return `is in "${roomOf(file.path)}", which is not a room`
      if (to < 0) return `imports ${target}, which is in no room`
      return to > from ? `imports ${target}, but ${ROOMS[to]} is to the right of ${ROOMS[from]}` : undefined
    }),
  planted: {
    'src/clock/early.ts': "import type { Agent } from '../agent/index.ts'",
    'src/tool/lazy.ts': "export const load = () => import('../run/index.ts')",
    'src/misc/lost.ts': "import '../clock/index.ts'",
    'src/run/self.ts': "import { agent } from 'stateloop'",
    'src/run/fine.ts': "import { fail } from '../failure/index.ts'",
  },
  caught: 4,
}

const frontDoors: Rule = {
  name: 'a room imports other rooms through their index.ts',
  applies: (path) => path.startsWith('src/'),
  check: (files) =>
    perImport(files, (file, { specifier }) => {
      const target = targetOf(file.path, specifier)
      if (target === undefined || roomOf(target) === roomOf(file.path)) return undefined
      return target === `src/${roomOf(target)}/index.ts` ? undefined : `imports ${target}, which is behind the front door of its room`
    }),
  planted: {
    'src/run/deep.ts': "import { x } from '../clock/fake.ts'",
    'src/index.ts': "export { y } from './clock/system.ts'\nexport { z } from './clock/index.ts'",
    'src/run/out.ts': "import { w } from '../../test/fixtures/w.ts'",
  },
  caught: 3,
}

const outsiders: Rule = {
  name: 'agents and examples import stateloop by its name',
  applies: (path) => /^(agents|examples)\//.test(path),
  check: (files) =>
    perImport(files, (file, { specifier }) => {
      const target = targetOf(file.path, specifier)
      return target?.startsWith('src/') ? `imports ${target} instead of 'stateloop'` : undefined
    }),
  planted: { 'agents/one/agent.ts': "import { agent } from '../../src/index.ts'\nimport { t } from './tools.ts'\nimport { z } from 'stateloop'" },
  caught: 1,
}

/** Third parties that may enter through several files, and the rooms where they may. */
const wideDoors: { readonly [name: string]: readonly string[] } = {
  xstate: ['agent', 'run'],
  commander: ['cli'],
  zod: ROOMS,
  '@standard-schema/spec': ROOMS,
}

/** Third parties that may enter through one file of one room only. */
const narrowDoors: { readonly [name: string]: string } = { 'node:sqlite': 'journal', openai: 'model', undici: 'model' }

const mayEnter = (name: string): readonly string[] => wideDoors[name] ?? [narrowDoors[name] ?? []].flat()

const thirdParties: Rule = {
  name: 'every third party has one door',
  applies: (path) => inRoom(path) && roomOf(path) !== 'testing',
  check: (files) => {
    const doors = new Map<string, Set<string>>()
    const strays = perImport(files, (file, { specifier }) => {
      const name = packageOf(specifier)
      if (name === undefined || (name.startsWith('node:') && !(name in narrowDoors))) return undefined
      const room = roomOf(file.path) ?? ''
      if (!(name in wideDoors)) {
        const door = name in narrowDoors ? file.path : room
        doors.set(name, new Set([...(doors.get(name) ?? []), door]))
      }
      const rooms = mayEnter(name)
      return rooms.length === 0 || rooms.includes(room) ? undefined : `imports ${name}, whose door is in ${rooms.join(' and ')}`
    })
    const second = [...doors].filter(([, places]) => places.size > 1).map(([name, places]) => `${name} enters by ${[...places].join(' and ')}`)
    return [...strays, ...second]
  },
  planted: {
    'src/policy/machine.ts': "import type { Snapshot } from 'xstate'",
    'src/run/machine.ts': "import { createMachine } from 'xstate'",
    'src/journal/sqlite.ts': "import { DatabaseSync } from 'node:sqlite'",
    'src/journal/other.ts': "export const load = () => process.getBuiltinModule('node:sqlite')",
    'src/journal/third.ts': "export type Database = import('node:sqlite').DatabaseSync",
    'src/model/openai/sdk.ts': "export const load = () => import('openai')",
    'src/model/openai/wire.ts': "import type { Chat } from 'openai/resources'",
    'src/tool/text.ts': "import { createRequire } from 'node:module'\nconst load = createRequire(import.meta.url)\nload('yaml')",
    'src/prompt/text.ts': "import { parse } from 'yaml'",
  },
  caught: 4,
}

/** The rule that every file under `src/` is reached from one of the entry points. */
export const noDeadFiles = (entries: readonly string[]): Rule => ({
  name: 'every file under src is reached from an entry point',
  applies: (path) => path.startsWith('src/'),
  check: (files) => {
    const byPath = new Map(files.map((file) => [file.path, file]))
    const reached = new Set(entries)
    for (const path of reached) {
      for (const { specifier } of byPath.get(path)?.imports ?? []) {
        const target = targetOf(path, specifier)
        if (target !== undefined) reached.add(target)
      }
    }
    return files.filter(({ path }) => !reached.has(path)).map(({ path }) => `${path} is not reached from ${entries.join(', ')}`)
  },
  planted: {
    'src/index.ts': "export { now } from './clock/index.ts'",
    'src/clock/index.ts': "export const now = () => import('./later.ts')",
    'src/clock/later.ts': 'export const later = 1',
    'src/clock/orphan.ts': "import './island.ts'",
    'src/clock/island.ts': 'export const alone = 1',
  },
  caught: 2,
})

export const importRules: readonly Rule[] = [arrows, frontDoors, outsiders, thirdParties]
