// A recording: an exported run as JSON lines, one for each entry, with the content it refers to. Invariant: reading it
// gives the entries exactly as the journal had them, verified by the same chain of hashes, or a failure that says where.
import { fail, type Json } from '../failure/index.ts'
import { CHAIN_START, chainHash, type Entry, type EntryBody, type RunRow, type StoredEntry } from '../journal/index.ts'
import type { Message } from '../prompt/index.ts'
import { entryText, type CallHashes, type StepRequest } from '../run/index.ts'
import { sha256 } from '../schema/index.ts'
import { packLarge, unpackLarge } from './blob.ts'
import { isObject, type Fields } from './data.ts'
import { withoutSaid, withSaid } from './said.ts'

/** Version of the recording format. Every version ever released stays readable. */
export const RECORDING_VERSION = 1

/** Values whose JSON is longer are kept by hash, characters: where a recording stands alone, and where several share them. */
const LARGE = { alone: 8 * 1024, shared: 1024 }

/** What an attempt asked for, as far as the entries do not say it. A line has one for each intent of its entry. */
export interface Ask {
  readonly kind: StepRequest['kind']
  /** What was called: a model, a tool, a retriever. */
  readonly name: string
  /** Arguments that the author decided; those that a model chose are in its reply. */
  readonly args?: Json
  /** Hash of the arguments, whoever decided them. */
  readonly argsHash?: string
  /** Hashes of a model call whose outcome does not say them: one that was not billed. */
  readonly hashes?: CallHashes
  /** Messages that no entry holds and that came into the thread since the last ask: those the prompt rendered. */
  readonly messages?: readonly Message[]
}

/** Text that a run refers to by hash. */
export interface Content {
  readonly kind: string
  readonly text: string
}

/** An exported run. */
export interface Recording {
  /** The run as lists show it. */
  readonly row: RunRow
  /** Its entries, in order. */
  readonly entries: readonly Entry[]
  /** What attempts asked for, by `key.attempt`; empty when the run was exported without its agent. */
  readonly asks: ReadonlyMap<string, Ask>
  /** Definitions, prompts, steps, limits and threads, by hash. */
  readonly contents: ReadonlyMap<string, Content>
  /** True when names and secrets were replaced before it was written. */
  readonly redacted: boolean
}

/** Id of an attempt. */
export const idOf = ({ key, attempt }: { readonly key: string; readonly attempt: number }): string => `${key}.${attempt}`

/** Hash of a call's arguments; undefined when it has none. */
export const argsHashOf = (args: Json | undefined): string | undefined => (args === undefined ? undefined : sha256(JSON.stringify(args)).slice(0, 16))

/** Entries with their chain, from bodies. */
export const chained = (entries: readonly { readonly at: number; readonly body: EntryBody }[]): readonly Entry[] => {
  let previous = CHAIN_START
  return entries.map(({ at, body }, seq) => {
    previous = chainHash(previous, seq, at, entryText(body))
    return { seq, at, hash: previous, body }
  })
}

/** A row without what its last entry says. */
const withoutOutput = ({ output: _output, ...row }: RunRow): Omit<RunRow, 'output'> => row

/** Content as a line keeps it: JSON as data where it reads back as the same text. */
const contentLine = (hash: string, { kind, text }: Content): Fields => {
  try {
    const json = JSON.parse(text) as Json
    if (JSON.stringify(json) === text) return { content: hash, kind, json }
  } catch {
    // Not JSON: kept as text.
  }
  return { content: hash, kind, text }
}

/**
 * A recording as text, ending with a line end.
 * @param share takes content that recordings of one folder keep together; without it everything is in the text.
 */
export const formatRecording = ({ row, entries, asks, contents, redacted }: Recording, share?: (hash: string, line: string) => void): string => {
  const lines: string[] = []
  const kept = new Set<string>()
  const content = (hash: string, line: Fields): void => {
    if (kept.has(hash)) return
    kept.add(hash)
    if (share === undefined) return void lines.push(JSON.stringify(line))
    share(hash, JSON.stringify(line))
    if (line['kind'] !== 'value') lines.push(JSON.stringify({ content: hash, kind: line['kind'] ?? null }))
  }
  const most = share === undefined ? LARGE.alone : LARGE.shared
  const large = (hash: string, json: Json): void => content(hash, { content: hash, kind: 'value', json })
  lines.push(JSON.stringify({ recording: RECORDING_VERSION, redacted, row: withoutOutput(row) }))
  for (const [hash, kept] of contents) content(hash, contentLine(hash, kept))
  for (const { seq, at, body } of entries) {
    const asked = (body.intents ?? []).map((intent) => packLarge(withoutSaid((asks.get(idOf(intent)) ?? null) as Json, body.cause as unknown as Json), most, large))
    const packed = packLarge(body as unknown as Json, most, large)
    lines.push(JSON.stringify({ entry: seq, at, body: packed, ...(asked.every((ask) => ask === null) ? {} : { asks: asked }) }))
  }
  return `${lines.join('\n')}\n`
}

