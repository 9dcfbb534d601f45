// Splits text into search terms, the same way for documents and queries. Pure and free of locales, so an index gives
// the same order on every machine.

/** English words that say nothing about what a text is about. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  'a an and are as at be but by can could do does for from had has have how i if in into is it its me my no not of on or our should so than that the their them then there these they this those to was we were what when where which while who why will with would you your'.split(
    ' ',
  ),
)
/** Scripts that put no spaces between words; pairs of characters stand in for words. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+$/u
const RUNS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+|[\p{L}\p{N}]+/gu

const pairs = (run: string): readonly string[] => {
  const chars = [...run]
  return chars.length === 1 ? chars : chars.slice(1).map((char, index) => `${chars[index]}${char}`)
}

/** The word without its ending, so that `retries`, `retrying` and `retry` are one term. After step 1 of Porter (1980). */
const stem = (word: string): string => {
  const cut = word.replace(/(?:ing|ed|es|e|(?<!s)s)$/, '')
  if (cut.length < 3 || !/[aeiouy]/.test(cut)) return word
  const undoubled = /(?:ing|ed)$/.test(word) ? cut.replace(/([bdfgmnprt])\1$/, '$1') : cut
  return undoubled.length > 3 ? undoubled.replace(/y$/, 'i') : undoubled
}

/** Terms of a text in order: lower case, without accents, stop words and endings. */
export const termsOf = (text: string): readonly string[] => {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().normalize('NFC')
  return (plain.match(RUNS) ?? []).flatMap((run) => (UNSPACED.test(run) ? pairs(run) : STOP_WORDS.has(run) ? [] : [stem(run)]))
}
