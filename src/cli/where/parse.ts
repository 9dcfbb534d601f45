// The language of `--where`: comparisons joined by `and`, `or` and `not`, with parentheses. Invariant: an expression only
// compares; nothing in it is ever executed, and what cannot be understood is refused with the place where it stops.
import { fail } from '../../failure/index.ts'

/** How a field is compared. */
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~'

/** An expression, parsed. */
export type Where =
  | { readonly type: 'compare'; readonly field: string; readonly operator: Operator; readonly value: string; readonly at: number }
  | { readonly type: 'and' | 'or'; readonly all: readonly Where[] }
  | { readonly type: 'not'; readonly inner: Where }

interface Token {
  readonly text: string
  readonly kind: 'word' | 'quoted' | 'operator' | 'bracket'
  /** Position in the expression, from 0. */
  readonly at: number
}

const TOKEN = /\s*(?:(?<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<operator><=|>=|!=|==|=|<|>|~)|(?<bracket>[()])|(?<word>[^\s()<>=!~"']+))/y

/** Nesting that is still understood. */
const DEEPEST = 50

const refuse = (text: string, at: number, problem: string): never => fail('usage', `--where stops at character ${at + 1}: ${problem}\n  ${text}\n  ${' '.repeat(at)}^`)

const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const from = TOKEN.lastIndex
    const found = TOKEN.exec(text)
    if (found === null) return refuse(text, from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0), 'this is no name, value or comparison. Put text with such characters in quotes.')
    const { quoted, operator, bracket, word } = found.groups ?? {}
    const raw = quoted ?? operator ?? bracket ?? word ?? ''
    const at = TOKEN.lastIndex - raw.length
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1'), at })
    else tokens.push({ kind: operator === undefined ? (bracket === undefined ? 'word' : 'bracket') : 'operator', text: raw === '==' ? '=' : raw, at })
  }
  return tokens
}

class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text)
  }

  parse(): Where {
    const where = this.#either(0)
    const rest = this.#tokens[this.#next]
    return rest === undefined ? where : this.#refuse(`expected 'and' or 'or', found '${rest.text}'.`)
  }

  #refuse(problem: string): never {
    return refuse(this.#text, this.#tokens[this.#next]?.at ?? this.#text.length, problem)
  }

  #isWord(word: string): boolean {
    const token = this.#tokens[this.#next]
    return token?.kind === 'word' && token.text.toLowerCase() === word
  }

  #list(word: 'and' | 'or', part: () => Where): Where {
    const all = [part()]
    while (this.#isWord(word)) {
      this.#next += 1
      all.push(part())
    }
    return all.length === 1 && all[0] !== undefined ? all[0] : { type: word, all }
  }

  #either(depth: number): Where {
    if (depth > DEEPEST) this.#refuse(`more than ${DEEPEST} parentheses are inside of each other.`)
    return this.#list('or', () => this.#list('and', () => this.#one(depth)))
  }

  #one(depth: number): Where {
    if (this.#isWord('not')) {
      if (depth > DEEPEST) this.#refuse(`more than ${DEEPEST} 'not' follow each other.`)
      this.#next += 1
      return { type: 'not', inner: this.#one(depth + 1) }
    }
    const token = this.#tokens[this.#next]
    if (token?.kind === 'bracket' && token.text === '(') {
      this.#next += 1
      const inner = this.#either(depth + 1)
      if (this.#tokens[this.#next]?.text !== ')') this.#refuse("expected ')'.")
      this.#next += 1
      return inner
    }
    return this.#compare()
  }

  #compare(): Where {
    const field = this.#tokens[this.#next]
    if (field?.kind !== 'word') return this.#refuse(`expected a field, found ${field === undefined ? 'the end' : `'${field.text}'`}.`)
    this.#next += 1
    const operator = this.#tokens[this.#next]
    if (operator?.kind !== 'operator') return this.#refuse(`expected a comparison after '${field.text}': = != < <= > >= or ~ for a part of a text.`)
    this.#next += 1
    const value = this.#tokens[this.#next]
    if (value === undefined || value.kind === 'operator' || value.kind === 'bracket') return this.#refuse(`expected a value after '${field.text} ${operator.text}'.`)
    this.#next += 1
    return { type: 'compare', field: field.text, operator: operator.text as Operator, value: value.text, at: field.at }
  }
}

/**
 * Parses an expression: `outcome = failed and (cost > 0.10 or duration >= 30s)`.
 * @throws FailureError `usage`, with the place.
 */
export const parseWhere = (text: string): Where => new Parser(text).parse()
