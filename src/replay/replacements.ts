// What is personal in the causes of a run, and the same causes with pseudonyms in its place: values of named fields, and
// addresses, telephone and card numbers wherever they stand. A value found once is replaced everywhere it is repeated.
import type { Json } from '../failure/index.ts'
import { isObject } from './data.ts'
import type { Pseudonyms } from './pseudonym.ts'

/** Fields that hold something personal wherever they appear. */
const PERSONAL_FIELDS = [
  'email',
  'phone',
  'phone_number',
  'first_name',
  'last_name',
  'full_name',
  'street',
  'address',
  'address1',
  'address2',
  'zip',
  'postal_code',
  'iban',
  'dob',
  'birthday',
  'ssn',
  'password',
  'token',
  'secret',
  'api_key',
  'authorization',
] as const

const plainName = (name: string): string => name.toLowerCase().replace(/[-_]/g, '')
const PERSONAL: readonly string[] = PERSONAL_FIELDS.map(plainName)

const PATTERNS = [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, /\+\d[\d ()-]{7,}\d/g, /\b(?:\d[ -]?){13,19}\b/g, /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b/g] as const

/** Shorter values are replaced only as words of their own: `Ada` is not looked for inside `Canada`. */
const SHORTEST_PART = 8
/** A single character is replaced only where it is a field's whole value. */
const SHORTEST_WORD = 2

/** Which fields are personal. */
export interface FieldChoice {
  /** Further field names. Default: none. */
  readonly fields?: readonly string[]
  /** Field names that are kept as they are. Default: none. */
  readonly keep?: readonly string[]
}

/** Opens texts that hold JSON, so that fields inside tool results are seen. */
const opened = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Finds personal values and replaces them. */
export class Replacements {
  readonly #personal: ReadonlySet<string>
  readonly #kept: ReadonlySet<string>
  readonly #pseudonyms: Pseudonyms
  readonly #texts = new Map<string, string>()
  #inside: RegExp | undefined

  constructor(pseudonyms: Pseudonyms, { fields = [], keep = [] }: FieldChoice) {
    this.#pseudonyms = pseudonyms
    this.#kept = new Set(keep.map(plainName))
    this.#personal = new Set([...PERSONAL, ...fields.map(plainName)].filter((field) => !this.#kept.has(field)))
  }

  /** How many values were found. */
  get found(): number {
    return this.#texts.size
  }

  /** Notes a value that is personal as a whole, such as the user of a run. */
  note(text: string): void {
    this.#inside = undefined
    if (text !== '' && !this.#texts.has(text)) this.#texts.set(text, this.#pseudonyms.text(text))
  }

  /** Looks for personal values. To be called for everything before anything is replaced. */
  look(value: Json, personal = false): void {
    if (typeof value === 'string') {
      const inner = opened(value)
      if (inner !== undefined) this.look(inner, personal)
      else if (personal) this.note(value)
      for (const pattern of PATTERNS) for (const [match] of value.matchAll(pattern)) this.note(match)
    } else if (Array.isArray(value)) for (const item of value) this.look(item, personal)
    else if (isObject(value)) for (const [field, item] of Object.entries(value)) if (!this.#kept.has(plainName(field))) this.look(item, personal || this.#personal.has(plainName(field)))
  }

  /** A copy with pseudonyms. */
  apply(value: Json, personal = false): Json {
    if (typeof value === 'string') return this.text(value)
    if (typeof value === 'number') return personal ? this.#pseudonyms.number(value) : value
    if (Array.isArray(value)) return value.map((item) => this.apply(item, personal))
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([field, item]) => [field, this.#kept.has(plainName(field)) ? item : this.apply(item, personal || this.#personal.has(plainName(field)))])) : value
  }

  text(value: string): string {
    const whole = this.#texts.get(value)
    if (whole !== undefined) return whole
    this.#inside ??= this.#pattern()
    return value.replace(this.#inside, (match) => this.#texts.get(match) ?? match)
  }

  /** Longest first, so that a name inside an address does not break it. */
  #pattern(): RegExp {
    const texts = [...this.#texts.keys()].filter((text) => text.length >= SHORTEST_WORD).sort((a, b) => b.length - a.length)
    const sources = texts.map((text) => {
      const exact = text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
      return text.length < SHORTEST_PART ? String.raw`(?<![\p{L}\p{N}])${exact}(?![\p{L}\p{N}])` : exact
    })
    return sources.length === 0 ? /(?!)/g : new RegExp(sources.join('|'), 'gu')
  }
}
