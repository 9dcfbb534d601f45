// How a text changed, word by word.
import { diffSequence } from './diff-sequence.ts'

/** A run of text that stayed, came or went. Joined without `removed` the runs are the new text, without `added` the old. */
export interface WordChange {
  readonly kind: 'same' | 'added' | 'removed'
  readonly text: string
}

// Scripts that put no spaces between words are compared character by character.
const WORDS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}_]+?(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[^\p{L}\p{N}\p{M}_]|$)|\n|[^\S\n]+|[^]/gu

/** Compares two texts. */
export const diffWords = (before: string, after: string): readonly WordChange[] => {
  const edits = diffSequence(before.match(WORDS) ?? [], after.match(WORDS) ?? [], (word) => word)
  const changes: WordChange[] = []
  let removed = ''
  let added = ''
  const flush = (): void => {
    if (removed !== '') changes.push({ kind: 'removed', text: removed })
    if (added !== '') changes.push({ kind: 'added', text: added })
    removed = added = ''
  }
  for (const { kind, value } of edits) {
    if (kind === 'removed') removed += value
    else if (kind === 'added') added += value
    else {
      flush()
      const last = changes.at(-1)
      if (last?.kind === 'same') changes[changes.length - 1] = { kind: 'same', text: last.text + value }
      else changes.push({ kind: 'same', text: value })
    }
  }
  flush()
  return changes
}
