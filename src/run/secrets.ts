// What a runtime keeps secret: known values, which are replaced wherever they turn up, and parts that a schema marks, which
// are replaced by a name that only tools of the same process can turn back. Invariant: a secret is gone before it reaches
// the machine, so a resumed run sees what the live one saw.
import type { Clock } from '../clock/index.ts'
import { fail, failure, type Failure, type Json } from '../failure/index.ts'
import type { CacheStore } from '../policy/index.ts'
import { hideSecrets, type Schema } from '../schema/index.ts'
import { REDACTED, scrubber, type KnownSecret, type Scrubber } from '../trace/index.ts'
import type { Journal, RowUpdate } from '../journal/index.ts'
import type { Commit } from './port.ts'
import type { RunEventBody } from './run-event.ts'

/** The secrets of one run. */
export interface RunSecrets {
  /** Takes out what a schema marks, and whatever is known. */
  readonly hide: <T extends Json>(schema: Schema | undefined, value: T) => T
  /** Puts back what was hidden. @throws FailureError `tool_failed` for a secret that this process was never given. */
  readonly reveal: <T>(value: T) => T
  readonly scrub: Scrubber
}

/** The secrets of a runtime. */
export interface Secrets {
  readonly of: (run: string) => RunSecrets
  /** Forgets the marked parts of a run that has ended. */
  readonly forget: (run: string) => void
  /** The known values, without those of any run. */
  readonly scrub: Scrubber
}

const NAME = /\[secret:([0-9a-f-]{36})\]/g

const lost = (id: string): Failure => failure('tool_failed', `The secret ${id} was given to another process, which has ended, and secrets are not kept. Start a new run with it.`, { retryable: false })

/** A part as text that can be found in what tools and providers say; undefined for what is no text. */
const textOf = (part: unknown): string | undefined => (typeof part === 'string' ? part : typeof part === 'number' ? String(part) : undefined)

/** Puts parts back, whole ones with their type. */
const revealIn = (value: unknown, partOf: (id: string) => unknown): unknown => {
  if (typeof value === 'string') {
    if (!value.includes('[secret:')) return value
    const [whole] = [...value.matchAll(NAME)]
    if (whole !== undefined && whole[0] === value) return partOf(whole[1] ?? '')
    return value.replaceAll(NAME, (_name, id: string) => textOf(partOf(id)) ?? '')
  }
  if (Array.isArray(value)) return value.map((item) => revealIn(item, partOf))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealIn(inner, partOf)]))
}

/** Keeps the secrets of a runtime. @param known gives the values that are secret by themselves; asked each time. */
export const runtimeSecrets = (clock: Clock, known: () => readonly string[]): Secrets => {
  const vaults = new Map<string, Map<string, unknown>>()
  let base: { readonly values: readonly string[]; readonly scrub: Scrubber } | undefined
  const scrubs = new WeakMap<Map<string, unknown>, { readonly size: number; readonly base: Scrubber; readonly scrub: Scrubber }>()

  const baseNow = (): Scrubber => {
    const values = known()
    if (base === undefined || base.values.length !== values.length || values.some((value, index) => value !== base?.values[index]))
      base = { values, scrub: scrubber(values.map((value) => ({ value, replacement: REDACTED }))) }
    return base.scrub
  }
  const scrubOf = (run: string): Scrubber => {
    const own = baseNow()
    const vault = vaults.get(run)
    if (vault === undefined || base === undefined) return own
    const made = scrubs.get(vault)
    if (made?.size === vault.size && made.base === own) return made.scrub
    const parts = [...vault].flatMap(([id, part]): readonly KnownSecret[] => {
      const value = textOf(part)
      return value === undefined ? [] : [{ value, replacement: `[secret:${id}]` }]
    })
    const scrub = scrubber([...base.values.map((value) => ({ value, replacement: REDACTED })), ...parts])
    scrubs.set(vault, { size: vault.size, base: own, scrub })
    return scrub
  }
  const nameOf = (run: string, part: unknown): string => {
    const vault = vaults.get(run) ?? new Map<string, unknown>()
    vaults.set(run, vault)
    const id = [...vault].find(([, kept]) => kept === part)?.[0] ?? clock.id()
    vault.set(id, part)
    return `[secret:${id}]`
  }
  const secretsOfRun = (run: string): RunSecrets => ({
    hide: (schema, value) => {
      const hidden = hideSecrets(schema, value, (part) => (typeof part === 'string' && new RegExp(`^${NAME.source}$`).test(part) ? part : nameOf(run, part))) as typeof value
      return scrubOf(run).data(hidden)
    },
    reveal: <T>(value: T): T => {
      const vault = vaults.get(run)
      return revealIn(value, (id) => (vault?.has(id) === true ? vault.get(id) : fail(lost(id).code, lost(id).message, { retryable: false }))) as T
    },
    get scrub() {
      return scrubOf(run)
    },
  })
  return {
    of: secretsOfRun,
    forget: (run) => void vaults.delete(run),
    get scrub() {
      return baseNow()
    },
  }
}

