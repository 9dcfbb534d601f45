// The structure of an agent as the journal keeps it: kinds of states and the calls they make, without the code. Invariant:
// what is not known is left out, never guessed; runs from before structures were kept have none.
import type { Journal, StartCause } from '../../journal/index.ts'

interface Node {
  readonly kind?: string
  readonly type?: string
  readonly outcome?: string
  readonly invoke?: { readonly id?: string } | readonly { readonly id?: string }[]
  readonly states?: { readonly [name: string]: Node }
}

interface Effect {
  readonly kind?: string
  readonly name?: string
  readonly agent?: string
  readonly hash?: string
}

/** An agent's structure, as `agent.definition` has it. */
interface Stored {
  readonly machine?: Node
  readonly effects?: { readonly [id: string]: Effect }
  readonly machines?: { readonly [id: string]: Stored }
}

const own = <T>(record: { readonly [name: string]: T } | undefined, name: string): T | undefined => (record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined)

/** Invokes with the path of the state they belong to. */
const invokesOf = (node: Node | undefined, path: string): readonly (readonly [string, string])[] => [
  ...[node?.invoke ?? []].flat().flatMap(({ id }) => (id === undefined ? [] : [[id, path] as const])),
  ...Object.entries(node?.states ?? {}).flatMap(([name, inner]) => invokesOf(inner, path === '' ? name : `${path}.${name}`)),
]

/** What is known of one machine of a run. */
export class Structure {
  readonly id: string
  readonly #stored: Stored
  readonly #children: ReadonlyMap<string, Structure>
  readonly #places: ReadonlyMap<string, string>

  /** @param id name of the agent, or of the machine. */
  constructor(id: string, stored: Stored, children: ReadonlyMap<string, Structure>) {
    this.id = id
    this.#stored = stored
    this.#children = children
    this.#places = new Map(invokesOf(stored.machine, ''))
  }

  /** Its states and transitions, functions left out. */
  get machine(): object | undefined {
    return this.#stored.machine
  }

  /** The machine that an invoke starts. */
  child(invoke: string): Structure | undefined {
    return this.#children.get(invoke)
  }

  /** Path of the state that an invoke belongs to. */
  stateOf(invoke: string): string | undefined {
    return this.#places.get(invoke)
  }

  effect(invoke: string): Effect | undefined {
    return own(this.#stored.effects, invoke)
  }

  /** Kind of a state: `model`, `tools`, `group` …; XState's type where nothing says. */
  kind(state: string): string | undefined {
    const node = this.#node(state)
    if (node === undefined) return undefined
    const invoked = [node.invoke ?? []].flat().flatMap(({ id }) => (id === undefined ? [] : (this.effect(id)?.kind ?? [])))
    return node.kind ?? invoked[0] ?? node.type ?? 'atomic'
  }

  /** How the machine ends in a state; undefined when it does not. */
  outcome(state: string): string | undefined {
    const node = this.#node(state)
    return node?.type === 'final' && !state.includes('.') ? (node.outcome ?? 'done') : undefined
  }

  #node(state: string): Node | undefined {
    return state.split('.').reduce<Node | undefined>((node, name) => own(node?.states, name), this.#stored.machine)
  }
}

/** What is known where nothing was kept. */
export const noStructure = (id: string): Structure => new Structure(id, {}, new Map())

const structureOf = async (journal: Pick<Journal, 'getContent'>, id: string, stored: Stored): Promise<Structure> => {
  const machines = Object.entries(stored.machines ?? {}).map(async ([invoke, inner]) => [invoke, await structureOf(journal, invoke, inner)] as const)
  // The structure of a child agent is kept under the agent's own hash.
  const agents = Object.entries(stored.effects ?? {}).flatMap(([invoke, { agent, hash }]) =>
    hash === undefined ? [] : [readStructure(journal, { id: agent ?? invoke, definition: hash }).then((inner) => [invoke, inner] as const)],
  )
  return new Structure(id, stored, new Map(await Promise.all([...machines, ...agents])))
}

/** Reads the structure that entries name, those of child machines included. */
export const readStructure = async (journal: Pick<Journal, 'getContent'>, { id, definition }: Pick<StartCause['agent'], 'id' | 'definition'>): Promise<Structure> => {
  const content = definition === undefined ? undefined : await journal.getContent(definition)
  return content?.kind === 'agent' ? structureOf(journal, id, JSON.parse(content.text) as Stored) : noStructure(id)
}

/** The structure of the machine that an actor path leads to: `/research#1` is the child of `research`. */
export const structureAt = (root: Structure, actor: string): Structure =>
  actor
    .split('/')
    .slice(1)
    .reduce((at, part) => at.child(part.split('#')[0] ?? '') ?? noStructure(part), root)
