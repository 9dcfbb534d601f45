// Effects that wait for the world: a timer, a person's event, a person's decision on calls.
import type { ApproveSpec, HumanSpec, WaitSpec } from '../../agent/index.ts'
import { failure, type Failure, type Json } from '../../failure/index.ts'
import type { InboxItem } from '../../journal/index.ts'
import type { ToolCall } from '../../prompt/index.ts'
import { formatIssues, toJson, validate } from '../../schema/index.ts'
import type { EffectContext, OpenEffect } from '../effect.ts'
import type { PendingCalls } from '../thread.ts'
import { callHash } from './call-hash.ts'
import { answerText } from './tools.ts'

const EXPIRY = 'expires'

const expire = (context: EffectContext, expiresMs: number | undefined): { readonly dueAt?: number } => {
  if (expiresMs === undefined) return {}
  const dueAt = context.now() + expiresMs
  context.timer(EXPIRY, dueAt)
  return { dueAt }
}

const expired = (context: EffectContext, expiresMs = 0): Failure => failure('expired', `Nobody answered state ${context.state} within ${expiresMs} ms.`, { details: { expiresMs } })

export const openWait: OpenEffect<WaitSpec> = (spec, context) => {
  const dueAt = context.now() + Math.max(0, spec.ms(context.args()))
  context.timer('wait', dueAt)
  return { timer: () => context.complete(null), waiting: () => ({ for: 'timer', accepts: [], dueAt }) }
}

export const openHuman: OpenEffect<HumanSpec> = (spec, context) => {
  const show = spec.show === undefined ? undefined : toJson(spec.show(context.args()))
  const due = expire(context, spec.expiresMs)
  return {
    timer: () => context.fail(expired(context, spec.expiresMs)),
    waiting: () => ({ for: 'event', accepts: spec.accepts, ...(show === undefined ? {} : { show }), ...due }),
  }
}

/** A call that a person has to decide. */
interface Question {
  readonly hash: string
  readonly call: ToolCall
  readonly effect: string
}

const questionsOf = (spec: ApproveSpec, context: EffectContext, pending: PendingCalls | undefined): readonly Question[] => {
  if (spec.call !== undefined) {
    const { name, args } = spec.call
    const value = toJson(args(context.args())) ?? null
    return [{ hash: callHash(name, value), call: { id: context.key, name, args: value }, effect: spec.tools[name]?.effect ?? 'irreversible' }]
  }
  const asked = pending?.calls.filter((call) => Object.hasOwn(spec.tools, call.name) && !pending.problems.has(call.id)) ?? []
  return asked.map((call) => ({ hash: callHash(call.name, call.args), call, effect: spec.tools[call.name]?.effect ?? 'none' }))
}

const EVENTS = ['APPROVE', 'EDIT', 'REJECT'] as const

const hashesOf = (event: InboxItem['event']): readonly string[] | undefined => {
  if (typeof event['hash'] === 'string') return [event['hash']]
  const list = event['hashes']
  return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined
}

export const openApprove: OpenEffect<ApproveSpec> = (spec, context) => {
  const pending = spec.call === undefined ? context.pending() : undefined
  const questions = questionsOf(spec, context, pending)
  const decided = new Map<string, boolean>()
  const show = spec.show === undefined ? undefined : toJson(spec.show(context.args()))
  const due = expire(context, spec.expiresMs)
  const open = (): readonly Question[] => questions.filter(({ call }) => !decided.has(call.id))

  const finish = (): void => {
    if (open().length > 0) return
    if (questions.length === 0 || [...decided.values()].some(Boolean)) return context.complete('approved')
    if (pending !== undefined) {
      pending.thread.continues = true
      pending.thread.answerOpenCalls((_call, decision) => {
        const message = decision === undefined ? 'Not performed, because another call of the same turn was rejected.' : `A person rejected this call${decision.reason === undefined ? '' : `: ${decision.reason}`}.`
        return { content: answerText({ failure: failure('denied', message) }), failed: 'denied' }
      })
    }
    context.complete('rejected')
  }
  const edit = (question: Question, args: Json): Failure | undefined => {
    const tool = spec.tools[question.call.name]
    const valid = tool === undefined ? undefined : validate(tool.input, args)
    if (valid?.ok === false) return failure('invalid_event', `The edited arguments do not match the schema of ${question.call.name}: ${formatIssues(valid.issues)}.`)
    context.approved.add(callHash(question.call.name, args))
    pending?.decisions.set(question.call.id, { ok: true, args })
    return undefined
  }
  const decide = (question: Question, event: InboxItem['event']): Failure | undefined => {
    const { call, hash } = question
    if (event.type === 'EDIT') {
      const problem = edit(question, event['args'] ?? null)
      if (problem !== undefined) return problem
    } else if (event.type === 'APPROVE') {
      context.approved.add(hash)
      pending?.decisions.set(call.id, { ok: true })
    } else pending?.decisions.set(call.id, { ok: false, ...(typeof event['reason'] === 'string' ? { reason: event['reason'] } : {}) })
    decided.set(call.id, event.type !== 'REJECT')
    return undefined
  }
  const take = (event: InboxItem['event']): 'taken' | Failure | undefined => {
    if (!EVENTS.some((type) => type === event.type)) return undefined
    const hashes = hashesOf(event)
    const accepted = open().map((question) => question.hash)
    if (hashes === undefined) return failure('invalid_event', `${event.type} must name the calls it decides: { type: '${event.type}', hash } or { hashes }. Open: ${accepted.join(', ')}.`)
    if (event.type === 'EDIT' && (hashes.length !== 1 || event['args'] === undefined)) return failure('invalid_event', 'EDIT decides one call: { type: "EDIT", hash, args }.')
    const chosen = open().filter((question) => hashes.includes(question.hash))
    if (chosen.length === 0) return undefined
    for (const question of chosen) {
      const problem = decide(question, event)
      if (problem !== undefined) return problem
    }
    finish()
    return 'taken'
  }
  finish()
  return {
    timer: () => context.fail(expired(context, spec.expiresMs)),
    event: take,
    waiting: () => ({
      for: 'approval',
      accepts: EVENTS,
      calls: open().map(({ hash, call, effect }) => ({ hash, id: call.id, name: call.name, args: call.args, effect })),
      ...(show === undefined ? {} : { show }),
      ...due,
    }),
  }
}
