// Which calls a cache would have answered, over many runs. Invariant: only a call that succeeded, that was not answered from
// the cache already, and that the same question came before counts as saved.
import { effectOf, type Agent } from '../../agent/index.ts'
import type { RunCall } from './calls.ts'
import { byIdentity } from './findings.ts'

/** What a cache in one place would have saved. */
export interface CacheSuggestion {
  readonly agent: string
  readonly state: string
  readonly kind: string
  readonly name: string
  readonly calls: number
  /** Calls that a cache would have answered. */
  readonly repeats: number
  readonly savedMs: number
  /** null when a price is unknown. */
  readonly savedUsd: number | null
  /** The longest time between equal calls, milliseconds: a shorter `ttlMs` would have missed some. */
  readonly withinMs: number
}

/** Kinds of state that take `cache`; `tools` has it on the tool itself. */
const CACHEABLE: ReadonlySet<string> = new Set(['model', 'tool', 'retrieve', 'rerank', 'tools'])

/** Names of tools that change something, so that no cache may answer for them. */
export const toolsWithEffect = ({ machine }: Agent): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const source of Object.values(machine.implementations.actors as { readonly [name: string]: unknown })) {
    const effect = effectOf(source)
    const tools = effect?.kind === 'tool' ? { [effect.name]: effect.tool } : effect !== undefined && 'tools' in effect ? effect.tools : {}
    for (const [name, tool] of Object.entries(tools)) if (tool.effect !== 'none') found.add(name)
  }
  return found
}

/** What caches would have saved, the most time first. */
export const suggestCaches = (calls: readonly RunCall[]): readonly CacheSuggestion[] =>
  [...Map.groupBy(calls, ({ agent, state, kind, name }) => `${agent} ${state} ${kind} ${name}`).values()]
    .flatMap((group): readonly CacheSuggestion[] => {
      const [first] = group
      if (first === undefined || !CACHEABLE.has(first.kind)) return []
      let [repeats, savedMs, withinMs] = [0, 0, 0]
      let savedUsd: number | null = 0
      for (const same of byIdentity(group.filter(({ failed }) => failed === undefined)).values()) {
        const inOrder = same.toSorted((a, b) => a.at - b.at)
        for (const [index, call] of inOrder.entries()) {
          const before = inOrder[index - 1]
          if (before === undefined || call.cached) continue
          repeats += 1
          savedMs += call.durationMs
          savedUsd = savedUsd === null || call.costUsd === null ? null : savedUsd + call.costUsd
          withinMs = Math.max(withinMs, call.at - before.at)
        }
      }
      if (repeats === 0) return []
      const { agent, state, kind, name } = first
      return [{ agent, state, kind, name, calls: group.length, repeats, savedMs, savedUsd, withinMs }]
    })
    .toSorted((a, b) => b.savedMs - a.savedMs || (b.savedUsd ?? 0) - (a.savedUsd ?? 0))
