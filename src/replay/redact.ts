// A recording without what is personal in it. Names are replaced by pseudonyms in everything that came in, and the run is
// folded again, so its hashes hold. Invariant: a run that would go another way with other names is refused, not bent.
import type { Agent } from '../agent/index.ts'
import { fail, findSecrets, type Json } from '../failure/index.ts'
import type { Cause } from '../journal/index.ts'
import { callHash } from '../run/index.ts'
import { isObject } from './data.ts'
import { firstDifference } from './print.ts'
import { pseudonyms } from './pseudonym.ts'
import { chained, formatRecording, type Recording } from './recording.ts'
import { refoldRecording } from './refold.ts'
import { Replacements, type FieldChoice } from './replacements.ts'

/** What is replaced, and under which key. */
export interface RedactOptions extends FieldChoice {
  /** Secret of the pseudonyms; the same key gives the same pseudonyms in every recording. */
  readonly key: string
}

/** A redacted recording, and how many values were replaced. */
export interface Redacted {
  /** The recording with everything replaced. */
  readonly recording: Recording
  /** How many values were replaced. */
  readonly replaced: number
}

/** What of a cause came in from outside, as data. The rest is names of states and effects. */
const contentOf = (cause: Cause): Json => {
  switch (cause.type) {
    case 'start':
      return [cause.input]
    case 'attempt':
      return [cause.outcome as unknown as Json]
    case 'event':
      return [cause.event as Json]
    case 'migrated':
      return [cause.standing as unknown as Json]
    case 'timer':
    case 'resumed':
      return []
  }
}

/** Approvals name calls by hash, and a call with other arguments has another. */
const hashesIn = (values: readonly Json[], found: Replacements, map: Map<string, string>): void => {
  for (const value of values) {
    if (Array.isArray(value)) hashesIn(value, found, map)
    if (!isObject(value)) continue
    if (typeof value['name'] === 'string' && value['args'] !== undefined) map.set(callHash(value['name'], value['args']), callHash(value['name'], found.apply(value['args'])))
    hashesIn(Object.values(value), found, map)
  }
}

/** Fields of an outcome that are ours: names of models, hashes, times. */
const OURS: ReadonlySet<string> = new Set(['durationMs', 'calls', 'addedNano', 'gate', 'cached'])

const redactCause = (cause: Cause, found: Replacements, hashes: ReadonlyMap<string, string>): Cause => {
  const apply = (value: Json): Json => found.apply(value)
  const optional = (value: string | undefined): string | undefined => (value === undefined ? undefined : found.text(value))
  const who = <T extends object>(fields: T): T =>
    Object.fromEntries(
      Object.entries(fields)
        .map(([name, value]) => [name, optional(value as string | undefined)])
        .filter(([, value]) => value !== undefined),
    ) as T
  switch (cause.type) {
    case 'start':
      return { ...cause, input: apply(cause.input), ...who({ user: cause.user, tenant: cause.tenant, session: cause.session }) } as Cause
    case 'attempt':
      return { ...cause, outcome: Object.fromEntries(Object.entries(cause.outcome).map(([name, value]) => [name, OURS.has(name) ? (value as Json) : apply(value as Json)])) } as unknown as Cause
    case 'event': {
      const event = apply(cause.event as Json) as { readonly type: string; readonly [field: string]: Json }
      const mapped = (value: Json | undefined): Json | undefined => (typeof value === 'string' ? (hashes.get(value) ?? value) : Array.isArray(value) ? value.map((item) => mapped(item) ?? null) : value)
      const approval = Object.fromEntries(['hash', 'hashes'].flatMap((name) => (cause.event[name] === undefined ? [] : [[name, mapped(cause.event[name]) ?? null]])))
      return { ...cause, event: { ...event, type: cause.event.type, ...approval }, ...(cause.by === undefined ? {} : { by: found.text(cause.by) }) }
    }
    case 'migrated':
      return { ...cause, standing: apply(cause.standing as unknown as Json) as unknown as typeof cause.standing }
    case 'timer':
    case 'resumed':
      return cause
  }
}

/**
 * Replaces what is personal, and folds again.
 * @throws FailureError `usage` when the run would go another way with the pseudonyms.
 */
export const redactRecording = async (agent: Agent, recording: Recording, options: RedactOptions): Promise<Redacted> => {
  const found = new Replacements(pseudonyms(options.key), options)
  const { row } = recording
  for (const name of [row.user, row.tenant, row.session]) if (name !== undefined) found.note(name)
  for (const { body } of recording.entries) {
    found.look(contentOf(body.cause))
    if (body.cause.type === 'event' && body.cause.by !== undefined) found.note(body.cause.by)
  }
  const hashes = new Map<string, string>()
  hashesIn(
    recording.entries.map(({ body }) => contentOf(body.cause)),
    found,
    hashes,
  )
  const entries = chained(recording.entries.map(({ at, body }) => ({ at, body: { ...body, cause: redactCause(body.cause, found, hashes) } })))
  const who = Object.fromEntries((['user', 'tenant', 'session', 'key'] as const).flatMap((field) => (row[field] === undefined ? [] : [[field, found.text(row[field])]])))
  const threads = new Map([...recording.contents].map(([hash, content]) => [hash, content.kind === 'thread' ? { ...content, text: JSON.stringify(found.apply(JSON.parse(content.text) as Json)) } : content]))
  const replaced = { ...recording, entries, contents: threads, row: { ...row, ...who } }
  const refolded = await refoldRecording(agent, replaced, { versions: 'recorded', redacted: true })
  const bent = refolded.report.differences.find(({ kind }) => kind !== 'context' && kind !== 'request' && kind !== 'end')
  if (bent !== undefined) {
    fail('usage', `With pseudonyms the run would go another way: ${firstDifference({ ...refolded.report, differences: [bent] })}. Keep the field that decides this with --keep, or record without redaction.`)
  }
  return { recording: refolded.recording, replaced: found.found }
}

/** Places that a refusal lists. */
const MOST_SECRETS = 5

/**
 * Refuses a recording that holds something which looks like a secret.
 * @throws FailureError `usage` with the kinds and where they are; never with the secret.
 */
export const refuseSecrets = (recording: Recording): void => {
  const lines = formatRecording(recording).split('\n')
  const secrets = lines.flatMap((line, index) => findSecrets(line).map(({ kind, text }) => `${kind} (${text.slice(0, 4)}…) in line ${index + 1}`))
  if (secrets.length === 0) return
  fail(
    'usage',
    `The recording would hold ${secrets.slice(0, MOST_SECRETS).join(', ')}${secrets.length > MOST_SECRETS ? ` and ${secrets.length - MOST_SECRETS} more` : ''}. Nothing was written. Revoke what is real, and name the field that holds it with --redact.`,
    {
      details: { count: secrets.length },
    },
  )
}
