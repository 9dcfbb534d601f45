// One run as both APIs tell it: text as it comes, then the complete reply. Invariant: what is told adds up to the reply, or
// the telling fails; and a run that nobody listens to any more is cancelled.
import type { Usage } from '../../cost/index.ts'
import { fail } from '../../failure/index.ts'
import type { EntryBody } from '../../journal/index.ts'
import type { ModelReply } from '../../model/index.ts'
import { textOf } from '../../prompt/index.ts'
import type { RunOutcome } from '../../run/index.ts'
import { addUsage, narrate, NOTHING_USED, type Narration, type Piece } from '../chat/narrate.ts'
import type { ServerParts } from '../options.ts'
import type { ServerContext } from '../requests.ts'
import { optionsOf, startRun } from '../routes/runs.ts'
import type { Answerer, Asked } from './answerer.ts'

/** What is told of a run. */
export type Told = { readonly type: 'idle' } | { readonly type: 'text'; readonly text: string } | { readonly type: 'rested'; readonly reply: ModelReply }

/** A run and who listens to it. */
export interface Telling {
  readonly run: string
  /** Ends with `rested`. @throws FailureError what the run failed with, where no finish reason says it. */
  readonly told: AsyncGenerator<Told, void>
  /** Stops listening; a run that has not rested is cancelled. */
  readonly leave: () => void
}

/** What a model said before its reply was rejected: a truncated one is worth telling. */
const rejectedText = async ({ runtime }: ServerParts, { run }: RunOutcome): Promise<string> => {
  const row = await runtime.get(run)
  const entries = row === undefined ? [] : await runtime.journal.read(run, Math.max(0, row.seq - 1))
  const causes = entries.map((entry) => (JSON.parse(entry.text) as EntryBody).cause)
  const rejected = causes.findLast((cause) => cause.type === 'attempt' && !cause.outcome.ok)
  return rejected?.type === 'attempt' && !rejected.outcome.ok && rejected.outcome.reply !== undefined ? textOf(rejected.outcome.reply.content) : ''
}

/** Failures that are a reply's way to end. */
const FINISH: { readonly [code: string]: ModelReply['finish'] } = { truncated: 'length', content_filtered: 'content_filter', refused: 'stop' }

const waits = (run: string): never => fail('event_not_accepted', `Run ${run} waits for a person. GET /v1/runs/${run} says for what; this protocol has no words for it.`, { details: { run } })

/** A run that ended as a model's reply. @throws FailureError what it failed with, where no finish reason says it. */
const replyOf = async (parts: ServerParts, { say }: Answerer, model: string, { outcome, usage }: Extract<Piece, { readonly type: 'ended' }>): Promise<ModelReply> => {
  const reply = (message: Omit<ModelReply['message'], 'role'>, finish: ModelReply['finish'], refusal?: string): ModelReply => ({
    message: { role: 'assistant', ...message },
    finish,
    usage,
    model,
    ...(refusal === undefined ? {} : { refusal }),
  })
  if (outcome.outcome === 'waiting') return waits(outcome.run)
  if (outcome.outcome === 'done') {
    const { finish, ...message } = say(outcome.output)
    return reply(message, finish)
  }
  const { failure: failed } = outcome
  const finish = FINISH[failed.code]
  if (finish === undefined)
    return fail(failed.code, failed.message, { retryable: failed.retryable, ...(failed.details === undefined ? {} : { details: failed.details }), ...(failed.provider === undefined ? {} : { provider: failed.provider }) })
  if (failed.code === 'refused') return reply({ content: '' }, finish, typeof failed.details?.['refusal'] === 'string' ? failed.details['refusal'] : failed.message)
  return reply({ content: await rejectedText(parts, outcome) }, finish)
}

const brokenOff = (): never => fail('stream_truncated', 'The model broke off in the middle of its answer, or said what does not match the schema, so what was said so far does not count. Ask again.', { retryable: true })

