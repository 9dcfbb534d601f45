// The arguments of a tool call as a model wrote them, read once for all providers.
import type { Json } from '../failure/index.ts'
import type { ToolCall } from '../prompt/index.ts'
import { formatIssues, parseJson } from '../schema/index.ts'
import { findUnsafe } from './unsafe.ts'

/** The arguments, or what is wrong with their text. */
export type ToolArgs = { readonly ok: true; readonly args: Json } | { readonly ok: false; readonly problem: string }

/** Text that may hold half of a surrogate pair, written out or as an escape; everything else skips the second look. */
const MAY_BE_HALF = /\\u[dD][89a-fA-F]|[\ud800-\udfff]/

/**
 * Reads the text of a call's arguments. Empty text means a call without arguments: several providers write none where
 * a tool takes none. Half characters are a problem here, not repaired: the model meant something else.
 */
export const parseToolArgs = (text: string): ToolArgs => {
  if (text.trim() === '') return { ok: true, args: {} }
  const parsed = parseJson(text)
  if (!parsed.ok) return { ok: false, problem: formatIssues(parsed.issues) }
  const unsafe = MAY_BE_HALF.test(text) ? findUnsafe(JSON.parse(text)) : undefined
  return unsafe === undefined ? { ok: true, args: parsed.value } : { ok: false, problem: unsafe }
}

/** Makes a call from a provider's pieces. Unreadable arguments become `args: null` and are kept in `raw`. */
export const toToolCall = (id: string, name: string, text: string): ToolCall => {
  const read = parseToolArgs(text)
  const call = { id: id.toWellFormed(), name: name.toWellFormed() }
  return read.ok ? { ...call, args: read.args } : { ...call, args: null, raw: text.toWellFormed() }
}
