// A form made from a JSON Schema: a field for each property, whatever cannot be a field as JSON. Invariant: it only helps to
// write a value; whether the value is right is decided by the server, whose problems are shown at their fields.
import { el, fill } from './dom.ts'
import type { Json, JsonSchema, Problem } from './wire.ts'

type JsonObject = { readonly [key: string]: Json }

/** Thrown while a value is read that no server needs to see. */
class NoValue extends Error {}

/** A field, or several. */
interface Field {
  /** Where its value is, as issues name it: `order.items[0]`. */
  readonly path: string
  readonly element: HTMLElement
  /** undefined when an optional value is left out. @throws NoValue. */
  readonly read: () => Json | undefined
  readonly say: (message: string) => void
  readonly focus: () => void
  readonly inside: readonly Field[]
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema that also takes null, without that. */
const withoutNull = (schema: JsonSchema): { readonly schema: JsonSchema; readonly nullable: boolean } => {
  const options = schema.anyOf ?? []
  const [only, ...others] = options.filter(({ type }) => type !== 'null')
  return only !== undefined && others.length === 0 && options.length === 2
    ? { schema: { ...only, ...(schema.description === undefined ? {} : { description: schema.description }) }, nullable: true }
    : { schema, nullable: false }
}

const choicesOf = ({ enum: listed, const: only, anyOf }: JsonSchema): readonly Json[] | undefined => {
  if (listed !== undefined) return listed
  if (only !== undefined) return [only]
  return anyOf !== undefined && anyOf.length > 0 && anyOf.every((option) => option.const !== undefined) ? anyOf.map((option) => option.const ?? null) : undefined
}

const showChoice = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

/** Characters from which a text gets an area instead of a line. */
const LONG_TEXT = 60

let fields = 0

/** A labelled control with room for what is wrong with it. */
const single = (path: string, name: string, control: Control, about: string | undefined, required: boolean, read: () => Json | undefined): Field => {
  const problem = el('span', { class: 'problem' })
  problem.id = `problem-${++fields}`
  control.setAttribute('aria-describedby', problem.id)
  const say = (message: string): void => {
    problem.textContent = message
    control.setAttribute('aria-invalid', String(message !== ''))
  }
  control.addEventListener('input', () => say(''))
  const heading = el('span', { class: 'field-name' }, name, required ? undefined : el('small', {}, 'optional'))
  const element = el('label', { class: 'field' }, name === '' && required ? undefined : heading, about === undefined ? undefined : el('small', {}, about), control, problem)
  return { path, element, read, say, focus: () => control.focus(), inside: [] }
}

const select = (choices: readonly Json[], value: Json | undefined, required: boolean): { readonly control: HTMLSelectElement; readonly read: () => Json | undefined } => {
  const control = el('select', {}, ...(required ? [] : [el('option', {}, '—')]), ...choices.map((choice) => el('option', {}, showChoice(choice))))
  const skipped = required ? 0 : 1
  const at = choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value))
  control.selectedIndex = at < 0 ? 0 : at + skipped
  return { control, read: () => choices[control.selectedIndex - skipped] }
}

const textControl = (value: string): HTMLInputElement | HTMLTextAreaElement => {
  const control = value.length > LONG_TEXT || value.includes('\n') ? el('textarea', {}) : el('input', { type: 'text' })
  control.value = value
  return control
}

const numberOf = (text: string): number => {
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new NoValue('This must be a number.')
}

