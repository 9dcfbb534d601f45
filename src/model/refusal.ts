// Finds refusals that a model wrote as plain text, where the provider did not mark them. Invariant: conservative by
// design, because a missed refusal costs a poor answer and a false one costs a good answer.

/** Tells whether a text is nothing but a refusal. Must not throw; called once per reply. */
export type RefusalDetector = (text: string) => boolean

/** Real refusals are short; an answer that merely contains such a sentence goes on. */
const LONGEST_REFUSAL = 400

const OPENING = /^(?:i['’]?m (?:really |very |truly |so )?sorry|(?:my )?apologies|sorry|i apologi[sz]e|unfortunately)\b[^.!?\n]{0,20}[,.;:!—-]?\s*(?:but |however,? )?/i
const DECLINES =
  /^(?:i (?:can['’]?t|cannot|can not|won['’]?t|will not|must decline to|have to decline to)|i['’]?m (?:unable|not able|not allowed|not permitted) to|i am (?:unable|not able|not allowed|not permitted) to) (?:(?:help|assist)(?: you)?(?: (?:with|in))? (?:that|this|your request|such|those|these)|(?:help|assist)(?: you)? with (?:the|creating|making|writing|generating)? ?(?:that|this|request)|comply\b|(?:fulfil+|honou?r|complete|process|accommodate) (?:that|this|your|such|the) request|(?:do|provide|discuss|create|generate|write|produce|share|answer|engage (?:in|with)) (?:that|this|such)\b|provide (?:that|this|the requested) )/i

/**
 * The default detector: a short text that opens by declining *the request itself* ("I'm sorry, but I can't help with
 * that."). Saying that something is impossible or unknown ("I can't find the order") is an answer.
 */
export const isPlainRefusal: RefusalDetector = (text) => {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > LONGEST_REFUSAL) return false
  return DECLINES.test(trimmed.replace(OPENING, ''))
}
