// Text, and an object that holds text, as Standard Schemas of our own, so that an agent of ten lines loads no schema library.
// @see https://standardschema.dev
import type { Schema } from '../schema/index.ts'

const described = { type: 'string' }

const standard = {
  version: 1,
  vendor: 'stateloop',
  validate: (value: unknown) => (typeof value === 'string' ? { value } : { issues: [{ message: `expected text, got ${value === null ? 'null' : typeof value}` }] }),
  jsonSchema: { input: () => described, output: () => described },
} as const

/** Any text. */
export const textSchema: Schema<string> = { '~standard': standard }

const describedInput = { type: 'object', properties: { input: described }, required: ['input'] }

/** `{ input }` with any text, described as an object of a schema library would be. */
export const inputSchema: Schema<{ readonly input: string }> = {
  '~standard': {
    ...standard,
    validate: (value: unknown) => {
      const checked = standard.validate((value as { readonly input?: unknown } | null | undefined)?.input)
      return 'value' in checked ? { value: { input: checked.value } } : { issues: checked.issues.map((issue) => ({ ...issue, path: ['input'] })) }
    },
    jsonSchema: { input: () => describedInput, output: () => describedInput },
  } as never,
}
