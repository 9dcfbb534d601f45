// What a caller may write: the members of an object type, and the options that a function takes, whatever they are composed of.
import { KIND, parameterName, type Reflection, type Type } from './reflection.ts'

/** Members that users see: those with a symbol for a name carry types only. */
export const visible = ({ children = [] }: Reflection): readonly Reflection[] => children.filter(({ name, flags }) => !name.startsWith('[') && flags.isPrivate !== true)

/** Members of an interface, a class or an object, its own before those it inherits. */
export const membersOf = (reflection: Reflection): readonly Reflection[] => {
  const all = reflection.type?.type === 'reflection' ? visible(reflection.type.declaration) : visible(reflection)
  return [...all.filter(({ inheritedFrom }) => inheritedFrom === undefined), ...all.filter(({ inheritedFrom }) => inheritedFrom !== undefined)]
}

/** Signatures of a function, or of a type that is one. */
export const signaturesOf = ({ kind, signatures, type }: Reflection): readonly Reflection[] =>
  signatures ?? ((kind === KIND.typeAlias || kind === KIND.property) && type?.type === 'reflection' ? type.declaration.signatures : undefined) ?? []

/** Names of parameters whose type is written out by the caller. */
const WRITTEN = /^(options|definition|setup|config)$/

/** Options of a function by name, those of every part of an intersection. */
export const optionsOf = (reflection: Reflection, find: (id: number) => Reflection | undefined): readonly Reflection[] => {
  const inside = (type: Type | undefined): readonly Reflection[] => {
    if (type === undefined) return []
    if (type.type === 'reflection') return visible(type.declaration)
    if (type.type === 'intersection') return type.types.flatMap(inside)
    if (type.type === 'conditional') return [type.trueType, type.falseType].flatMap(inside)
    const found = type.type === 'reference' && typeof type.target === 'number' ? find(type.target) : undefined
    if (found === undefined) return []
    return found.kind === KIND.interface ? membersOf(found) : found.kind === KIND.typeAlias ? inside(found.type) : []
  }
  const all = signaturesOf(reflection).flatMap(({ parameters = [] }) => parameters.flatMap((one) => (WRITTEN.test(parameterName(one)) ? inside(one.type) : [])))
  return [...new Map(all.toReversed().map((option) => [option.name, option])).values()].toReversed()
}
