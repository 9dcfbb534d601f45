// A hand-written loop as one state. The loop runs beside the machine and asks it for calls; each call is an attempt under
// its own key, and the loop goes on when the results are durable. Invariant: what the loop is given comes from the journal,
// so that running it again from its beginning leads to where it was.
import { toModelRef, type CodeSpec, type KeyedCalls, type KeyedReply } from '../../agent/index.ts'
import { fail, failure, failureOf, FailureError, type Json } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import { textOf, type Message } from '../../prompt/index.ts'
import type { ToolSchema } from '../../model/index.ts'
import { canonical, shortHash, toJson } from '../../schema/index.ts'
import type { Document, Retriever, Tool } from '../../tool/index.ts'
import { askModel } from '../call/ask-model.ts'
import type { ModelAsk } from '../call/ask.ts'
import type { EffectContext, OpenEffect, StepIo } from '../effect.ts'
import { Thread } from '../thread.ts'
import { attempts, callOfTimer, type Attempts } from './attempts.ts'
import { toolSchemasOf } from './model.ts'
import { checkResult, performTool } from './perform-tool.ts'
import { performSearch } from './retrieve.ts'
import { safetyOf } from './tool.ts'

/** Largest result of a loop, bytes of JSON. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024

/** Calls that may be refused for a limit of the run before a loop that goes on regardless is ended. */
const GRACE = 8

/** A call that the loop asks for, as the journal keeps it. */
interface Ask {
  readonly key: string
  readonly kind: 'model' | 'tool' | 'retrieve'
  readonly name: string
  readonly args: Json
  readonly safety: 'repeat' | 'ask'
}

/** What one round of the loop came to: calls it waits for, or its result. */
type Round = { readonly asks: readonly Ask[] } | { readonly output: Json }

interface ModelArgs {
  readonly model: string
  readonly messages: readonly Message[]
  readonly tools: readonly ToolSchema[]
  readonly maxOutputTokens?: number
  readonly temperature?: number
}

type LoopEnd = { readonly value: unknown } | { readonly thrown: unknown }
type Perform = (io: StepIo) => Promise<Outcome>

/** A call of the loop in this process. */
interface Waiting {
  readonly perform: Perform
  readonly settle: (outcome: Outcome) => void
}

const KEY = /^[\w-]{1,100}$/

/** `look` for the keys `look-1` and `look-2`. */
const nameOf = (key: string): string => key.replace(/(?:[-_]?\d+)+$/, '') || key

/** The loop as it runs in this process. */
class LiveLoop {
  readonly #waiting = new Map<string, Waiting>()
  readonly #used = new Set<string>()
  readonly #known: ReadonlyMap<string, Ask>
  readonly #results: ReadonlyMap<string, Outcome>
  readonly #context: EffectContext
  #asks: Ask[] = []
  #end: LoopEnd | undefined
  #changed = Promise.withResolvers<void>()

