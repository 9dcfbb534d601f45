// When a run at work leaves snapshots, and how a resumed one goes on from the newest. Invariant: a snapshot only saves
// folding; where it is missing, damaged or of no use, all entries are folded, and the run says so.
import type { Agent } from '../agent/index.ts'
import { failureOf } from '../failure/index.ts'
import type { Journal, RunRow, StartCause, StoredEntry } from '../journal/index.ts'
import { defined } from '../schema/index.ts'
import type { Scrubber } from '../trace/index.ts'
import { refold } from './drive.ts'
import type { Head } from './embedded-port.ts'
import { recallFold } from './fold-snapshot.ts'
import type { Fold } from './fold.ts'
import { foldOf } from './open-fold.ts'

/** Entries after which a run leaves a snapshot, unless told otherwise. */
export const SNAPSHOT_EVERY = 1_000
/** A long run leaves one after so much of its length, so that writing them costs the same for each entry. */
const PART_OF_RUN = 1 / 8
/** Longer ones are not kept, characters. */
const LONGEST = 16 * 1024 * 1024

/** What a snapshot holds beside its fold, so that the entries before it need not be read. */
interface SnapshotBody {
  readonly start: StartCause
  readonly prompts?: StartCause['prompts']
}

/** A run that leaves snapshots. */
export interface SnapshotParts extends SnapshotBody {
  readonly journal: Journal
  readonly fold: Fold
  readonly scrub: () => Scrubber
  readonly head: () => Head
  readonly every: number
  /** The entry of the snapshot that the run goes on from. */
  readonly from: number
}

/** Leaves snapshots of one run. */
export interface Snapshots {
  /** To be called before a cause is folded. */
  readonly expect: () => void
  /** To be called once what it led to is durable. Never rejects: a snapshot that could not be written is only missed. */
  readonly keep: () => Promise<void>
  /** Empties the snapshot of a run that has ended. Never rejects. */
  readonly drop: () => Promise<void>
}

/** Makes them. */
export const snapshotsOf = ({ journal, fold, scrub, head, every, from, start, prompts }: SnapshotParts): Snapshots => {
  const run = fold.info.id
  let last = from
  const put = async (text: string): Promise<void> => {
    const { seq, hash } = head()
    await journal.putSnapshot(run, { seq, hash, text }, 'fold').catch(() => {})
  }
  return {
    expect: () => {
      fold.remembers = head().seq + 1 - last >= Math.max(every, last * PART_OF_RUN)
    },
    async keep() {
      const taken = fold.takeSnapshot()
      if (taken === undefined) return
      last = head().seq
      const body: SnapshotBody = { start, ...defined({ prompts }) }
      const text = `{"body":${JSON.stringify(body)},"fold":${taken}}`
      // What would have to be written differently would lead elsewhere when it is read.
      if (text.length <= LONGEST && scrub().text(text) === text) await put(text)
    },
    async drop() {
      if (head().seq >= every) await put('{}')
    },
  }
}

/** A fold where a run's entries end. */
export interface Recalled {
  readonly start: StartCause
  readonly fold: Fold
  readonly prompts: StartCause['prompts']
  readonly last: StoredEntry
  /** The entry of the snapshot. */
  readonly from: number
}

/**
 * Goes on from a run's newest snapshot.
 * @returns the fold; why there is none of use; undefined when the run has no snapshot.
 * @throws FailureError `prompt_unusable`, `journal_corrupt`, `journal_rolled_back`.
 */
export const recallRun = async (journal: Journal, agent: Agent, { id }: RunRow): Promise<Recalled | string | undefined> => {
  const kept = await journal.getSnapshot(id, 'fold')
  if (kept === undefined) return undefined
  if (kept === 'damaged') return 'it is damaged'
  const { body, fold: folded } = JSON.parse(kept.text) as { readonly body?: SnapshotBody; readonly fold?: unknown }
  if (body === undefined) return undefined
  const { start, prompts } = body
  const [at, ...tail] = await journal.read(id, kept.seq)
  if (at?.hash !== kept.hash) return 'it is of other entries'
  const fold = await foldOf(journal, agent, id, start, prompts)
  const refused = recallFold(fold, folded)
  if (refused !== undefined) return refused
  try {
    if (tail.length > 0) refold(fold, tail)
  } catch (thrown) {
    const why = failureOf(thrown)
    if (why?.code !== 'definition_changed') throw thrown
    return `what came after it does not fold: ${why.message}`
  }
  return { start, fold, prompts, last: tail.at(-1) ?? at, from: kept.seq }
}
