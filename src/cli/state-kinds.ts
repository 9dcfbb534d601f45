// Kinds of states, read from the structure of the agent that the journal kept. Invariant: what is not known is left out,
// never guessed; runs from before structures were kept have no kinds.
import type { Entry, Journal } from '../journal/index.ts'
import type { Visit } from './visit.ts'

interface Node {
  readonly kind?: string
  readonly type?: string
  readonly invoke?: { readonly id?: string } | readonly { readonly id?: string }[]
  readonly states?: { readonly [name: string]: Node }
}

/** The parts of an agent's structure that say what kind a state is. */
interface Structure {
  readonly machine?: Node
  readonly effects?: { readonly [id: string]: { readonly kind?: string; readonly hash?: string } }
  readonly machines?: { readonly [id: string]: Structure }
}

const read = async (journal: Journal, hash: string | undefined): Promise<Structure | undefined> => {
  const content = hash === undefined ? undefined : await journal.getContent(hash)
  return content?.kind === 'agent' ? (JSON.parse(content.text) as Structure) : undefined
}

const nodeAt = (machine: Node | undefined, state: string): Node | undefined =>
  state.split('.').reduce<Node | undefined>((node, name) => (node?.states !== undefined && Object.hasOwn(node.states, name) ? node.states[name] : undefined), machine)

const kindIn = ({ machine, effects = {} }: Structure, state: string): string | undefined => {
  const node = nodeAt(machine, state)
  if (node === undefined) return undefined
  const invoked = [node.invoke ?? []].flat().flatMap(({ id }) => (id === undefined ? [] : (effects[id]?.kind ?? [])))
  return node.kind ?? invoked[0] ?? node.type ?? 'atomic'
}

/** The structure of the machine that an actor path leads to: `/research#1` is the child of `research`. */
const structureOf = async (journal: Journal, root: Structure | undefined, actor: string): Promise<Structure | undefined> => {
  let at = root
  for (const part of actor.split('/').slice(1)) {
    const id = part.split('#')[0] ?? ''
    at = at?.machines?.[id] ?? (await read(journal, at?.effects?.[id]?.hash))
  }
  return at
}

/** Notes the kind of each visit, where the journal knows it. */
export const noteKinds = async (journal: Journal, entries: readonly Entry[], visits: readonly Visit[]): Promise<void> => {
  const hashes = entries.flatMap(({ body: { cause } }) => (cause.type === 'start' || cause.type === 'migrated' ? (cause.agent.definition ?? []) : []))
  const roots = await Promise.all(hashes.toReversed().map((hash) => read(journal, hash)))
  for (const visit of visits) {
    for (const root of roots) {
      const kind = kindIn((await structureOf(journal, root, visit.actor)) ?? {}, visit.state)
      if (kind !== undefined) visit.kind ??= kind
    }
  }
}
