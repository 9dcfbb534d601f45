// The visits of a run, computed from its entries alone, so that any run can be shown without loading its agent.
// Invariant: every transition and every billed call of the entries is in exactly one visit.
import { leavesOf, type Cause, type Entry, type EntryBody, type Journal, type Move } from '../journal/index.ts'
import { beginVisit, bill, notePrompt, ownsId, type Visit } from './visit.ts'

/** The parts of an effect's key, such as `/research#1/asking#2:0`. */
const parseKey = (key: string): { readonly actor: string; readonly id: string; readonly entry: string } => {
  const at = key.lastIndexOf('/')
  const [id = '', rest = ''] = key.slice(at + 1).split('#')
  return { actor: key.slice(0, at), id, entry: `${key.slice(0, at)}/${id}#${rest.split(/[:~]/)[0] ?? ''}` }
}

/** A tree being built. */
class RunTree {
  readonly visits: Visit[] = []
  readonly #open = new Set<Visit>()
  /** Visits by the effect that runs in them. */
  readonly #byEffect = new Map<string, Visit>()
  /** Ids of the effects that each visit has had. */
  readonly #ids = new Map<Visit, Set<string>>()

  add({ at, body }: Entry): void {
    if (body.cause.type === 'attempt') this.#attempt(body.cause)
    for (const move of body.moves) this.#move(move, at)
    for (const { key } of body.intents ?? []) this.#intent(key, at)
  }

  #openIn(actor: string): readonly Visit[] {
    return [...this.#open].filter((visit) => visit.actor === actor)
  }

  #close(visit: Visit, at: number): void {
    visit.leftAt = at
    this.#open.delete(visit)
  }

  #enter(actor: string, state: string, at: number): Visit {
    const visit = beginVisit(actor, state, at)
    this.visits.push(visit)
    this.#open.add(visit)
    return visit
  }

  #move({ actor, value, failed }: Move, at: number): void {
    const leaves = leavesOf(value)
    const before = this.#openIn(actor)
    const left = before.filter(({ state }) => !leaves.includes(state))
    if (failed !== undefined) {
      const blamed = left.length > 0 ? left : before.slice(-1)
      for (const visit of blamed) {
        if (visit.failures.at(-1) !== failed) visit.failures.push(failed)
        visit.failed = true
      }
    }
    for (const visit of left) this.#close(visit, at)
    for (const leaf of leaves) if (!before.some(({ state }) => state === leaf)) this.#enter(actor, leaf, at)
  }

  /** The visit an effect runs in. A second effect of the same state means that the state was entered again. */
  #intent(key: string, at: number): void {
    const { actor, id, entry } = parseKey(key)
    if (this.#byEffect.has(entry)) return
    const here = this.#openIn(actor)
    const found = here.find(({ state }) => ownsId(state, id)) ?? here.at(-1)
    if (found === undefined) return
    const again = this.#ids.get(found)?.has(id) === true
    if (again) this.#close(found, at)
    const visit = again ? this.#enter(actor, found.state, at) : found
    this.#byEffect.set(entry, visit)
    this.#ids.set(visit, (this.#ids.get(visit) ?? new Set()).add(id))
  }

  #attempt({ key, outcome }: Extract<Cause, { readonly type: 'attempt' }>): void {
    const visit = this.#byEffect.get(parseKey(key).entry)
    if (visit === undefined) return
    visit.attempts += 1
    if (!outcome.ok) visit.failures.push(outcome.failure.code)
    for (const call of outcome.calls ?? []) {
      bill(visit, call.usage, call.costNano)
      notePrompt(visit, call)
      const model = `${call.provider}/${call.model}`
      if (!visit.models.includes(model)) visit.models.push(model)
    }
    bill(visit, undefined, outcome.addedNano ?? 0)
  }
}

/** A run's entries, parsed. @throws FailureError `journal_corrupt`, `journal_rolled_back`. */
export const entriesOf = async (journal: Journal, run: string): Promise<readonly Entry[]> => (await journal.read(run)).map(({ seq, at, hash, text }) => ({ seq, at, hash, body: JSON.parse(text) as EntryBody }))

/** Visits in the order in which they began; those of child machines follow the visit that started them. */
export const visitsOf = (entries: readonly Entry[]): readonly Visit[] => {
  const tree = new RunTree()
  for (const entry of entries) tree.add(entry)
  return tree.visits
}
