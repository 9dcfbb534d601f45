// Text as a Standard Schema of our own, so that an agent of ten lines loads no schema library.
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
