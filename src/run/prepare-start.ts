// Everything before the first step: checks the input, folds the first entry, and puts it into the journal.
import type { Agent } from '../agent/index.ts'
import { sleep, type Clock } from '../clock/index.ts'
import { fail, FailureError } from '../failure/index.ts'
import type { PromptChooser } from '../prompt/index.ts'
import { CHAIN_START, chainHash, ENTRY_VERSION, type Journal, type RunRow, type StartCause } from '../journal/index.ts'
import { defined, findNonJson, formatIssues, toJson, validate } from '../schema/index.ts'
import type { RunInfo } from './effect.ts'
import { keepDefinition } from './definitions.ts'
import { entryText } from './embedded-port.ts'
import { Fold } from './fold.ts'
import type { LiveRunParts } from './live-run.ts'
import type { Budgets } from './call/budgets.ts'
import { choosePrompts } from './prompts.ts'
import type { Observer } from './observer.ts'
import { scrubbedRow, type RunSecrets, type Secrets } from './secrets.ts'
import { keepSession, loadThreads, sessionBefore } from './session.ts'

/** Who a run is for, and how it is found again. */
export interface StartOptions {
  /** Whom it is for; billed, limited and traced by this name. Default: nobody. */
  readonly user?: string
  /** The part of the product that asks: `/chat`. Default: none. */
  readonly route?: string
  /** The customer it belongs to; caches, keys and sessions of two tenants never meet. Default: none. */
  readonly tenant?: string
  /** Starting twice with the same key (and agent and tenant) gives the same run. Default: each start is a run. */
  readonly key?: string
  /** Runs of a session follow each other and share named threads. Default: the run stands alone. */
  readonly session?: string
  /** When the session has a run at work: wait for it, or fail with `session_busy`. Default `reject`. */
  readonly onBusy?: 'queue' | 'reject'
  /** Streams tokens from the first call on, even before somebody reads the events. Default false. */
  readonly stream?: boolean
  /** Where the agent was loaded from, so that a command can resume the run. Default: unknown. */
  readonly source?: string
}

/** The engine of runs that any process on the journal drives. */
export const EMBEDDED = 'embedded'

/** How often a queued start looks again, milliseconds. */
const QUEUE_POLL_MS = 100

interface StartParts {
  readonly journal: Journal
  readonly clock: Clock
  readonly owner: string
  readonly leaseMs: number
  readonly agent: Agent
  readonly input: unknown
  readonly options: StartOptions
  readonly prompts?: PromptChooser | undefined
  /** Put it into the queue with this priority instead of beginning it. */
  readonly queue?: { readonly priority: number }
  /** Which engine drives the run. Default: this library, in any process on the journal. */
  readonly engine?: string
  /** Takes a place among the runs at work; absent for a run that only queues. @throws FailureError `throttled`. */
  readonly admit?: Budgets['admit']
  /** The run's id. Default: a new one. */
  readonly id?: string
  readonly secrets: Secrets
  /** Who sees the run before it is journaled. */
  readonly observers: readonly Observer[]
}

type Prepared =
  | { readonly created: true; readonly run: string; readonly parts: Omit<LiveRunParts, 'journal' | 'acting' | 'leaseMs' | 'watchers' | 'events' | 'snapshotEvery'> }
  | { readonly created: false; readonly run: string }

const checkInput = (agent: Agent, input: unknown): StartCause['input'] => {
  const checked = validate(agent.input, input)
  if (!checked.ok)
    return fail('invalid_input', `The input of agent ${agent.id} does not match its schema: ${formatIssues(checked.issues)}.`, {
      details: { issues: checked.issues.map(({ path, message }) => ({ path, message })) },
    })
  const bad = findNonJson(checked.value ?? null)
  if (bad !== undefined) return fail('invalid_input', `The input of agent ${agent.id} holds something that JSON cannot, at ${bad}.`)
  return toJson(checked.value ?? null) ?? null
}