/** JSON text without secrets, still JSON. */
export const scrubbedText = (text: string, scrub: Scrubber): string => {
  if (scrub.text(text) === text) return text
  try {
    return JSON.stringify(scrub.data(JSON.parse(text) as Json))
  } catch {
    return scrub.text(text)
  }
}

/** Fields of a row that may quote callbacks of the author. */
export const scrubbedRow = <R extends RowUpdate>(row: R, secrets: RunSecrets): R => {
  if (row.output === undefined && row.waiting === undefined) return row
  const { scrub } = secrets
  return { ...row, ...(row.output === undefined ? {} : { output: scrub.data(row.output) }), ...(row.waiting === undefined ? {} : { waiting: scrub.data(row.waiting) }) }
}

/** A commit without secrets: its cause was scrubbed before, but the end may hold what callbacks of the author made up. */
export const scrubbedCommit = (commit: Commit, secrets: RunSecrets): Commit => {
  const { end } = commit.step
  if (end === undefined && commit.row.waiting === undefined && commit.row.output === undefined) return commit
  return { ...commit, row: scrubbedRow(commit.row, secrets), ...(end === undefined ? {} : { step: { ...commit.step, end: secrets.scrub.data(end) } }) }
}

/** Events that carry what callbacks of the author made up; all others hold what was scrubbed before. */
const SPEAKING: ReadonlySet<RunEventBody['type']> = new Set(['tool.called', 'machine.emitted', 'run.waiting', 'run.ended', 'output.partial'])

/** An event without secrets. */
export const scrubbedEvent = <E extends RunEventBody>(event: E, secrets: RunSecrets): E => {
  const speaks = event.type === 'effect.started' ? event.args !== undefined : SPEAKING.has(event.type)
  return speaks ? secrets.scrub.data(event) : event
}

/** The journal as a runtime writes to it: what is not part of the chain of entries is scrubbed on the way. */
export const guardedJournal = (journal: Journal, secrets: Secrets): Pick<Journal, 'getContent' | 'putContent' | 'cache' | 'budgets'> => {
  const { cache, budgets } = journal
  const guarded: CacheStore | undefined =
    cache === undefined ? undefined : { get: (key) => cache.get(key), delete: (key) => cache.delete(key), set: (key, entry) => cache.set(key, { ...entry, text: scrubbedText(entry.text, secrets.scrub) }) }
  return {
    getContent: (hash) => journal.getContent(hash),
    putContent: (kind, text) => journal.putContent(kind, kind === 'blob' ? text : scrubbedText(text, secrets.scrub)),
    ...(guarded === undefined ? {} : { cache: guarded }),
    ...(budgets === undefined ? {} : { budgets }),
  }
}
