// What is public and says nothing of itself. Invariant: a name that a user may write or read has a comment, unless its type is one
// value, as with `kind: 'tool'`.
import { membersOf, optionsOf } from './options.ts'
import { commentOf, KIND, type Api, type Reflection, type Type } from './reflection.ts'

const says = (reflection: Reflection): boolean => (commentOf(reflection)?.summary ?? []).some(({ text }) => text.trim() !== '')

const isOneValue = (type: Type | undefined): boolean => type?.type === 'literal' || (type?.type === 'typeOperator' && isOneValue(type.target))

/** Places without a comment: `stateloop/eval: JudgeOptions.model`. */
export const undocumented = ({ entryPoints }: Api): readonly string[] => {
  const everything = entryPoints.flatMap(({ exports, companions }) => [...exports, ...companions])
  const byId = new Map(everything.map((reflection) => [reflection.id, reflection]))
  const silent = (owner: string, members: readonly Reflection[]): readonly string[] =>
    members.filter((member) => member.kind !== KIND.constructor && !says(member) && !isOneValue(member.type)).map(({ name }) => `${owner}.${name}`)
  const options = (reflection: Reflection): readonly Reflection[] => optionsOf(reflection, (id) => byId.get(id))
  return entryPoints.flatMap(({ name, exports, companions }) => [
    ...exports
      .filter(({ kind }) => kind !== KIND.reference)
      .flatMap((one) => {
        const owner = `${name}: ${one.name}`
        const members = one.kind === KIND.variable ? [] : membersOf(one)
        return [...(says(one) ? [] : [owner]), ...silent(owner, members), ...silent(owner, options(one)), ...members.flatMap((member) => silent(`${owner}.${member.name}`, options(member)))]
      }),
    ...companions.flatMap((one) => silent(`${name}: ${one.name}`, options(one))),
  ])
}
