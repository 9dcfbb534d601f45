// Fields that were given. Invariant: what is left out is absent, so that it can be spread over defaults and into objects
// whose optional fields may not be undefined.

/** The fields of an object without those that are undefined. */
export const defined = <T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } => {
  const given: { [name: string]: unknown } = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) given[name] = value
  return given as never
}
