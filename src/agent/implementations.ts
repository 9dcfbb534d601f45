// The guards that every compiled machine shares. Their names and params are the machine's JSON; what they read are
// the events the driver sends:
//   xstate.done.actor.<id>   { output, calls? }   `calls` when a model asked for tools instead of answering
//   xstate.error.actor.<id>  { error: Failure }
import { isFailure } from '../failure/index.ts'
import type { ToolCall } from '../prompt/index.ts'

interface GuardArgs {
  readonly event: { readonly output?: unknown; readonly error?: unknown; readonly calls?: readonly ToolCall[] }
}

/** Failures that no wildcard route catches: a person must decide. */
const NEVER_WILD: ReadonlySet<string> = new Set(['in_doubt'])

/** Guards of compiled machines, by name. */
export const guards = {
  /** The failure has exactly this code. */
  'stateloop.failureIs': ({ event }: GuardArgs, { code }: { readonly code: string }): boolean => isFailure(event.error) && event.error.code === code,
  /** Any failure but those that wait for a person. A defect is never one. */
  'stateloop.anyFailure': ({ event }: GuardArgs): boolean => isFailure(event.error) && !NEVER_WILD.has(event.error.code),
  /** The model asked for tools; with `tool`, for that one among others. */
  'stateloop.calls': ({ event }: GuardArgs, params: { readonly tool?: string } | undefined): boolean =>
    event.calls !== undefined && event.calls.length > 0 && (params?.tool === undefined || event.calls.some((call) => call.name === params.tool)),
  /** A field of the output has this value, compared as text. */
  'stateloop.outputIs': ({ event }: GuardArgs, { field, value }: { readonly field: string; readonly value: string }): boolean =>
    typeof event.output === 'object' && event.output !== null && String((event.output as { readonly [key: string]: unknown })[field]) === value,
  /** The whole output is this value. */
  'stateloop.outputEquals': ({ event }: GuardArgs, { value }: { readonly value: string }): boolean => event.output === value,
} as const
