// What the support agent can do: read a page of the docs, and file a ticket in an embedded SQLite table. Filing is
// irreversible, so a person approves exactly that ticket before it happens.
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { defineTool, type ToolContext } from 'stateloop'
import { z } from 'zod'

/** Root of the documentation the agent answers from. */
export const docsFolder = resolve(import.meta.dirname, '../../docs')

/** Longest page that is handed to a model, characters. */
const LONGEST_PAGE = 6_000

export const readPage = defineTool({
  description: 'Reads one page of the documentation. Use the source of a document, for example how-to/limits.md.',
  input: z.object({ source: z.string() }),
  output: z.object({ source: z.string(), text: z.string() }),
  run: ({ source }) => {
    const path = resolve(docsFolder, source.replace(/#.*$/, '').replace(/^docs\//, ''))
    if (relative(docsFolder, path).startsWith('..') || !path.endsWith('.md')) throw new Error(`${source} is not a page of the documentation.`)
    return { source, text: readFileSync(path, 'utf8').slice(0, LONGEST_PAGE) }
  },
})

/** The table that tickets go to. */
export interface Tickets {
  /** Files a ticket; the same key files it once. @returns its number. */
  readonly file: (key: string, user: string, subject: string) => number
  readonly all: () => readonly { readonly id: number; readonly user: string; readonly subject: string }[]
  readonly close: () => void
}

/** Opens the table, making it when it is not there. */
export const openTickets = (path: string): Tickets => {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec('create table if not exists tickets (id integer primary key, key text not null unique, user text not null, subject text not null) strict')
  const insert = db.prepare('insert into tickets (key, user, subject) values (?, ?, ?) on conflict (key) do nothing')
  const find = db.prepare('select id from tickets where key = ?')
  return {
    file: (key, user, subject) => {
      insert.run(key, user, subject)
      return Number(find.get(key)?.['id'])
    },
    all: () =>
      db
        .prepare('select id, user, subject from tickets order by id')
        .all()
        .map((row) => ({ id: Number(row['id']), user: String(row['user']), subject: String(row['subject']) })),
    close: () => db.close(),
  }
}

/** The application's objects that the runtime hands to tools. */
export const services = (): { readonly tickets: Tickets } => ({ tickets: openTickets(join(process.cwd(), '.stateloop', 'tickets.db')) })

export const fileTicket = defineTool({
  description: 'Files a ticket, so that a person answers the user.',
  input: z.object({ subject: z.string().min(3).max(300) }),
  output: z.object({ ticket: z.number() }),
  effect: 'irreversible',
  idempotent: true,
  run: ({ subject }, context: ToolContext) => ({ ticket: (context.services['tickets'] as Tickets).file(context.key, context.user ?? 'unknown', subject) }),
})
