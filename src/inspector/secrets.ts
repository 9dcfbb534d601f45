// Takes known secrets out of everything that leaves the inspector. A journal holds none, but a prompt that is rendered
// again may, and so may a machine that reports from outside. Invariant: it works on the bytes that are sent, so that no
// field can be forgotten.
import { environmentSecrets, REDACTED, scrubber } from '../trace/index.ts'

/** A scrubber for values that were named, and for those that the environment holds. */
export const outgoing = (named: readonly string[] = []): Pick<ReturnType<typeof scrubber>, 'text' | 'data'> => scrubber([...named, ...environmentSecrets(process.env)].map((value) => ({ value, replacement: REDACTED })))
