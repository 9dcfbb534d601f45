// Reads JSON that a model wrote. Invariant: what passes is plain data that hashes, validates and stores the same on
// every machine: no key that reaches a prototype, no key twice, no bottomless nesting, no number JSON cannot write.
import type { Json } from '../failure/index.ts'
import { findNonJson, type Issue, type Validated } from './schema.ts'

/** Keys that `parseJson` refuses, since code that copies objects may reach a prototype through them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** One open bracket: an object with the keys it has so far, or an array. */
interface Frame {
  readonly keys: Set<string> | undefined
  key: string
}

/** A pair of escaped surrogates, one that is alone, or any other escape. */
const ESCAPE = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\[^]/g

/** Half of an emoji cannot be hashed or sent on as UTF-8; it becomes U+FFFD, as in any decoder. */
const wellFormed = (text: string): string => text.toWellFormed().replace(ESCAPE, (escape) => (escape.length === 6 ? '\\ufffd' : escape))

/** Index of the quote that closes the string opened at `start`, or the end of the text. */
const endOfString = (text: string, start: number): number => {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return quote
  }
  return text.length
}

const isColonNext = (text: string, from: number): boolean => {
  let at = from
  while (/\s/.test(text[at] ?? '')) at++
  return text[at] === ':'
}

/** The key between two quotes; undefined when its escapes are broken, which `JSON.parse` then reports. */
const decodeKey = (quoted: string): string | undefined => {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return JSON.parse(quoted) as string
  } catch {
    return undefined
  }
}

const pathOf = (frames: readonly Frame[]): string => frames.reduce((path, { keys, key }) => (keys === undefined ? `${path}[]` : path === '' ? key : `${path}.${key}`), '')

/** What is wrong with a key, given the objects that are open around it. */
const keyIssue = (frames: readonly Frame[], key: string): Issue | undefined => {
  const frame = frames.at(-1)
  if (frame?.keys === undefined) return undefined
  frame.key = key
  if (FORBIDDEN_KEYS.has(key)) return { path: pathOf(frames), message: `the key "${key}" is not allowed; use another name` }
  if (frame.keys.has(key)) return { path: pathOf(frames), message: `the key "${key}" is there twice; write it once` }
  frame.keys.add(key)
  return undefined
}

/** Finds the first bad key or too deep bracket in one pass, without recursion; the text need not be JSON. */
const findTrap = (text: string, maxDepth: number): Issue | undefined => {
  const frames: Frame[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      const end = endOfString(text, at)
      const key = frames.at(-1)?.keys !== undefined && isColonNext(text, end + 1) ? decodeKey(text.slice(at, end + 1)) : undefined
      const issue = key === undefined ? undefined : keyIssue(frames, key)
      if (issue !== undefined) return issue
      at = end
    } else if (char === '{' || char === '[') {
      if (frames.length === maxDepth) return { path: '', message: `nested deeper than ${maxDepth} levels; make it flatter` }
      frames.push({ keys: char === '{' ? new Set() : undefined, key: '' })
    } else if (char === '}' || char === ']') frames.pop()
  }
  return undefined
}

const wrong = (path: string, message: string): Validated<never> => ({ ok: false, issues: [{ path, message }] })

/**
 * Reads JSON from a source that is not trusted: tool arguments and structured output of a model.
 * Refused beside what `JSON.parse` refuses: the keys `__proto__`, `constructor` and `prototype` at any depth, a key that
 * one object has twice (readers disagree on which one counts), nesting below `maxDepth` (default 100) and numbers like
 * `1e999`. A lone surrogate becomes U+FFFD.
 * @example parseJson('{"a":1,"a":2}') // { ok: false, issues: [{ path: 'a', message: 'the key "a" is there twice; …' }] }
 */
export const parseJson = (text: string, { maxDepth = 100 }: { readonly maxDepth?: number } = {}): Validated<Json> => {
  if (text.trim() === '') return wrong('', 'expected JSON, found no text')
  const clean = wellFormed(text)
  const trap = findTrap(clean, maxDepth)
  if (trap !== undefined) return { ok: false, issues: [trap] }
  try {
    const value = JSON.parse(clean) as Json
    const endless = findNonJson(value)
    return endless === undefined ? { ok: true, value } : wrong(endless, 'the number is too large')
  } catch (error) {
    return wrong('', `not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
