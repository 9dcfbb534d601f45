// Performs the calls a model asked for, several at once, and answers each in the thread: with its result, its failure,
// or the word of the person who rejected it.
import type { ToolsSpec } from '../../agent/index.ts'
import { failure, type Failure, type Json } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import type { ToolCall } from '../../prompt/index.ts'
import type { Tool } from '../../tool/index.ts'
import type { EffectContext, OpenEffect, RunningEffect } from '../effect.ts'
import type { CallDecision, PendingCalls, Thread } from '../thread.ts'
import { attempts, callOfTimer, type Attempts } from './attempts.ts'
import { callHash } from './call-hash.ts'
import { performTool } from './perform-tool.ts'
import { safetyOf } from './tool.ts'

/** What a call gave, as `event.output` of the state lists it. */
type Answer = { readonly id: string; readonly name: string; readonly ok: true; readonly value: Json } | { readonly id: string; readonly name: string; readonly ok: false; readonly failure: Failure }

/** Failures that stop the whole state; all others are answers the model sees. */
const STOPS: ReadonlySet<string> = new Set(['loop_limit', 'no_progress', 'budget_exceeded', 'deadline_exceeded', 'in_doubt'])

const refusal = (call: ToolCall, tool: Tool | undefined, problem: Failure | undefined, decision: CallDecision | undefined): Failure | undefined => {
  if (decision?.ok === false) return failure('denied', `A person rejected this call${decision.reason === undefined ? '' : `: ${decision.reason}`}.`)
  if (problem !== undefined && decision?.args === undefined) return problem
  return tool === undefined ? failure('unknown_tool', `There is no tool ${JSON.stringify(call.name)} here.`) : undefined
}

/** The text of an answer as the model reads it. */
export const answerText = (answer: { readonly value: Json } | { readonly failure: Failure }): string => {
  if ('failure' in answer) return JSON.stringify({ error: answer.failure.code, message: answer.failure.message })
  return typeof answer.value === 'string' ? answer.value : JSON.stringify(answer.value)
}

export const openTools: OpenEffect<ToolsSpec> = (spec, context) => {
  const pending = context.pending()
  if (pending === undefined) {
    context.complete([])
    return {}
  }
  return performBatch(spec, context, pending)
}

const answerThread = (thread: Thread, answers: readonly Answer[]): void => {
  thread.pending = undefined
  for (const answer of answers) thread.push({ role: 'tool', callId: answer.id, name: answer.name, content: answerText(answer), ...(answer.ok ? {} : { failed: answer.failure.code }) })
  thread.continues = true
}

const performBatch = (spec: ToolsSpec, context: EffectContext, pending: PendingCalls): RunningEffect => {
  const { calls, thread } = pending
  const answers = new Map<number, Answer>()
  const underway = new Map<string, Attempts>()
  let next = 0
  let stopped = false

  const finish = (): void => {
    const inOrder = calls.flatMap((_call, index) => answers.get(index) ?? [])
    answerThread(thread, inOrder)
    context.complete(inOrder)
  }
  const stop = (reason: Failure): void => {
    stopped = true
    context.fail(reason)
  }
  const settle = (index: number, call: ToolCall, args: Json, outcome: Outcome): void => {
    underway.delete(String(index))
    if (stopped) return
    if (!outcome.ok && STOPS.has(outcome.failure.code)) return stop(outcome.failure)
    const tool = spec.tools[call.name]
    if (tool?.polling !== true) context.noteRepeat(call.name, args, outcome.ok ? outcome.value : outcome.failure.code)
    answers.set(index, outcome.ok ? { id: call.id, name: call.name, ok: true, value: outcome.value } : { id: call.id, name: call.name, ok: false, failure: outcome.failure })
    fill()
  }
  const begin = (index: number, call: ToolCall): void => {
    const tool = Object.hasOwn(spec.tools, call.name) ? spec.tools[call.name] : undefined
    const decision = pending.decisions.get(call.id)
    const args = decision?.args ?? call.args
    const refused = refusal(call, tool, pending.problems.get(call.id), decision)
    if (refused !== undefined || tool === undefined) return settle(index, call, args, { ok: false, failure: refused ?? failure('unknown_tool', call.name), durationMs: 0 })
    if (tool.effect === 'irreversible' && !context.approved.delete(callHash(call.name, args))) {
      return settle(index, call, args, { ok: false, failure: failure('denied', `${call.name} is irreversible and nobody approved exactly this call.`), durationMs: 0 })
    }
    const suffix = String(index)
    const work = attempts({
      context,
      suffix,
      about: 'tool',
      name: call.name,
      args,
      safety: safetyOf(tool),
      retry: spec.retry ?? tool.retry,
      defaultAttempts: 1,
      timeout: spec.timeout,
      perform: (io) => performTool({ context, name: call.name, tool, args, suffix }, io),
      done: (outcome) => settle(index, call, args, outcome),
    })
    underway.set(suffix, work)
    context.notice({ type: 'tool.called', key: `${context.key}:${suffix}`, state: context.state, name: call.name, args })
    work.begin()
  }
  const fill = (): void => {
    while (!stopped && next < calls.length && underway.size < spec.parallel) {
      const index = next++
      const call = calls[index]
      if (call !== undefined) begin(index, call)
    }
    if (!stopped && answers.size === calls.length) {
      stopped = true
      finish()
    }
  }
  fill()
  return {
    attempt: (suffix, attempt, outcome) => underway.get(suffix)?.settle(attempt, outcome),
    timer: (timer) => underway.get(callOfTimer(timer))?.wake(),
  }
}