const jsonOf = (text: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw new NoValue(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** One field for a value that has no parts of its own. */
const leaf = (path: string, name: string, given: JsonSchema, value: Json | undefined, required: boolean): Field => {
  const { schema, nullable } = withoutNull(given)
  const { type, description } = schema
  const needed = required && !nullable
  const empty = (): Json | undefined => {
    if (needed) throw new NoValue('This is needed.')
    return nullable && required ? null : undefined
  }
  const choices = choicesOf(schema) ?? (type === 'boolean' ? [true, false] : undefined)
  if (choices !== undefined) {
    const { control, read } = select(choices, value, needed)
    return single(path, name, control, description, needed, () => read() ?? empty())
  }
  if (type === 'string') {
    const control = textControl(typeof value === 'string' ? value : '')
    // An empty text is a text where one is needed: the schema says whether it may be.
    return single(path, name, control, description, needed, () => (control.value === '' && !needed ? empty() : control.value))
  }
  if (type === 'number' || type === 'integer') {
    const control = el('input', { type: 'text' })
    control.inputMode = 'decimal'
    control.value = value === undefined || value === null ? '' : String(value)
    return single(path, name, control, description, needed, () => (control.value.trim() === '' ? empty() : numberOf(control.value)))
  }
  const control = el('textarea', { placeholder: 'JSON' })
  control.value = value === undefined ? '' : JSON.stringify(value, null, 2)
  return single(path, name, control, description ?? (type === 'array' ? 'a list, as JSON' : 'as JSON'), needed, () => (control.value.trim() === '' ? empty() : jsonOf(control.value)))
}

/** Fields for the properties of an object. */
const group = (path: string, name: string, schema: JsonSchema, value: Json | undefined): Field => {
  const given: JsonObject = isObject(value) ? value : {}
  const known = Object.entries(schema.properties ?? {})
  const inside = known.map(([key, inner]) => [key, fieldOf(path === '' ? key : `${path}.${key}`, key, inner, Object.hasOwn(given, key) ? given[key] : undefined, schema.required?.includes(key) === true)] as const)
  const problem = el('span', { class: 'problem' })
  const read = (): Json => {
    // What the schema does not name stays as it was.
    const others = Object.entries(given).filter(([key]) => !known.some(([other]) => other === key))
    const values = inside.flatMap(([key, field]) => {
      const own = field.read()
      return own === undefined ? [] : [[key, own] as const]
    })
    return Object.fromEntries([...others, ...values])
  }
  const element = el('fieldset', {}, name === '' ? undefined : el('legend', {}, name), ...inside.map(([, field]) => field.element), problem)
  return { path, element, read, say: (message) => void (problem.textContent = message), focus: () => inside[0]?.[1].focus(), inside: inside.map(([, field]) => field) }
}

const fieldOf = (path: string, name: string, schema: JsonSchema, value: Json | undefined, required: boolean): Field =>
  schema.type === 'object' && schema.properties !== undefined && (required || value !== undefined) ? group(path, name, schema, value) : leaf(path, name, schema, value, required)

const allIn = (field: Field): readonly Field[] => [field, ...field.inside.flatMap(allIn)]

/** A value being written. */
export class Form {
  readonly element = el('div', { class: 'form' })
  readonly #root: Field

  /** @param schema what the value must be; `{}` for anything. @param value what it is before somebody changes it. */
  constructor(schema: JsonSchema, value: Json | undefined) {
    this.#root = fieldOf('', '', schema, value, true)
    fill(this.element, this.#root.element)
  }

  /** The value, or undefined when a field says why there is none. */
  read(): Json | undefined {
    for (const field of allIn(this.#root)) field.say('')
    const leaves = allIn(this.#root).filter(({ inside }) => inside.length === 0)
    const wrong = leaves.filter((field) => {
      try {
        field.read()
        return false
      } catch (error) {
        if (!(error instanceof NoValue)) throw error
        field.say(error.message)
        return true
      }
    })
    wrong[0]?.focus()
    return wrong.length > 0 ? undefined : this.#root.read()
  }

  /** Shows what the server found wrong, each at the nearest field. */
  show(problems: readonly Problem[]): void {
    const all = allIn(this.#root).toReversed()
    const places = problems.map(({ path, message }) => ({
      message,
      field: all.find((field) => field.path === path || (field.path !== '' && (path.startsWith(`${field.path}.`) || path.startsWith(`${field.path}[`)))) ?? this.#root,
      path,
    }))
    for (const { field, message, path } of places.toReversed()) field.say(path === field.path ? message : `${path}: ${message}`)
    places[0]?.field.focus()
  }
}
