// A rendered message that is word for word what came in with the entry, as a user's text is, is kept as a reference to
// it. Invariant: only a message's whole text is replaced, and reading puts back exactly that text.
import type { Json } from '../failure/index.ts'
import { isObject, type Fields } from './data.ts'

const KEY = '$said'
/** Shorter texts are not worth a reference, characters. */
const SHORTEST = 24

/** Where a text is inside a value, as `event.text`; undefined when it is not there. */
const placeOf = (value: Json, text: string, path = ''): string | undefined => {
  if (value === text) return path
  if (!isObject(value)) return undefined
  for (const [name, inner] of Object.entries(value)) {
    const found = name.includes('.') ? undefined : placeOf(inner, text, path === '' ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

const mapMessages = (ask: Json, map: (content: Json) => Json): Json => {
  const messages = isObject(ask) ? ask['messages'] : undefined
  if (!isObject(ask) || !Array.isArray(messages)) return ask
  return { ...ask, messages: messages.map((message) => (isObject(message) ? { ...message, content: map(message['content'] ?? null) } : message)) }
}

/** An ask with references to what its entry's cause says. */
export const withoutSaid = (ask: Json, cause: Json): Json =>
  mapMessages(ask, (content) => {
    const place = typeof content === 'string' && content.length >= SHORTEST ? placeOf(cause, content) : undefined
    return place === undefined ? content : { [KEY]: place }
  })

/** An ask with its texts put back. */
export const withSaid = (ask: Json, cause: Json): Json =>
  mapMessages(ask, (content) => {
    const place = isObject(content) ? content[KEY] : undefined
    return typeof place === 'string' ? place.split('.').reduce<Json>((value, name) => (value as Fields)[name] ?? null, cause) : content
  })
