// The content that a recorded run refers to, as a journal's store gives it. Invariant: the recording stays as it is; what
// effects put while they are performed anew is kept beside it and forgotten with the replay.
import type { Journal } from '../journal/index.ts'
import { sha256 } from '../schema/index.ts'
import type { Content } from './recording.ts'

/** A store over the contents of a recording. */
export const contentStore = (contents: ReadonlyMap<string, Content>): Pick<Journal, 'getContent' | 'putContent'> => {
  const added = new Map<string, Content>()
  return {
    getContent: async (hash) => contents.get(hash) ?? added.get(hash),
    putContent: async (kind, text) => {
      const hash = sha256(text)
      added.set(hash, { kind, text })
      return hash
    },
  }
}
