// A recording: an exported run as JSON lines, one for each entry, with the content it refers to. Invariant: reading it
// gives the entries exactly as the journal had them, verified by the same chain of hashes, or a failure that says where.
import { fail, type Json } from '../failure/index.ts'
import { CHAIN_START, chainHash, type Entry, type EntryBody, type RunRow, type StoredEntry } from '../journal/index.ts'
import type { Message } from '../prompt/index.ts'
import { entryText, type StepRequest } from '../run/index.ts'
import { packLarge, unpackLarge } from './blob.ts'
import { isObject, type Fields } from './data.ts'

/** Version of the recording format. Every version ever released stays readable. */
export const RECORDING_VERSION = 1

/** Values of entries whose JSON is longer are kept by hash, characters. */
const LARGE_VALUE = 8 * 1024
/** The same for messages, which many runs share: a system prompt is the same text in each. */
const LARGE_MESSAGE = 1024

/** What an attempt asked for, as far as the entries do not say it. */
export interface Ask {
  readonly key: string
  readonly attempt: number
  readonly kind: StepRequest['kind']
  /** What was called: a model, a tool, a retriever. */
  readonly name: string
  /** State path within the run. */
  readonly state: string
  /** Arguments that the author decided; those that a model chose are in its reply. */
  readonly args?: Json
  /** The full step hash of a model call; its document is among the contents. */
  readonly step?: string
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
  readonly row: RunRow
  readonly entries: readonly Entry[]
  /** What attempts asked for, by `key.attempt`; empty when the run was exported without its agent. */
  readonly asks: ReadonlyMap<string, Ask>
  /** Definitions, prompts, steps and threads, by hash. */
  readonly contents: ReadonlyMap<string, Content>
  /** Limits, retries and time limits as they were, for telling what changed. */
  readonly policy?: Json
  /** True when names and secrets were replaced before it was written. */
  readonly redacted: boolean
}

/** Id of an attempt. */
export const idOf = ({ key, attempt }: { readonly key: string; readonly attempt: number }): string => `${key}.${attempt}`

/** Entries with their chain, from bodies. */
const chained = (entries: readonly { readonly at: number; readonly body: EntryBody }[]): readonly Entry[] => {
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
    if (JSON.stringify(json) === text) return { type: 'content', hash, kind, json }
  } catch {
    // Not JSON: kept as text.
  }
  return { type: 'content', hash, kind, text }
}

/**
 * A recording as text, ending with a line end.
 * @param share takes content that recordings of one folder keep together; without it everything is in the text.
 */
export const formatRecording = ({ row, entries, asks, contents, policy, redacted }: Recording, share?: (hash: string, line: string) => void): string => {
  const lines: string[] = []
  const kept = new Set<string>()
  const content = (hash: string, line: Fields): void => {
    if (kept.has(hash)) return
    kept.add(hash)
    if (share === undefined) return void lines.push(JSON.stringify(line))
    share(hash, JSON.stringify(line))
    if (line['kind'] !== 'value') lines.push(JSON.stringify({ type: 'content', hash, kind: line['kind'] ?? null }))
  }
  const large = (hash: string, json: Json): void => content(hash, { type: 'content', hash, kind: 'value', json })
  lines.push(JSON.stringify({ type: 'run', schema: RECORDING_VERSION, redacted, row: withoutOutput(row), ...(policy === undefined ? {} : { policy }) }))
  for (const [hash, kept] of contents) content(hash, contentLine(hash, kept))
  for (const { seq, at, body } of entries) {
    const asked = (body.intents ?? []).flatMap((intent) => asks.get(idOf(intent)) ?? [])
    const packed = packLarge(body as unknown as Json, LARGE_VALUE, large)
    const packedAsks = asked.map((ask) => packLarge(ask as unknown as Json, LARGE_MESSAGE, large))
    lines.push(JSON.stringify({ type: 'entry', seq, at, body: packed, ...(packedAsks.length === 0 ? {} : { asks: packedAsks }) }))
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
  if (first?.['type'] !== 'run' || !isObject(first['row'])) return corrupt(name, 1, 'does not begin a recording')
  const schema = first['schema']
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
  const { row: written, policy, redacted } = headerOf(name, parsed[0]?.value)
  const row = written as unknown as RunRow
  const values = new Map<string, Json>()
  const contents = new Map<string, Content>()
  const load = (hash: string, number: number): Fields => parseLine(name, shared(hash) ?? corrupt(name, number, `refers to content ${hash}, which is not there`), number)
  const take = (line: Fields, number: number): void => {
    if (line['json'] === undefined && line['text'] === undefined) take(load(String(line['hash']), number), number)
    else if (line['kind'] === 'value') values.set(String(line['hash']), line['json'] ?? null)
    else contents.set(String(line['hash']), contentText(line))
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
    if (value['type'] === 'content') take(value, number)
    if (value['type'] !== 'entry') continue
    if (value['seq'] !== bodies.length || typeof value['at'] !== 'number') corrupt(name, number, `is not entry ${bodies.length}`)
    bodies.push({ at: value['at'] as number, body: unpackLarge(value['body'] ?? null, find(number)) as unknown as EntryBody })
    for (const packed of (value['asks'] ?? []) as readonly Json[]) {
      const ask = unpackLarge(packed, find(number)) as unknown as Ask
      asks.set(idOf(ask), ask)
    }
  }
  const entries = chained(bodies)
  const last = entries.at(-1)
  if (last === undefined || last.seq !== row.seq || last.hash !== row.hash) corrupt(name, lines.length, `ends at entry ${last?.seq ?? 'none'}, whose hash is not the one that the first line names for entry ${row.seq}`)
  const output = last?.body.end?.output
  return { row: output === undefined ? row : { ...row, output }, entries, asks, contents, redacted: redacted === true, ...(policy === undefined ? {} : { policy }) }
}

/** Entries as a journal stores them. */
export const storedEntries = ({ entries }: Pick<Recording, 'entries'>): readonly StoredEntry[] => entries.map(({ seq, at, hash, body }) => ({ seq, at, hash, text: entryText(body) }))
