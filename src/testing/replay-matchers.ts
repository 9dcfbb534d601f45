// Recorded runs as assertions, for any test runner. Invariant: a test fails with the report that the command line prints,
// and a folder without recordings fails as well.
import type { Agent } from '../agent/index.ts'
import { formatReport, readRecording, recordingName, replay, replayAll, type ReplayOptions, type ReplayReport } from '../replay/index.ts'

/** How recordings are replayed in tests; `agent` as in `replayAll`. */
export interface ReplayAssertion extends ReplayOptions {
  /** What recordings are replayed against. Default for a folder: the default export of the agent file beside it, such as `agent.ts`; a single recording needs it. */
  readonly agent?: Agent
}

const reportsOf = async (path: string, { agent, ...options }: ReplayAssertion): Promise<readonly ReplayReport[]> => {
  const checked = { twice: true, ...options }
  if (!path.endsWith('.jsonl')) return replayAll(path, { ...checked, ...(agent === undefined ? {} : { agent }) })
  if (agent === undefined) throw new TypeError(`To replay one recording, pass the agent: assertReplays(${JSON.stringify(path)}, { agent }).`)
  return [await replay(agent, await readRecording(path), { name: recordingName(path), ...checked })]
}

const failuresOf = (reports: readonly ReplayReport[]): string =>
  reports
    .filter(({ status }) => status !== 'same')
    .map((report) => formatReport(report))
    .join('\n')

/**
 * Throws unless every recording of a folder, or the one in a file, replays as recorded.
 * @throws Error with the report of each that does not.
 * @example test('recorded runs replay', () => assertReplays('agents/support/recordings'))
 */
export const assertReplays = async (path: string, options: ReplayAssertion = {}): Promise<void> => {
  const failures = failuresOf(await reportsOf(path, options))
  if (failures !== '') throw new Error(failures)
}

/** What a matcher tells Vitest and Jest. */
interface Matched {
  readonly pass: boolean
  readonly message: () => string
}

/**
 * Matchers for `expect.extend` of Vitest or Jest.
 * @example expect.extend(replayMatchers); await expect('agents/support/recordings').toReplay()
 */
export const replayMatchers = {
  /** Whether every recording of a folder, or the one in a file, replays as recorded. */
  async toReplay(path: string, options: ReplayAssertion = {}): Promise<Matched> {
    const failures = failuresOf(await reportsOf(path, options))
    return { pass: failures === '', message: () => (failures === '' ? `${path} replays as recorded` : failures) }
  },
}