const startCause = async (parts: StartParts, prompts: StartCause['prompts'], secrets: RunSecrets): Promise<Omit<StartCause, 'trace'>> => {
  const { agent, options, journal, clock } = parts
  const before = options.session === undefined ? undefined : await sessionBefore(journal, options.session, agent.id)
  return {
    type: 'start',
    agent: { id: agent.id, hash: agent.hash, definition: await keepDefinition(journal, agent), ...defined({ version: agent.version }) },
    input: secrets.hide(agent.input, checkInput(agent, parts.input)),
    ...defined({ user: options.user, route: options.route, tenant: options.tenant, session: options.session, threads: before?.threads, carried: before?.carried, prompts }),
    seed: Math.floor(clock.random() * 2 ** 32),
    engine: parts.engine ?? EMBEDDED,
    ...(parts.queue === undefined ? {} : { queued: true as const }),
  }
}

const tryStart = async (parts: StartParts): Promise<Prepared> => {
  const { agent, options, journal, clock, owner, leaseMs } = parts
  const id = parts.id ?? clock.id()
  const who = defined({ user: options.user, route: options.route, tenant: options.tenant, session: options.session })
  const { recorded, versions } = await choosePrompts(journal, agent, parts.prompts, { run: id, ...who })
  const secrets = parts.secrets.of(id)
  const begun = await startCause(parts, recorded, secrets)
  const at = clock.now()
  const info: RunInfo = { id, agent: agent.id, seed: begun.seed, ...who, versions }
  const traces = parts.observers.map((observer) => observer.begin?.({ info, agent }))
  const cause: StartCause = { ...begun, ...defined({ trace: traces.find((trace) => trace !== undefined) }) }
  const fold = new Fold(info, agent, await loadThreads(journal, cause), cause.carried)
  const step = fold.apply(cause, at)
  fold.takeActs()
  const end = step.end === undefined || cause.session === undefined ? step.end : { ...step.end, session: await keepSession(journal, fold, cause, secrets.scrub) }
  const text = entryText({
    v: ENTRY_VERSION,
    cause,
    moves: step.moves,
    ...(step.intents.length === 0 ? {} : { intents: step.intents }),
    ...(end === undefined ? {} : { end: secrets.scrub.data(end) }),
  })
  const entry = { seq: 0, at, hash: chainHash(CHAIN_START, 0, at, text), text }
  const row: RunRow = {
    id,
    agent: agent.id,
    agentHash: agent.hash,
    ...defined({
      agentVersion: agent.version,
      source: options.source,
      user: options.user,
      route: options.route,
      tenant: options.tenant,
      session: options.session,
      key: options.key,
    }),
    engine: cause.engine,
    ...(parts.queue === undefined ? {} : { priority: parts.queue.priority }),
    startedAt: at,
    seq: 0,
    hash: entry.hash,
    ...scrubbedRow(fold.row(at), secrets),
  }
  const admitted = await parts.admit?.({ run: id, agent: agent.id, ...who })
  const created = await journal.create(row, entry, owner, leaseMs).finally(admitted)
  if (!created.created) return { created: false, run: created.row.id }
  return { created: true, run: id, parts: { agent, fold, start: cause, lease: created.lease, head: { seq: 0, hash: entry.hash, at }, started: step, ...defined({ prompts: recorded }) } }
}

/** The run that was started under the same key before: it has its place already, or ended. */
const startedBefore = async ({ journal, agent, options: { key, tenant } }: StartParts): Promise<RunRow | undefined> =>
  key === undefined ? undefined : (await journal.list({ agent: agent.id, key, ...defined({ tenant }) })).find((row) => row.tenant === tenant)

/** @throws FailureError `invalid_input`, `session_busy`, `throttled`, `journal_unavailable`. */
export const prepareStart = async (parts: StartParts): Promise<Prepared> => {
  for (;;) {
    try {
      return await tryStart(parts)
    } catch (error) {
      const before = error instanceof FailureError && error.code === 'throttled' ? await startedBefore(parts) : undefined
      if (before !== undefined) return { created: false, run: before.id }
      const busy = error instanceof FailureError && error.code === 'session_busy'
      if (!busy || parts.options.onBusy !== 'queue') throw error
      await sleep(parts.clock, QUEUE_POLL_MS)
    }
  }
}