  constructor(loop: NonNullable<CodeSpec['keyed']>, context: EffectContext, known: ReadonlyMap<string, Ask>, results: ReadonlyMap<string, Outcome>, io: StepIo) {
    this.#context = context
    this.#known = known
    this.#results = results
    const begin = async (): Promise<unknown> => loop(this.#calls(io.signal))
    begin().then(
      (value) => this.#note({ value }),
      (thrown: unknown) => this.#note({ thrown }),
    )
  }

  /** Gives the loop what has become durable. */
  feed(): void {
    for (const [key, outcome] of this.#results) {
      this.#waiting.get(key)?.settle(outcome)
      this.#waiting.delete(key)
    }
  }

  /** Waits until the loop asks for calls or ends. */
  async round(): Promise<Round> {
    for (;;) {
      // Calls made in the same turn are asked for together.
      await new Promise<void>((resolve) => void setImmediate(resolve))
      if (this.#asks.length > 0) {
        const asks = this.#asks
        this.#asks = []
        return { asks }
      }
      if (this.#end !== undefined) {
        if ('thrown' in this.#end) throw this.#end.thrown
        const checked = await checkResult(`Loop ${this.#context.state}`, this.#end.value, undefined, MAX_RESULT_BYTES, 'code_failed')
        return 'value' in checked ? { output: checked.value } : fail(checked.failure.code, checked.failure.message)
      }
      await this.#changed.promise
      this.#changed = Promise.withResolvers<void>()
    }
  }

  /** How a journaled call is performed; waits until the loop has come to it. */
  async performer(key: string): Promise<Perform> {
    for (;;) {
      const found = this.#waiting.get(key)
      if (found !== undefined) return found.perform
      if (this.#end !== undefined) return fail('code_failed', `The loop does not call ${key} any more, though the journal says that it did. Run it with the code that it was started with.`)
      await this.#changed.promise
    }
  }

  #note(end: LoopEnd): void {
    this.#end = end
    this.#changed.resolve()
  }

  async #ask(ask: Ask, perform: Perform): Promise<Json> {
    const { key } = ask
    if (!KEY.test(key)) throw new TypeError(`${JSON.stringify(key)} cannot be a key. Use letters, digits, _ and -, at most 100.`)
    if (this.#used.has(key)) throw new TypeError(`The key ${key} was used twice. Each call of a run needs its own: ${key}-2.`)
    this.#used.add(key)
    const known = this.#known.get(key)
    if (known !== undefined && canonical(known) !== canonical(ask))
      fail('code_failed', `The loop calls ${key} with something else than the journal says. Run it with the code that it was started with, or start a new run.`)
    const outcome = this.#results.get(key) ?? (await this.#wait(ask, perform, known === undefined))
    if (!outcome.ok) throw new FailureError(outcome.failure)
    return outcome.value
  }

  #wait(ask: Ask, perform: Perform, isNew: boolean): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.#waiting.set(ask.key, { perform, settle: resolve })
    if (isNew) this.#asks.push(ask)
    this.#changed.resolve()
    return promise
  }

  #calls(signal: AbortSignal): KeyedCalls {
    const context = this.#context
    const { user, tenant } = context.run
    const performing =
      (name: string, tool: Tool, args: Json, key: string): Perform =>
      (io) =>
        performTool({ context, name, tool, args, suffix: key }, io)
    return {
      ...(user === undefined ? {} : { user }),
      ...(tenant === undefined ? {} : { tenant }),
      signal,
      model: async (key, { model, messages, tools = {}, ...params }) => {
        const args = { model, messages: typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages, tools: toolSchemasOf(tools), ...params }
        const ask: Ask = { key, kind: 'model', name: model, args: toJson(args) ?? null, safety: 'repeat' }
        const value = await this.#ask(ask, (io) => askModel({ ...modelAsk(context, ask), expected: { tools } }, io))
        const { content, calls } = value as unknown as KeyedReply['message']
        return { message: { role: 'assistant', content, ...(calls === undefined ? {} : { calls }) }, text: textOf(content), calls: calls ?? [] }
      },
      tool: async (key, tool, args) => {
        const json = toJson(args) ?? null
        return (await this.#ask({ key, kind: 'tool', name: nameOf(key), args: json, safety: safetyOf(tool) }, performing(nameOf(key), tool, json, key))) as never
      },
      retrieve: async (key, retriever: Retriever, request) => {
        const search = { what: `Retriever ${nameOf(key)}`, name: nameOf(key), source: retriever, args: { ...request }, parts: null, search: (tool: Parameters<Retriever['search']>[1]) => retriever.search(request, tool) }
        return (await this.#ask({ key, kind: 'retrieve', name: nameOf(key), args: { ...request }, safety: 'repeat' }, (io) => performSearch(search, context, io, key))) as unknown as readonly Document[]
      },
    }
  }
}

const modelAsk = (context: EffectContext, { key, args }: Ask): ModelAsk => {
  const { model: name, messages, tools, ...params } = args as unknown as ModelArgs
  const model = toModelRef(nameOf(key), { model: name as `${string}/${string}`, ...params })
  if (typeof model === 'string') return fail('invalid_request', model)
  const id = `${context.agent.id}/${nameOf(key)}`
  return {
    run: context.run,
    key: `${context.key}:${key}`,
    state: context.state,
    model,
    thread: new Thread(`${context.key}:${key}`, messages),
    tools,
    output: undefined,
    expected: {},
    timeout: undefined,
    cache: undefined,
    breaker: undefined,
    limiter: undefined,
    prompt: { id, hash: shortHash({ inline: id }) },
  }
}

const ABOUT = { model: 'model', tool: 'tool', retrieve: 'other' } as const

/** Opens a loop: a round of the loop, the calls it asked for, the next round, and so on to its end. */
export const openKeyed: OpenEffect<CodeSpec & { readonly keyed: NonNullable<CodeSpec['keyed']> }> = (spec, context) => {
  const known = new Map<string, Ask>()
  const results = new Map<string, Outcome>()
  const underway = new Map<string, Attempts>()
  let rounds = 0
  let refused = 0
  let live: LiveLoop | undefined
  const loopIn = (io: StepIo): LiveLoop => (live ??= new LiveLoop(spec.keyed, context, known, results, io))

  const performRound = async (io: StepIo): Promise<Outcome> => {
    const { clock } = io.acting
    const started = clock.monotonic()
    const durationMs = (): number => Math.round(clock.monotonic() - started)
    try {
      const loop = loopIn(io)
      loop.feed()
      return { ok: true, value: (await loop.round()) as unknown as Json, durationMs: durationMs() }
    } catch (thrown) {
      const own = failureOf(thrown)
      const message = own?.message ?? (thrown instanceof Error ? thrown.message : String(thrown))
      return {
        ok: false,
        failure: failure('code_failed', `Loop ${context.state} failed: ${message}`, { cause: thrown, retryable: false, ...(own === undefined ? {} : { details: { code: own.code } }) }),
        durationMs: durationMs(),
      }
    }
  }
  const openRound = (): void => context.step({ attempt: ++rounds, name: context.state, safety: 'repeat', deadline: context.runDeadline(), perform: performRound })
  const begin = (ask: Ask): void => {
    known.set(ask.key, ask)
    const call = attempts({
      context,
      suffix: ask.key,
      kind: ask.kind,
      about: ABOUT[ask.kind],
      name: ask.name,
      ...(ask.kind === 'model' ? { call: () => modelAsk(context, ask) } : { args: ask.args }),
      safety: ask.safety,
      retry: {},
      defaultAttempts: ask.kind === 'tool' ? 1 : 3,
      timeout: spec.timeout,
      perform: async (io) => (await loopIn(io).performer(ask.key))(io),
      done: (outcome) => {
        underway.delete(ask.key)
        results.set(ask.key, outcome)
        if (!outcome.ok && outcome.failure.details?.['scope'] === 'run' && ++refused > GRACE) return context.fail(outcome.failure)
        if (underway.size === 0) openRound()
      },
    })
    underway.set(ask.key, call)
  }
  const take = (round: Round): void => {
    if ('output' in round) return context.complete(round.output)
    for (const ask of round.asks) begin(ask)
    for (const call of underway.values()) call.begin()
  }
  openRound()
  return {
    attempt: (suffix, attempt, outcome) => {
      if (suffix !== '') return underway.get(suffix)?.settle(attempt, outcome)
      return outcome.ok ? take(outcome.value as unknown as Round) : context.fail(outcome.failure)
    },
    timer: (timer) => underway.get(callOfTimer(timer))?.wake(),
  }
}
