// What the comments of public names leave out. Invariant: a name that a user may write or read has a comment, unless its type is
// one value, as with `kind: 'tool'`; a number says its unit, and an option that may be left out says what holds then.
import { membersOf, optionsOf, partsOf } from './options.ts'
import { commentOf, KIND, type Api, type Reflection, type Type } from './reflection.ts'

const textOf = (reflection: Reflection): string => (commentOf(reflection)?.summary ?? []).map(({ text }) => text).join('')

const isOneValue = (type: Type | undefined): boolean => type?.type === 'literal' || (type?.type === 'typeOperator' && isOneValue(type.target))

/** Units by the end of a name, with what a comment says of them. */
const UNITS: readonly (readonly [end: RegExp, said: RegExp])[] = [
  [/(^m|M)s$/, /millisecond/i],
  [/Usd$/, /\bUSD\b/],
  [/Bytes$/, /\bbytes\b/i],
]

/** Types that a user writes out, though they are not the argument of a function. */
const WRITTEN = /(Options|Policy|Policies|Definition|Setup|Config|OneShot|MachineAgent)$|^(Server)?Limits$/

const problemOf = (member: Reflection, isOption: boolean): string | undefined => {
  const text = textOf(member)
  if (text.trim() === '') return isOneValue(member.type) || member.kind === KIND.constructor ? undefined : 'has no comment'
  if (UNITS.some(([end, said]) => end.test(member.name) && member.signatures === undefined && !said.test(text))) return 'does not say its unit'
  return isOption && member.flags.isOptional === true && !/\b(default|without|required)/i.test(text) ? 'does not say what holds without it' : undefined
}

/** Problems, each once, by place: `stateloop/eval: JudgeOptions.model has no comment`. */
export const commentProblems = ({ entryPoints }: Api): readonly string[] => {
  const byId = new Map(entryPoints.flatMap(({ exports, companions }) => [...exports, ...companions].map((reflection) => [reflection.id, reflection] as const)))
  const options = (reflection: Reflection): readonly Reflection[] => optionsOf(reflection, (id) => byId.get(id))
  const found = new Map<string, string>()
  const check = (owner: string, member: Reflection, isOption: boolean): void => {
    const problem = problemOf(member, isOption)
    const { fileName = owner, line = member.name } = member.sources?.[0] ?? {}
    const key = `${fileName}:${line}:${member.name}`
    if (problem !== undefined && !found.has(key)) found.set(key, `${owner}.${member.name} ${problem}`)
  }
  for (const { name, exports, companions } of entryPoints) {
    for (const one of exports.filter(({ kind }) => kind !== KIND.reference)) {
      const owner = `${name}: ${one.name}`
      if (textOf(one).trim() === '') found.set(owner, `${owner} has no comment`)
      const members = one.kind === KIND.variable ? [] : [...membersOf(one), ...partsOf(one, (id) => byId.get(id)).flatMap((part) => (part.kind === KIND.interface ? membersOf(part) : []))]
      for (const member of members) check(owner, member, WRITTEN.test(one.name))
      for (const callable of [one, ...members]) for (const option of options(callable)) check(callable === one ? owner : `${owner}.${callable.name}`, option, true)
    }
    for (const one of companions) for (const option of options(one)) check(`${name}: ${one.name}`, option, true)
  }
  return [...found.values()]
}
