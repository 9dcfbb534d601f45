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

/** What type parameters stand for, by their id. */
type Bindings = ReadonlyMap<number, Type>

/** Type parameters with what they must at least be. */
const constraintsOf = ({ typeParameters = [] }: Reflection): Bindings => new Map(typeParameters.flatMap(({ id, type }) => (type === undefined ? [] : [[id, type] as const])))

/** A member whose type is a type parameter, with what that stands for; it says more to a reader than a letter. */
const bound = (member: Reflection, bindings: Bindings): Reflection => {
  const { type } = member
  const meant = type?.type === 'reference' && typeof type.target === 'number' ? bindings.get(type.target) : undefined
  return meant === undefined ? member : { ...member, type: meant }
}

/** Options of a function by name: those written in place first, then those of every other part of an intersection. */
export const optionsOf = (reflection: Reflection, find: (id: number) => Reflection | undefined): readonly Reflection[] => {
  const inside = (type: Type | undefined, bindings: Bindings): readonly Reflection[] => {
    if (type === undefined) return []
    if (type.type === 'reflection') return visible(type.declaration).map((member) => bound(member, bindings))
    if (type.type === 'intersection') return [...type.types].sort((a, b) => Number(b.type === 'reflection') - Number(a.type === 'reflection')).flatMap((part) => inside(part, bindings))
    if (type.type === 'conditional') return [type.trueType, type.falseType].flatMap((branch) => inside(branch, bindings))
    const found = type.type === 'reference' && typeof type.target === 'number' ? find(type.target) : undefined
    if (found === undefined || type.type !== 'reference') return []
    const given = (found.typeParameters ?? []).flatMap(({ id }, index) => {
      const argument = type.typeArguments?.[index]
      const meant = argument?.type === 'reference' && typeof argument.target === 'number' ? bindings.get(argument.target) : argument
      return meant === undefined ? [] : [[id, meant] as const]
    })
    const inner: Bindings = new Map(given)
    if (found.kind === KIND.interface) return membersOf(found).map((member) => bound(member, inner))
    return found.kind === KIND.typeAlias ? inside(found.type, inner) : []
  }
  const all = signaturesOf(reflection).flatMap((signature) => (signature.parameters ?? []).flatMap((one) => (WRITTEN.test(parameterName(one)) ? inside(one.type, constraintsOf(signature)) : [])))
  return all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index)
}

/** Types that an alias joins. */
export const partsOf = ({ kind, type }: Reflection, find: (id: number) => Reflection | undefined): readonly Reflection[] => {
  if (kind !== KIND.typeAlias || (type?.type !== 'intersection' && type?.type !== 'union')) return []
  return type.types.flatMap((part) => (part.type === 'reference' && typeof part.target === 'number' ? (find(part.target) ?? []) : []))
}
