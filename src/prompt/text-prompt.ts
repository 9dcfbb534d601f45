// Constant text as a prompt without variables, so that text written in place has a hash, a history and a lock like any
// other prompt. Invariant: what it renders is the text, whatever braces the text holds.
import type { Schema } from '../schema/index.ts'
import { createPrompt } from './define.ts'
import type { Prompt } from './prompt.ts'

const described = { type: 'object', properties: {} }

/** A schema without variables. It shows the JSON Schema that an empty object of a schema library has, so hashes agree. */
const noVars: Schema<object> = {
  '~standard': { version: 1, vendor: 'stateloop', validate: () => ({ value: {} }), jsonSchema: { input: () => described, output: () => described } },
} as Schema<object>

/** A prompt of one user message that is always this text. */
export const textPrompt = (id: string, text: string): Prompt => createPrompt({ id, vars: noVars, messages: escapeTags(text) })

/** Text in which nothing is a tag. */
export const escapeTags = (text: string): string => text.replaceAll('{{', '\\{{')
