// What a streamed reply holds so far, as a value: a look ahead for people who watch, never validated and never journaled.
// Invariant: however long the reply, all looks together cost a constant factor more than reading it once.
import { createRequire } from 'node:module'
import type { Json } from '../../failure/index.ts'
import type { ReplyExpectation } from '../../model/index.ts'

/** The reply must have grown by this many characters, or by this share, before it is looked at again. */
const STEP_CHARACTERS = 16
const STEP_SHARE = 0.1

const load = createRequire(import.meta.url)

/** Looks at a growing reply. @param unwrap undoes the strict form of the schema. @returns what to call with each piece of text. */
export const partialReader = (unwrap: NonNullable<ReplyExpectation['output']>['unwrap'], onValue: (value: Json) => void): ((text: string) => void) => {
  const { parse } = load('partial-json') as typeof import('partial-json')
  let text = ''
  let seen = 0
  let last = ''
  return (piece) => {
    text += piece
    if (text.length < seen + Math.max(STEP_CHARACTERS, seen * STEP_SHARE)) return
    seen = text.length
    const start = text.search(/[[{]/)
    if (start < 0) return
    try {
      const parsed = parse(text.slice(start)) as Json
      const value = unwrap === undefined ? parsed : unwrap(parsed)
      const shown = JSON.stringify(value)
      if (shown === undefined || shown === last) return
      last = shown
      onValue(value)
    } catch {
      // Not JSON so far; the complete reply is judged by itself.
    }
  }
}
