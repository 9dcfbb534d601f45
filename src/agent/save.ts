// How an output gets into the context: under one field whose type accepts it, or through a pure function.
import { report, type Named, type Site } from './build.ts'
import type { DoneArgs, Env } from './env.ts'
import { suggest } from './nearest.ts'
import { threadMessages } from './thread-reader.ts'

type Fitting<C, O> = { [K in keyof C & string]: [O] extends [C[K]] ? K : never }[keyof C & string]

/** Context fields that accept a value of type `O`. Said in words where there is none, since a compiler prints this type. */
export type FieldFor<X extends Env, O> = [Fitting<X['context'], O>] extends [never] ? '(no field of the context accepts this output)' : Fitting<X['context'], O>

/** The same where the output is inferred from a function beside it: it is not known yet when the field is first looked at. */
export type FieldForLater<X extends Env, O> = unknown extends O ? keyof X['context'] & string : FieldFor<X, O>

/** A pure function from an output to the context fields that change. */
export interface SaveFunction<X extends Env, O> {
  (args: DoneArgs<X, O>): Partial<X['context']>
}

/** Fields an author may not save. */
const RESERVED = '$run'

type ErasedSave = (args: never) => object

/** What the machine's JSON says about a save: the field, or that a function decides. */
export const saveName = (save: unknown): string | undefined => (save === undefined ? undefined : typeof save === 'string' ? save : '(function)')

const checkField = (site: Site, field: string): void => {
  const { fields } = site.build.setup
  if (field === RESERVED) return report(site, `save names '${RESERVED}', which only the runtime writes. Use a field of the context.`)
  if (fields !== undefined && !fields.includes(field)) report(site, `save names '${field}', which is not a field of the context.${suggest(field, fields)}`)
}

/** Registers the save of a state as an action named `<path>/save`. */
export const saveActions = (site: Site, save: unknown): readonly Named[] => {
  if (save === undefined) return []
  const type = `${site.path}/save`
  if (typeof save === 'string') {
    checkField(site, save)
    site.build.saves[type] = ({ event }) => ({ [save]: event.output })
    return [{ type }]
  }
  const toFields = save as ErasedSave
  site.build.saves[type] = ({ context, event }) => toFields({ context, output: event.output, messages: threadMessages } as never)
  return [{ type }]
}

/** Registers what an event saves, as an action named `<path>/<EVENT>`. */
export const eventSave = (site: Site, event: string, save: ErasedSave | undefined): readonly Named[] => {
  if (save === undefined) return []
  const type = `${site.path}/${event}`
  site.build.saves[type] = ({ context, event: sent }) => save({ context, event: sent, messages: threadMessages } as never)
  return [{ type }]
}
