// A prompt filled with made-up values, so that a person sees what a template becomes. Invariant: the same schema gives the
// same values, so two examples differ only where the prompts do.
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import type { PromptDocument } from './document.ts'
import type { Message } from './message.ts'
import { renderTemplate } from './render.ts'
import { parseTemplate } from './template.ts'

/** How deep a schema is followed; one that contains itself ends here. */
const DEEPEST = 8

const isObject = (value: Json | undefined): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

const given = (schema: JsonSchema): Json | undefined => {
  const { default: preset, const: constant, enum: values, examples } = schema
  if (isList(examples) && examples[0] !== undefined) return examples[0]
  return preset ?? constant ?? (isList(values) ? values[0] : undefined)
}

const objectOf = (schema: JsonSchema, name: string, depth: number): Json => {
  const fields = isObject(schema['properties']) ? schema['properties'] : {}
  return Object.fromEntries(Object.entries(fields).map(([field, inner]) => [field, exampleOf(inner, name === '' ? field : `${name}.${field}`, depth + 1)]))
}

/** A value that a schema describes. Text is its own name in angle brackets. */
const exampleOf = (schema: Json, name: string, depth = 0): Json => {
  if (!isObject(schema) || depth > DEEPEST) return `<${name}>`
  const known = given(schema)
  if (known !== undefined) return known
  const alternatives = [schema['anyOf'], schema['oneOf'], schema['allOf']].find(isList)
  if (alternatives?.[0] !== undefined) return exampleOf(alternatives[0], name, depth + 1)
  switch ([schema['type']].flat()[0]) {
    case 'number':
    case 'integer':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return [exampleOf(schema['items'] ?? true, name, depth + 1)]
    case 'object':
      return objectOf(schema, name, depth)
    default:
      return `<${name}>`
  }
}

/** Made-up variables for a prompt. */
export const exampleVars = (vars: JsonSchema): { readonly [name: string]: Json } => objectOf(vars, '', 0) as { readonly [name: string]: Json }

/** Fills a kept template with values as they are. @throws FailureError `invalid_input` when a value cannot stand where it is put. */
export const renderDocument = ({ messages }: PromptDocument, vars: { readonly [name: string]: Json }): readonly Message[] =>
  messages.map(({ role, content }) => ({ role, content: renderTemplate(parseTemplate(content).nodes, { vars }) }))