const corrupt = (name: string, line: number, seen: string): never => fail('journal_corrupt', `Reading recording ${name}, line ${line} ${seen}. Record the run again, or restore the file.`, { details: { line } })

const parseLine = (name: string, text: string, number: number): Fields => {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : corrupt(name, number, 'is not an object')
  } catch (error) {
    return corrupt(name, number, `is not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

const headerOf = (name: string, first: Fields | undefined): Fields => {
  if (first === undefined || !isObject(first['row'])) return corrupt(name, 1, 'does not begin a recording')
  const schema = first['recording']
  if (typeof schema !== 'number' || schema < 1) return corrupt(name, 1, 'names no version of the format')
  if (schema > RECORDING_VERSION) fail('usage', `Recording ${name} has version ${schema} of the format, and this version of Stateloop reads up to ${RECORDING_VERSION}. Update Stateloop.`)
  return first
}

const contentText = (line: Fields): Content => ({ kind: String(line['kind']), text: line['text'] === undefined ? JSON.stringify(line['json']) : String(line['text']) })

/**
 * Reads a recording.
 * @param name for messages: the file.
 * @param shared gives the line of content that recordings of a folder keep together.
 * @throws FailureError `journal_corrupt` with the line, `usage` when it was written by a newer version.
 */
export const parseRecording = (text: string, name = 'recording', shared: (hash: string) => string | undefined = () => undefined): Recording => {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const parsed = lines.flatMap((line, index) => (line === '' ? [] : [{ number: index + 1, value: parseLine(name, line, index + 1) }]))
  const { row: written, redacted } = headerOf(name, parsed[0]?.value)
  const row = written as unknown as RunRow
  const values = new Map<string, Json>()
  const contents = new Map<string, Content>()
  const load = (hash: string, number: number): Fields => parseLine(name, shared(hash) ?? corrupt(name, number, `refers to content ${hash}, which is not there`), number)
  const take = (line: Fields, number: number): void => {
    if (line['json'] === undefined && line['text'] === undefined) take(load(String(line['content']), number), number)
    else if (line['kind'] === 'value') values.set(String(line['content']), line['json'] ?? null)
    else contents.set(String(line['content']), contentText(line))
  }
  const find =
    (number: number) =>
    (hash: string): Json => {
      if (!values.has(hash)) take(load(hash, number), number)
      return values.get(hash) ?? corrupt(name, number, `refers to content ${hash}, which is not a value`)
    }
  const bodies: { readonly at: number; readonly body: EntryBody }[] = []
  const asks = new Map<string, Ask>()
  for (const { number, value } of parsed.slice(1)) {
    if (value['content'] !== undefined) take(value, number)
    if (value['entry'] === undefined) continue
    if (value['entry'] !== bodies.length || typeof value['at'] !== 'number') corrupt(name, number, `is not entry ${bodies.length}`)
    const body = unpackLarge(value['body'] ?? null, find(number)) as unknown as EntryBody
    bodies.push({ at: value['at'] as number, body })
    const asked = (value['asks'] ?? []) as readonly Json[]
    for (const [index, intent] of (body.intents ?? []).entries()) if (isObject(asked[index])) asks.set(idOf(intent), withSaid(unpackLarge(asked[index], find(number)), body.cause as unknown as Json) as unknown as Ask)
  }
  const entries = chained(bodies)
  const last = entries.at(-1)
  if (last === undefined || last.seq !== row.seq || last.hash !== row.hash) corrupt(name, lines.length, `ends at entry ${last?.seq ?? 'none'}, whose hash is not the one that the first line names for entry ${row.seq}`)
  const output = last?.body.end?.output
  return { row: output === undefined ? row : { ...row, output }, entries, asks, contents, redacted: redacted === true }
}

/** Entries as a journal stores them. */
export const storedEntries = ({ entries }: Pick<Recording, 'entries'>): readonly StoredEntry[] => entries.map(({ seq, at, hash, body }) => ({ seq, at, hash, text: entryText(body) }))

/** Position of the entry that a fold begins with: entries before the last migration belong to the agent as it was then. */
export const firstFolded = ({ entries }: Pick<Recording, 'entries'>): number =>
  Math.max(
    0,
    entries.findLastIndex(({ body }) => body.cause.type === 'migrated'),
  )
