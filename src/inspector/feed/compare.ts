// Two runs side by side. Steps are aligned by what moved where, machines keyed by their path, so that a step that only one
// run took stands alone and the rest still match. Invariant: each step of either run is in exactly one pair, in order.
import { diffSequence } from '../../prompt/index.ts'
import type { Comparison, Happening, Json, Pair, Step } from '../page/wire.ts'
import { showValue } from './active.ts'
import type { Feed } from './feed.ts'

const transitionsOf = ({ happenings }: Step): readonly Happening[] => happenings.filter(({ type }) => type === 'transition.taken')

/** The way of a step, in words. Steps that moved nothing are told by what came in. */
const wayOf = (step: Step): string => {
  const moves = transitionsOf(step)
  if (moves.length === 0) return step.cause
  return moves.map(({ actor, from, to }) => `${actor === '' ? '' : `${actor} `}${from === '' ? '' : `${showValue(from)} → `}${showValue(to)}`).join(', ')
}

/** Steps with equal keys went the same way: numbers of visits do not count, so that a detour shifts nothing. */
const keyOf = (step: Step): string => {
  const moves = transitionsOf(step).map(({ actor, event, to }) => [actor, event, to])
  return JSON.stringify(moves.length === 0 ? step.cause.replaceAll(/#\d+/g, '') : moves)
}

const sum = ({ calls = [] }: Step, value: (call: NonNullable<Step['calls']>[number]) => number | null): number => calls.reduce((total, call) => total + (value(call) ?? 0), 0)

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

const fieldsThatDiffer = (left: Step, right: Step): readonly string[] =>
  left.changes.flatMap((change) => {
    const other = right.changes.find(({ path }) => path === change.path)
    const prefix = change.path === '' ? '' : `${change.path} `
    const [set, otherSet]: readonly { readonly [field: string]: Json }[] = [change.set ?? {}, other?.set ?? {}]
    const fields = [...new Set([...Object.keys(set ?? {}), ...Object.keys(otherSet ?? {})])].filter((field) => !same(set?.[field], otherSet?.[field]))
    const messages = same(
      change.added?.map(({ messages: added }) => added),
      other?.added?.map(({ messages: added }) => added),
    )
      ? []
      : [`${prefix}messages`]
    return [...fields.map((field) => `${prefix}context.${field}`), ...messages]
  })

const differences = (left: Step, right: Step): readonly string[] => [
  ...(same(left.outcome, right.outcome) ? [] : [left.cause === 'start' ? 'input' : 'result']),
  ...fieldsThatDiffer(left, right),
  ...(sum(left, (call) => call.inputTokens + call.outputTokens) === sum(right, (call) => call.inputTokens + call.outputTokens) ? [] : ['tokens']),
  ...(sum(left, (call) => call.costUsd) === sum(right, (call) => call.costUsd) ? [] : ['cost']),
]

/** Edits from left to right. What both begin with is matched first, so that the first difference is as late as it can be. */
const editsOf = (left: readonly string[], right: readonly string[]): readonly ('same' | 'added' | 'removed')[] => {
  let alike = 0
  while (alike < left.length && alike < right.length && left[alike] === right[alike]) alike++
  const rest = diffSequence(left.slice(alike), right.slice(alike), (key) => key)
  return [...left.slice(0, alike).map(() => 'same' as const), ...rest.map(({ kind }) => kind)]
}

const align = (left: readonly Step[], right: readonly Step[]): readonly Pair[] => {
  const pairs: Pair[] = []
  let [atLeft, atRight] = [0, 0]
  for (const kind of editsOf(left.map(keyOf), right.map(keyOf))) {
    const [one, other] = [kind === 'added' ? undefined : left[atLeft++], kind === 'removed' ? undefined : right[atRight++]]
    const step = one ?? other
    if (step === undefined) continue
    pairs.push({
      ...(one === undefined ? {} : { left: one.seq }),
      ...(other === undefined ? {} : { right: other.seq }),
      differs: one === undefined || other === undefined ? [] : differences(one, other),
      text: wayOf(step),
    })
  }
  return pairs
}

const inWords = (pairs: readonly Pair[], first: number): string => {
  const pair = pairs[first]
  if (pair === undefined) return 'The two runs took the same way with the same results.'
  if (pair.left !== undefined && pair.right !== undefined) return `Both went ${pair.text}, but ${pair.differs.join(', ')} ${pair.differs.length === 1 ? 'differs' : 'differ'}.`
  const onLeft = pairs.slice(first).find(({ left }) => left !== undefined)
  const onRight = pairs.slice(first).find(({ right }) => right !== undefined)
  return `The way parts here. Left: ${onLeft?.text ?? 'nothing'}. Right: ${onRight?.text ?? 'nothing'}.`
}

/** Compares two feeds as far as they have been read. */
export const compareFeeds = (left: Feed, right: Feed): Comparison => {
  const pairs = align(left.steps, right.steps)
  const parts = pairs.findIndex(({ left: one, right: other }) => one === undefined || other === undefined)
  const first = pairs.findIndex(({ left: one, right: other, differs }) => one === undefined || other === undefined || differs.length > 0)
  return { left: left.run, right: right.run, pairs, first, parts, says: inWords(pairs, first) }
}
