// Folds a recording again and keeps what comes out as a new recording: after its values were replaced, or for an agent
// that changed. Invariant: hashes, rows and requests of the new one are those of this fold.
import type { Agent } from '../agent/index.ts'
import type { CallRecord, EntryBody } from '../journal/index.ts'
import { hashesOf, type CallHashes, type Fold, type StepRequest } from '../run/index.ts'
import { Assembly, identityOf } from './assembly.ts'
import type { ReplayReport } from './difference.ts'
import { firstFolded, idOf, type Content, type Recording } from './recording.ts'
import { replayWith, type ReplayOptions } from './replay.ts'

/** A recording made anew, and how it differs from the one it came from. */
export interface Refolded {
  /** The new recording. */
  readonly recording: Recording
  /** How it differs from the old one. */
  readonly report: ReplayReport
}

/** What the new recording says about its agent. */
interface RefoldOptions extends ReplayOptions {
  /** `recorded`: the same agent as before. `current`: this one, with its prompts. */
  readonly versions: 'recorded' | 'current'
  readonly redacted?: boolean
}

const withHashes = (calls: readonly CallRecord[], hashes: CallHashes): readonly CallRecord[] => calls.map((call, index) => (index === 0 && call.requestHash !== undefined ? { ...call, ...hashes } : call))

/** Folds everything that the recording can answer. */
export const refoldRecording = async (agent: Agent, recording: Recording, options: RefoldOptions): Promise<Refolded> => {
  const { versions, redacted = recording.redacted, ...replayOptions } = options
  const identity = identityOf(agent)
  const hashes = new Map<string, CallHashes>()
  const assembly = new Assembly()
  for (const { at, body } of recording.entries.slice(0, firstFolded(recording))) assembly.keep(at, body)
  let fold: Fold | undefined
  const change = (body: EntryBody): EntryBody => {
    const { cause } = body
    if (versions === 'current' && (cause.type === 'start' || cause.type === 'migrated')) return { ...body, cause: { ...cause, agent: identity.agent, ...identity.prompts } }
    const asked = cause.type === 'attempt' ? hashes.get(idOf(cause)) : undefined
    if (cause.type !== 'attempt' || asked === undefined || cause.outcome.calls === undefined) return body
    return { ...body, cause: { ...cause, outcome: { ...cause.outcome, calls: withHashes(cause.outcome.calls, asked) } } }
  }
  const report = await replayWith(
    agent,
    recording,
    { ...replayOptions, all: true },
    {
      versions,
      onRequest: (request: StepRequest) => {
        assembly.request(request)
        const ask = request.call?.()
        if (ask !== undefined) hashes.set(idOf(request), hashesOf(ask))
      },
      onReplayed: (folded, commit) => {
        fold = folded
        assembly.commit(commit, change)
      },
    },
  )
  if (fold === undefined) throw new Error('Nothing was folded.')
  const { row } = recording
  const agentOf = versions === 'current' ? { agentHash: agent.hash, ...(agent.version === undefined ? {} : { agentVersion: agent.version }) } : {}
  // Steps, prompts and limits of the old agent would only be kept for nobody.
  const kept = [...recording.contents].filter(([, { kind }]) => versions === 'recorded' || kind === 'thread' || kind === 'blob')
  const contents = new Map<string, Content>([...kept, ...(versions === 'current' ? identity.contents : [])])
  return { recording: assembly.finish(agent, fold, { ...row, ...agentOf }, contents, redacted), report }
}
