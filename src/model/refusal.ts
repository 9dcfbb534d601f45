// Finds refusals that a model wrote as plain text, where the provider did not mark them. Invariant: conservative by
// design, because a missed refusal costs a poor answer and a false one costs a good answer.

/** Tells whether a text is nothing but a refusal. Must not throw; called once per reply. */
export type RefusalDetector = (text: string) => boolean

/** Real refusals are short; an answer that merely contains such a sentence goes on. */
const LONGEST_REFUSAL = 400

const APOLOGY = /^(?:i(?:'m| am) (?:(?:very|really|truly|so) )?sorry|sorry|(?:my )?apologies|i apologi[sz]e|unfortunately)(?: about that| for that)?[,.;:!\u2013\u2014-]*\s*(?:but |however,? )?/
const INABILITY = "i(?: can't| cannot| can not| won't| will not|(?:'m| am) (?:unable|not able|not allowed|not permitted) to|(?:'m| am) going to have to decline to| must decline to| have to decline to)"
const THE_REQUEST = '(?:that|this|it|such|those|these|(?:that|this|your|the|such|those|these) requests?)'
const END = '(?= as\\b| because\\b| since\\b|[^\\w\\s]|$)'
const HELPING = `(?:help|assist)(?: you)? (?:with|in) ${THE_REQUEST}${END}`
const GRANTING = `(?:comply|comply with ${THE_REQUEST}|(?:fulfill?|honou?r|accommodate) ${THE_REQUEST}|(?:do|answer|discuss|engage in) (?:that|this))${END}`
const MAKING = `(?:provide|create|generate|write|produce|share) (?:that|this|such)(?: (?:kind|type|sort) of)? (?:information|content|material|assistance|advice|instructions|text|image|story|code)s?${END}`
const DECLINES = new RegExp(`^${INABILITY} (?:${HELPING}|${GRANTING}|${MAKING})`)

/**
 * The default detector: a short text that opens by declining *the request itself* ("I'm sorry, but I can't help with
 * that."). Saying that something is impossible or unknown ("I can't find the order") is an answer.
 */
export const isPlainRefusal: RefusalDetector = (text) => {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > LONGEST_REFUSAL) return false
  const plain = trimmed.toLowerCase().replaceAll('\u2019', "'").replaceAll(/\s+/g, ' ')
  return DECLINES.test(plain.replace(APOLOGY, ''))
}
