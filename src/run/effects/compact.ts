// Shortens a thread: a model sums up its middle; its beginning and its latest messages stay. Invariant: the shortened thread
// never begins with an answer to a call that is no longer in it, and the old one is left as it was.
import type { CompactSpec } from '../../agent/index.ts'
import { failure } from '../../failure/index.ts'
import { textOf, type Content, type Message } from '../../prompt/index.ts'
import { shortHash } from '../../schema/index.ts'
import type { EffectContext, OpenEffect } from '../effect.ts'
import { Thread } from '../thread.ts'
import { openModelCall } from './model-call.ts'

/** Most characters of a middle that are shown to the summing model; of what is longer, the longest messages lose first. */
const MOST_CHARACTERS = 60_000
/** A tool's result rarely matters in full once the model has used it. */
const MOST_OF_A_RESULT = 2_000

interface Parts {
  /** System messages and the first of the user: what the conversation is about. */
  readonly head: readonly Message[]
  readonly middle: readonly Message[]
  readonly tail: readonly Message[]
}

/** The latest messages, from the last point at which no call is open. */
const tailFrom = (messages: readonly Message[], keep: number): number => {
  let from = Math.max(0, messages.length - keep)
  while (from < messages.length && messages[from]?.role === 'tool') from++
  return from
}

const partsOf = (messages: readonly Message[], keep: number): Parts => {
  const firstSaid = messages.findIndex((message) => message.role !== 'system')
  const headEnd = firstSaid < 0 ? messages.length : messages[firstSaid]?.role === 'user' ? firstSaid + 1 : firstSaid
  const from = Math.max(headEnd, tailFrom(messages, keep))
  return { head: messages.slice(0, headEnd), middle: messages.slice(headEnd, from), tail: messages.slice(from) }
}

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most).toWellFormed()} […]`)

const lineOf = (message: Message, most: number): string => {
  const text = textOf(message.content)
  if (message.role === 'tool') return `result of ${message.name}: ${cut(text, Math.min(most, MOST_OF_A_RESULT))}`
  const calls = message.role === 'assistant' ? (message.calls ?? []).map(({ name, args }) => `calls ${name}(${cut(JSON.stringify(args), most)})`) : []
  return `${message.role}: ${[cut(text, most), ...calls].filter((part) => part !== '').join(' ')}`
}

/** The middle as one text that fits. */
const transcript = (middle: readonly Message[]): string => {
  for (let most = MOST_CHARACTERS; ; most = Math.floor(most / 2)) {
    const text = middle.map((message) => lineOf(message, most)).join('\n')
    if (text.length <= MOST_CHARACTERS || most < 100) return cut(text, MOST_CHARACTERS)
  }
}

const nothingLeft = (spec: CompactSpec, context: EffectContext): void =>
  context.fail(
    failure(
      'context_overflow',
      `Thread ${spec.thread} cannot be made shorter: between its beginning and its last ${spec.keep} messages there is nothing to sum up. Lower keep, shorten the prompt, or use a model with a larger window.`,
      {
        details: { thread: spec.thread, keep: spec.keep },
      },
    ),
  )

const replace = (context: EffectContext, name: string, { head, tail }: Parts, summary: Content): void => {
  const thread = context.newThread(name)
  for (const message of head) thread.push(message)
  thread.push({ role: 'user', content: `Summary of the conversation so far:\n${textOf(summary)}` })
  for (const message of tail) thread.push(message)
  thread.continues = true
}

export const openCompact: OpenEffect<CompactSpec> = (spec, context) => {
  const parts = partsOf(context.thread(spec.thread, false).messages, spec.keep)
  if (parts.middle.length === 0) {
    nothingLeft(spec, context)
    return {}
  }
  const asking = new Thread(context.key, [
    { role: 'system', content: `You sum up a part of a conversation so that it can go on without it. ${spec.instructions} Answer with the summary only.` },
    { role: 'user', content: transcript(parts.middle) },
  ])
  const place = `${context.agent.id}/${context.state}`
  const asked = { tools: [], output: undefined, expected: {}, prompt: { id: place, hash: shortHash({ compact: spec.instructions }) } }
  return openModelCall(
    spec,
    context,
    asking,
    () => asked,
    (outcome) => {
      if (!outcome.ok) return context.fail(outcome.failure)
      const summary = (outcome.value as { readonly content: Content }).content
      replace(context, spec.thread, parts, summary)
      context.complete(textOf(summary))
    },
  )
}