const STARTS_JSON = /^\s*[[{]/

/** What tells how the run ended. */
type Ended = Extract<Piece, { readonly type: 'ended' }>

async function* tell(next: Narration['next'], { structured }: Answerer, rested: (piece: Ended) => Promise<ModelReply>, run: string): AsyncGenerator<Told, void> {
  /** Text of the last call that was heard, and how much of it was said. */
  let heard = { key: '', text: '', said: '' }
  /** The call that was heard failed: what comes instead of it cannot follow what was said. */
  let failed = false
  for (;;) {
    const piece = await next()
    if (piece === undefined) return fail('draining', 'The client left before the run rested.')
    if (piece.type === 'idle') yield { type: 'idle' }
    if (piece.type === 'failed') failed ||= piece.key === heard.key && heard.said !== ''
    if (piece.type === 'text') {
      if (failed) return brokenOff()
      const before = piece.key === heard.key ? heard : { text: '', said: '' }
      const text = before.text + piece.text
      // A model that was not held to the schema may begin with words or a code fence: then only the end shows the JSON.
      const now = structured && !STARTS_JSON.test(text) ? '' : text.slice(before.said.length)
      heard = { key: piece.key, text, said: before.said + now }
      if (now !== '') yield { type: 'text', text: now }
    }
    if (piece.type === 'discarded' && piece.key === heard.key) {
      if (heard.said !== '') return brokenOff()
      heard = { key: '', text: '', said: '' }
    }
    if (piece.type === 'waiting') return waits(run)
    if (piece.type !== 'ended') continue
    if (failed && piece.outcome.outcome === 'done') return brokenOff()
    const reply = await rested(piece)
    const said = textOf(reply.message.content)
    if (said !== heard.said && structured && heard.said !== '') return brokenOff()
    const missing = said.startsWith(heard.said) ? said.slice(heard.said.length) : `\n\n${said}`
    if (said !== '' && missing !== '') yield { type: 'text', text: missing }
    yield { type: 'rested', reply }
    return
  }
}

/** What the calls of a run were billed for, failed attempts included. */
const usageOf = async ({ runtime }: ServerParts, run: string): Promise<Usage> => {
  const outcomes = (await runtime.entries(run)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' ? [cause.outcome] : []))
  return outcomes.flatMap(({ calls = [] }) => calls).reduce<Usage>((sum, { usage }) => addUsage(sum, usage ?? NOTHING_USED), NOTHING_USED)
}

/** Waits for a run without listening to it, so that its calls are not streamed: a client that wants no stream may have a reason. */
async function* tellWhole(parts: ServerParts, run: string, rested: (piece: Ended) => Promise<ModelReply>, listen: () => AsyncGenerator<Told, void>): AsyncGenerator<Told, void> {
  const outcome = await parts.runtime.outcome(run)
  // Another process may drive the run, or only time is waited for.
  if (outcome.outcome === 'waiting') return yield* listen()
  yield { type: 'rested', reply: await rested({ type: 'ended', outcome, usage: await usageOf(parts, run) }) }
}

/** Starts the run that answers, and listens to it. @param at its place among several answers to one request. */
export const startTelling = async (parts: ServerParts, context: ServerContext, answerer: Answerer, { model, body, stream }: Asked, at: number): Promise<Telling> => {
  const named = body['user'] ?? body['safety_identifier']
  const user = typeof named === 'string' ? { user: named.slice(0, 256) } : {}
  const { key, ...identity } = optionsOf(context)
  // A key stands for one run, so each answer has its own.
  const own = key === undefined ? {} : { key: at === 0 ? key : `${key}/${at}` }
  const { id } = await startRun(parts, answerer.agent, answerer.input, { ...user, ...identity, ...own, stream })
  let narration: Narration | undefined
  let resting = false
  let left = false
  const next = async (): Promise<Piece | undefined> => {
    narration ??= await narrate(parts, id, answerer.agent, stream ? answerer.tokens : () => false)
    if (left) narration.close()
    const piece = await narration.next()
    resting ||= piece?.type === 'ended' || piece?.type === 'waiting'
    return piece
  }
  const rested = (piece: Ended): Promise<ModelReply> => {
    resting = true
    return replyOf(parts, answerer, model, piece)
  }
  const listen = (): AsyncGenerator<Told, void> => tell(next, answerer, rested, id)
  return {
    run: id,
    told: stream ? listen() : tellWhole(parts, id, rested, listen),
    leave: () => {
      left = true
      narration?.close()
      if (!resting) void parts.runtime.cancel(id, 'the client went away').catch(() => {})
    },
  }
}
