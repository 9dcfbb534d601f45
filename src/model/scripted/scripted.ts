// The scripted provider: rules instead of a language model, in this process, for tests and for trying things offline.
// Invariant: its answer is a function of the request and of how often it was asked, never of time or chance.
import { fail, failure } from '../../failure/index.ts'
import { sleep, systemClock, type Clock } from '../../clock/index.ts'
import type { Price } from '../../cost/index.ts'
import { ModelCallError } from '../call-error.ts'
import type { ModelDelta, ModelIo, ModelProvider, ModelReply, ModelRequest } from '../provider.ts'
import { toModelReply, type ReplyOptions, type ScriptedReply } from './reply.ts'
import { lastUserText } from './request.ts'

/** What a rule knows beside the request. */
export interface RuleContext {
  /** Key of the attempt: it holds the path of the state that asks. */
  readonly key: string
}

/** Answers a request, or leaves it to the next rule. A rule that throws is a bug of the rule. */
export type Rule = (request: ModelRequest, context: RuleContext) => ScriptedReply | undefined | Promise<ScriptedReply | undefined>

/** Options of `scripted()`. */
export interface ScriptedOptions {
  /** Asked in order; the first answer counts. */
  readonly rules: Rule | readonly Rule[]
  /** The prefix in `provider/model`. Default `scripted`. */
  readonly id?: string
  /** What it charges. Default nothing. */
  readonly price?: Price
  /** Tells `delayMs` and `pieceMs`. Default: the system's. */
  readonly clock?: Clock
  /** Characters in one piece of a stream. Default 24. */
  readonly pieceLength?: number
}

/** Pieces of at most `length` characters, none of which splits a character. */
const piecesOf = (text: string, length: number): readonly string[] => {
  const characters = Array.from(text)
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, at) => characters.slice(at * length, (at + 1) * length).join(''))
}

const deltasOf = ({ message }: ModelReply, length: number): readonly ModelDelta[] => [
  ...piecesOf(typeof message.content === 'string' ? message.content : '', length).map((text) => ({ type: 'text', text }) as const),
  ...(message.calls ?? []).flatMap((call, index) => piecesOf(call.raw ?? JSON.stringify(call.args), length).map((args, at) => ({ type: 'call', index, ...(at === 0 ? { name: call.name } : {}), args }) as const)),
]

/** Waits as the reply says, unless the attempt's limit comes first. */
const pause = async (clock: Clock, waitMs: number, phase: 'first_token' | 'idle', { signal, timeouts }: ModelIo, request: ModelRequest): Promise<void> => {
  if (waitMs <= 0) return signal.throwIfAborted()
  const limitMs = phase === 'idle' ? timeouts.idleMs : timeouts.firstTokenMs
  await sleep(clock, Math.min(waitMs, limitMs), signal)
  if (waitMs <= limitMs) return
  throw new ModelCallError(
    failure('timeout', `Called ${request.model}: nothing arrived for ${limitMs} ms. Raise the time limit of the state, or route to a faster model.`, {
      details: { phase, limitMs },
    }),
  )
}

const stream = async (reply: ModelReply, { pieceMs = 0 }: ReplyOptions, options: ScriptedOptions, request: ModelRequest, io: ModelIo): Promise<void> => {
  const { clock = systemClock, pieceLength = 24 } = options
  for (const [at, delta] of deltasOf(reply, Math.max(1, pieceLength)).entries()) {
    if (at > 0) await pause(clock, pieceMs, 'idle', io, request)
    io.onDelta?.(delta)
  }
}

const answer = async (rules: readonly Rule[], request: ModelRequest, context: RuleContext): Promise<ScriptedReply> => {
  for (const rule of rules) {
    const reply = await rule(request, context)
    if (reply !== undefined) return reply
  }
  return fail('invalid_request', `No rule of the scripted model answers ${JSON.stringify(lastUserText(request).slice(0, 200))}. Add a rule, or a last one that always answers.`)
}

/**
 * Makes a provider in this process that answers by rules; a request that no rule answers fails as `invalid_request`.
 * @example scripted({ rules: (request) => replyText(`You said: ${lastUserText(request)}`) })
 */
export const scripted = (options: ScriptedOptions): ModelProvider => {
  const { id = 'scripted', price = { inputUsd: 0, outputUsd: 0 }, clock = systemClock } = options
  const rules = typeof options.rules === 'function' ? [options.rules] : options.rules
  return {
    id,
    price,
    async call(request, io) {
      io.signal.throwIfAborted()
      const reply = await answer(rules, request, { key: io.key })
      await pause(clock, reply.delayMs ?? 0, 'first_token', io, request)
      if ('failure' in reply) throw new ModelCallError(reply.failure, { model: request.model, ...(reply.usage === undefined ? {} : { usage: reply.usage }) })
      const complete = toModelReply(request, reply)
      if (io.onDelta !== undefined) await stream(complete, reply, options, request, io)
      return complete
    },
  }
}
