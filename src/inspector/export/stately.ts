// A machine as the source of one literal `createMachine()`, which Stately Studio and its editors import. Functions become
// names. Invariant: evaluating the source gives a machine with the same states and transitions.
import type { graphOf } from '../../agent/index.ts'

type Machine = Parameters<typeof graphOf>[0]

/** Keys that hold actions, actors or guards: a function there becomes a name. */
const NAMED = new Set(['src', 'guard', 'actions', 'entry', 'exit', 'cond'])

const nameOf = (value: (...args: never[]) => unknown, key: string): string => ('type' in value && typeof value.type === 'string' ? value.type : value.name !== '' && value.name !== key ? value.name : `inline ${key}`)

/** Config as data. What cannot be data and is not named by anything is left out. */
const literal = (value: unknown, key: string): unknown => {
  if (typeof value === 'function') return NAMED.has(key) ? nameOf(value as () => void, key) : undefined
  if (Array.isArray(value)) return value.map((inner) => literal(inner, key)).filter((inner) => inner !== undefined)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (key === 'src') return 'inline src'
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const made = literal(inner, name)
      return made === undefined ? [] : [[name, made]]
    }),
  )
}

/** The config without what belongs to our driver: its context factory and its options. */
export const statelyConfig = (machine: Machine): { readonly [key: string]: unknown } => {
  const { context: _context, options: _options, schemas: _schemas, types: _types, ...config } = machine.config as { readonly [key: string]: unknown }
  return { id: machine.id, ...(literal(config, '') as object) }
}

/** The source. */
export const statelyOf = (machine: Machine): string => {
  // U+2028 and U+2029 end lines in older readers of JavaScript.
  const config = JSON.stringify(statelyConfig(machine), null, 2)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)
  return `import { createMachine } from 'xstate'\n\nexport const machine = createMachine(${config})\n`
}
