// One tool call that the author decided.
import type { ToolSpec } from '../../agent/index.ts'
import { failure } from '../../failure/index.ts'
import { toJson } from '../../schema/index.ts'
import type { OpenEffect } from '../effect.ts'
import { attempts } from './attempts.ts'
import { callHash } from './call-hash.ts'
import { performTool } from './perform-tool.ts'

/** Whether repeating a call whose result is unknown is safe. */
export const safetyOf = (tool: { readonly effect: string; readonly idempotent: boolean }): 'repeat' | 'ask' => (tool.effect === 'none' || tool.idempotent ? 'repeat' : 'ask')

export const openTool: OpenEffect<ToolSpec> = (spec, context) => {
  const { tool, name } = spec
  const args = toJson(spec.args(context.args())) ?? null
  const call = attempts({
    context,
    suffix: '',
    about: 'tool',
    name,
    args,
    safety: safetyOf(tool),
    retry: spec.retry ?? tool.retry,
    defaultAttempts: 1,
    timeout: spec.timeout,
    perform: (io) => performTool({ context, name, tool, args, cache: spec.cache ?? tool.cache }, io),
    done: (outcome) => {
      if (!outcome.ok) return context.fail(outcome.failure)
      if (!tool.polling) context.noteRepeat(name, args, outcome.value)
      context.complete(outcome.value)
    },
  })
  if (tool.effect === 'irreversible' && !context.approved.delete(callHash(name, args))) {
    context.fail(failure('denied', `Tool ${name} is irreversible and nobody approved exactly this call. Put an approve state with this call before it.`))
  } else call.begin()
  return { attempt: (_suffix, attempt, outcome) => call.settle(attempt, outcome), timer: () => call.wake() }
}
