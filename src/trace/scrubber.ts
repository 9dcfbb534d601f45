// Takes known secrets out of text and data, in every form in which they usually travel: as they are, in base64, in URLs and
// inside JSON. Invariant: what holds no secret comes back as the same object, and what comes back holds none.

/** What stands where a secret was. */
export const REDACTED = '[secret]'

/** Shorter values would be found in innocent text. */
const SHORTEST = 6
/** Pieces of an encoded secret shorter than this prove nothing. */
const SHORTEST_ENCODED = 8

/** A secret and what to write in its place. */
export interface KnownSecret {
  readonly value: string
  readonly replacement: string
}

/** Base64 of a value wherever it begins inside of longer data: those characters that no neighbour can change. */
const base64Forms = (value: string): readonly string[] => {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '')
    const sure = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

const urlForms = (value: string): readonly string[] => {
  try {
    const encoded = encodeURIComponent(value)
    return [encoded, encoded.replaceAll('%20', '+'), encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]
  } catch {
    // A lone surrogate has no form in a URL.
    return []
  }
}

const jsonForms = (value: string): readonly string[] => {
  const once = JSON.stringify(value).slice(1, -1)
  return [once, JSON.stringify(once).slice(1, -1)]
}

/** A secret of several lines, such as a private key, is one of them already when a single line shows. */
const linesOf = (value: string): readonly string[] => (value.includes('\n') ? value.split(/\r?\n/).filter((line) => line.length >= 20 && !line.startsWith('-----')) : [])

const formsOf = (value: string): readonly string[] => [
  ...[value, ...linesOf(value)].flatMap((text) => [text, ...urlForms(text), ...jsonForms(text)]).filter((form) => form.length >= SHORTEST),
  ...base64Forms(value).filter((form) => form.length >= SHORTEST_ENCODED),
]

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Text that arrives in pieces; nothing is passed on that may still become a secret. */
export interface TextStream {
  readonly push: (text: string) => void
  /** Passes on what was held back. */
  readonly end: () => void
}

/** Takes secrets out. */
export interface Scrubber {
  readonly text: (text: string) => string
  /** Data, keys included. */
  readonly data: <T>(value: T) => T
  readonly stream: (pass: (text: string) => void) => TextStream
}

const NOTHING: Scrubber = { text: (text) => text, data: (value) => value, stream: (pass) => ({ push: pass, end: () => {} }) }

/** How much of the end of a text is the beginning of one of the forms. */
const heldBack = (text: string, forms: readonly string[]): number => {
  let held = 0
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > held; length--) if (form.startsWith(text.slice(-length))) held = length
  }
  return held
}

/** Makes a scrubber of secrets. Those shorter than six characters are left alone. */
export const scrubber = (secrets: readonly KnownSecret[]): Scrubber => {
  const forms = new Map(secrets.filter(({ value }) => value.trim().length >= SHORTEST).flatMap(({ value, replacement }) => formsOf(value).map((form) => [form, replacement] as const)))
  if (forms.size === 0) return NOTHING
  const longestFirst = [...forms.keys()].toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(longestFirst.map(escaped).join('|'), 'g')
  const text = (given: string): string => (given.length < SHORTEST ? given : given.replaceAll(pattern, (found) => forms.get(found) ?? REDACTED))
  const data = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value)
    if (Array.isArray(value)) {
      const cleaned = value.map(data)
      return cleaned.every((item, index) => item === value[index]) ? value : cleaned
    }
    if (typeof value !== 'object' || value === null) return value
    let changed = false
    const entries = Object.entries(value).map(([key, inner]) => {
      const [cleanKey, clean] = [text(key), data(inner)]
      changed ||= cleanKey !== key || clean !== inner
      return [cleanKey, clean] as const
    })
    return changed ? Object.fromEntries(entries) : value
  }
  return {
    text,
    data: data as Scrubber['data'],
    stream: (pass) => {
      let kept = ''
      const release = (all: boolean): void => {
        const clean = text(kept)
        const hold = all ? 0 : heldBack(clean, longestFirst)
        const ready = clean.slice(0, clean.length - hold)
        kept = clean.slice(clean.length - hold)
        if (ready !== '') pass(ready)
      }
      return {
        push: (piece) => {
          kept += piece
          release(false)
        },
        end: () => release(true),
      }
    },
  }
}

/** Names of environment variables whose values are secrets. */
const SECRET_NAME = /(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|PAT|DSN)(?:$|_)/i

/** Long enough, and not an ordinary word: `postgres` as a password must not vanish from every answer. */
const looksSecret = (value: string): boolean => value.length >= 8 && (value.length >= 20 || (/\d/.test(value) && /[A-Za-z]/.test(value)))

const passwordIn = (value: string): readonly string[] => {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i.test(value)) return []
  try {
    const { password } = new URL(value)
    return password === '' ? [] : [password, decodeURIComponent(password)]
  } catch {
    return []
  }
}

/** Secrets in the environment: values of variables that are named like one, and passwords inside of addresses. */
export const environmentSecrets = (environment: { readonly [name: string]: string | undefined }): readonly string[] =>
  Object.entries(environment)
    .flatMap(([name, value = '']) => [...(SECRET_NAME.test(name) ? [value] : []), ...passwordIn(value)])
    .filter(looksSecret)
