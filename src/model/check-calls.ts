// Tool calls as a model wrote them, each judged on its own. Invariant: what has no problem is a known tool with arguments
// that match its schema, under an id that no other call of the turn has.
import { failure, type Failure } from '../failure/index.ts'
import type { ToolCall } from '../prompt/index.ts'
import { formatIssues, validate, type Schema } from '../schema/index.ts'
import { parseToolArgs } from './tool-args.ts'
import { findUnsafe } from './unsafe.ts'

/** A call, with its validated input or with what is wrong with it. */
export interface CheckedCall {
  readonly call: ToolCall
  /** The arguments after validation; absent when there is a problem. */
  readonly input?: unknown
  /** `unknown_tool` or `invalid_args`; to be answered to the model. */
  readonly problem?: Failure
}

const unknownTool = ({ name }: ToolCall, names: readonly string[]): Failure => {
  const offered = names.length === 0 ? 'There are no tools here: answer in text.' : `Use one of: ${names.join(', ')}.`
  return failure('unknown_tool', `There is no tool ${JSON.stringify(name)}. ${offered}`, { details: { tools: names } })
}

const invalidArgs = ({ name }: ToolCall, problem: string): Failure => failure('invalid_args', `The arguments of ${name} are not valid: ${problem}. Call it again with arguments that match its schema.`)

const checkCall = (call: ToolCall, tools: { readonly [name: string]: { readonly input: Schema } }): CheckedCall => {
  const tool = Object.hasOwn(tools, call.name) ? tools[call.name] : undefined
  if (tool === undefined) return { call, problem: unknownTool(call, Object.keys(tools)) }
  if (call.raw !== undefined) {
    const read = parseToolArgs(call.raw)
    return { call, problem: invalidArgs(call, read.ok ? 'they could not be read' : read.problem) }
  }
  const unsafe = findUnsafe(call.args)
  if (unsafe !== undefined) return { call, problem: invalidArgs(call, unsafe) }
  const valid = validate(tool.input, call.args)
  return valid.ok ? { call, input: valid.value } : { call, problem: invalidArgs(call, formatIssues(valid.issues)) }
}

/** Longest id that every provider takes. */
const LONGEST_ID = 40

/** Gives later calls of an id already used a new one: `call_1`, `call_1_2`, `call_1_3`. Others are handed through. */
const withUniqueIds = (calls: readonly ToolCall[]): readonly ToolCall[] => {
  const used = new Set<string>()
  const reserved = new Set(calls.map(({ id }) => id))
  return calls.map((call) => {
    let { id } = call
    for (let serial = 2; used.has(id) || (id !== call.id && reserved.has(id)); serial++) {
      const ending = `_${serial}`
      id = call.id.slice(0, LONGEST_ID - ending.length) + ending
    }
    used.add(id)
    return id === call.id ? call : { ...call, id }
  })
}

/** Judges the calls of one turn, in order. @param tools the tools the state offers, by name. */
export const checkCalls = (calls: readonly ToolCall[], tools: { readonly [name: string]: { readonly input: Schema } }): readonly CheckedCall[] => withUniqueIds(calls).map((call) => checkCall(call, tools))
