// Types and signatures as TypeScript text in which every type that has a page leads to it.
import { visible } from './options.ts'
import { parameterName, type Reflection, type Type } from './reflection.ts'

/** Characters of a line after which a type is broken into several. */
const WIDTH = 88

// Links are kept as marks while lengths are counted, and become anchors at the end.
const OPEN = '\u0001'
const MIDDLE = '\u0002'
const CLOSE = '\u0003'

const MARKS = new RegExp(`${OPEN}[^${MIDDLE}]*${MIDDLE}|${CLOSE}`, 'g')

const lengthOf = (text: string): number => Math.max(...text.split('\n').map((line) => line.replaceAll(MARKS, '').length))
const fits = (text: string, indent: string): boolean => !text.includes('\n') && lengthOf(text) + indent.length <= WIDTH

/** Escapes text for HTML. */
export const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Where a type leads, by the id of its reflection; undefined for one without a page. */
export type Lead = (id: number) => { readonly name: string; readonly href: string } | undefined

/** Marked text as HTML. */
const toHtml = (text: string): string =>
  escapeHtml(text)
    .replaceAll(new RegExp(`${OPEN}([^${MIDDLE}]*)${MIDDLE}`, 'g'), '<a href="$1">')
    .replaceAll(CLOSE, '</a>')

const list = (parts: readonly string[], open: string, close: string, indent: string): string => {
  const line = `${open}${parts.join(', ')}${close}`
  if (parts.length === 0 || fits(line, indent)) return line
  return `${open}\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}${close}`
}

const wrapped = (text: string, indent: string): readonly string[] => {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < WIDTH - indent.length) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** What a comment says first, as plain text. */
const plainText = ({ comment }: Reflection): string =>
  (comment?.summary ?? [])
    .map(({ text }) => text)
    .join('')
    .trim()

/** Writes types, with links to the pages of others. */
export class Writer {
  readonly #lead: Lead

  constructor(lead: Lead) {
    this.#lead = lead
  }

  /** A type as HTML. */
  type(type: Type): string {
    return toHtml(this.#type(type, ''))
  }

  /** Signatures of a function as HTML, one below the other. */
  signatures(name: string, signatures: readonly Reflection[]): string {
    return toHtml(signatures.map((signature) => `${name}${this.#signature(signature, ': ', '')}`).join('\n'))
  }

  /** A member of an object as HTML: `name?: string`. */
  member(reflection: Reflection): string {
    return toHtml(this.#member(reflection, ''))
  }

  /** What stands after the name of a declared type: parameters, and for an alias what it is. */
  declaration({ name, typeParameters, extendedTypes = [], type }: Reflection, keyword: 'class' | 'interface' | 'type' | 'const'): string {
    const parents = extendedTypes.length === 0 ? '' : ` extends ${extendedTypes.map((one) => this.#type(one, '')).join(', ')}`
    const head = `${keyword} ${name}${this.#typeParameters(typeParameters, '')}${parents}`
    if (type === undefined) return toHtml(head)
    if (keyword === 'const') return toHtml(`${head}: ${this.#type(type, '')}`)
    const body = this.#type(type, '')
    return toHtml(body.startsWith('\n') ? `${head} =${body}` : `${head} = ${body}`)
  }

  #typeParameters(parameters: readonly Reflection[] | undefined, indent: string): string {
    if (parameters === undefined || parameters.length === 0) return ''
    const one = ({ name, type, default: fallback }: Reflection): string =>
      `${name}${type === undefined ? '' : ` extends ${this.#type(type, `${indent}  `)}`}${fallback === undefined ? '' : ` = ${this.#type(fallback, `${indent}  `)}`}`
    return list(parameters.map(one), '<', '>', indent)
  }

  #signature({ typeParameters, parameters = [], type }: Reflection, arrow: ': ' | ' => ', indent: string): string {
    const one = (parameter: Reflection): string => {
      const { flags, type: of, defaultValue } = parameter
      const optional = flags.isOptional === true || (defaultValue !== undefined && flags.isRest !== true)
      return `${flags.isRest === true ? '...' : ''}${parameterName(parameter)}${optional ? '?' : ''}: ${of === undefined ? 'unknown' : this.#type(of, `${indent}  `)}`
    }
    const result = type === undefined ? 'void' : this.#type(type, indent)
    return `${this.#typeParameters(typeParameters, indent)}${list(parameters.map(one), '(', ')', indent)}${arrow}${result}`
  }

  #member(reflection: Reflection, indent: string): string {
    const { name, flags, signatures, getSignature, type } = reflection
    const shown = /^[\w$]+$/.test(name) ? name : `'${name}'`
    const optional = flags.isOptional === true ? '?' : ''
    if (signatures !== undefined) return signatures.map((signature) => `${shown}${optional}${this.#signature(signature, ': ', indent)}`).join(`;\n${indent}`)
    const of = type ?? getSignature?.type
    return `${shown}${optional}: ${of === undefined ? 'unknown' : this.#type(of, indent)}`
  }

  #object(declaration: Reflection, indent: string): string {
    const { signatures = [], indexSignatures = [] } = declaration
    const children = visible(declaration)
    if (children.length === 0 && indexSignatures.length === 0 && signatures.length === 1) return this.#signature(signatures[0]!, ' => ', indent)
    const inner = `${indent}  `
    const members = [
      ...signatures.map((signature) => ({ text: this.#signature(signature, ': ', inner), comment: plainText(signature) })),
      ...indexSignatures.map(({ parameters = [], type }) => ({
        text: `[${parameters.map(({ name, type: of }) => `${name}: ${of === undefined ? 'string' : this.#type(of, inner)}`).join()}]: ${type === undefined ? 'unknown' : this.#type(type, inner)}`,
        comment: '',
      })),
      ...children.map((child) => ({ text: this.#member(child, inner), comment: plainText(child) })),
    ]
    if (members.length === 0) return '{}'
    const line = `{ ${members.map(({ text }) => text).join('; ')} }`
    if (members.every(({ comment }) => comment === '') && fits(line, indent)) return line
    const said = ({ text, comment }: (typeof members)[number]): string => [...(comment === '' ? [] : wrapped(comment, inner).map((part) => `${inner}// ${part}\n`)), `${inner}${text}\n`].join('')
    return `{\n${members.map(said).join('')}${indent}}`
  }

  /** A type that stands inside another, in brackets where it needs them. */
  #inner(type: Type, indent: string): string {
    const text = this.#type(type, indent)
    const isFunction = type.type === 'reflection' && type.declaration.signatures !== undefined && type.declaration.children === undefined
    return isFunction || ['union', 'intersection', 'conditional', 'typeOperator', 'inferred'].includes(type.type) ? `(${text.trimStart()})` : text
  }

  #joined(types: readonly Type[], mark: '|' | '&', indent: string): string {
    const parts = types.map((type) => {
      const isFunction = type.type === 'reflection' && type.declaration.signatures !== undefined && type.declaration.children === undefined
      const brackets = isFunction || type.type === 'conditional' || (mark === '&' && type.type === 'union')
      const text = this.#type(type, `${indent}  `)
      return brackets ? `(${text}${text.startsWith('\n') ? `\n${indent}  ` : ''})` : text
    })
    const line = parts.join(` ${mark} `)
    return fits(line, indent) ? line : parts.map((part) => `\n${indent}  ${mark} ${part}`).join('')
  }

  #reference({ name, target, typeArguments = [] }: Extract<Type, { readonly type: 'reference' }>, indent: string): string {
    const lead = typeof target === 'number' ? this.#lead(target) : undefined
    const shown = lead === undefined ? name : `${OPEN}${lead.href}${MIDDLE}${lead.name}${CLOSE}`
    if (typeArguments.every((one) => one.type === 'intrinsic' && one.name === 'unknown')) return shown
    return `${shown}${list(
      typeArguments.map((one) => this.#type(one, `${indent}  `).trimStart()),
      '<',
      '>',
      indent,
    )}`
  }

  #mapped(type: Extract<Type, { readonly type: 'mapped' }>, indent: string): string {
    const modifier = (sign: string | undefined, word: string): string => (sign === undefined ? '' : sign === '-' ? `-${word}` : word)
    const head = `${type.readonlyModifier === undefined ? '' : `${modifier(type.readonlyModifier, 'readonly')} `}[${type.parameter} in ${this.#type(type.parameterType, indent)}]${modifier(type.optionalModifier, '?')}`
    return `{ ${head}: ${this.#type(type.templateType, indent)} }`
  }

  #conditional({ checkType, extendsType, trueType, falseType }: Extract<Type, { readonly type: 'conditional' }>, indent: string): string {
    const inner = `${indent}  `
    const head = `${this.#type(checkType, inner)} extends ${this.#type(extendsType, inner)}`
    const [yes, no] = [this.#type(trueType, inner), this.#type(falseType, inner)]
    const line = `${head} ? ${yes} : ${no}`
    return fits(line, indent) ? line : `${head}\n${inner}? ${yes}\n${inner}: ${no}`
  }

  #type(type: Type, indent: string): string {
    switch (type.type) {
      case 'intrinsic':
      case 'unknown':
        return type.name
      case 'literal':
        return typeof type.value === 'string' ? `'${type.value}'` : String(type.value)
      case 'reference':
        return this.#reference(type, indent)
      case 'array':
        return `${this.#inner(type.elementType, indent)}[]`
      case 'optional':
        return `${this.#type(type.elementType, indent)}?`
      case 'rest':
        return `...${this.#type(type.elementType, indent)}`
      case 'tuple':
        return `[${(type.elements ?? []).map((one) => this.#type(one, indent)).join(', ')}]`
      case 'namedTupleMember':
        return `${type.name}${type.isOptional ? '?' : ''}: ${this.#type(type.element, indent)}`
      case 'union':
        return this.#joined(type.types, '|', indent)
      case 'intersection':
        return this.#joined(type.types, '&', indent)
      case 'typeOperator':
        return `${type.operator} ${type.target.type === 'union' ? this.#inner(type.target, indent) : this.#type(type.target, indent)}`
      case 'reflection':
        return this.#object(type.declaration, indent)
      case 'conditional':
        return this.#conditional(type, indent)
      case 'indexedAccess':
        return `${this.#inner(type.objectType, indent)}[${this.#type(type.indexType, indent)}]`
      case 'mapped':
        return this.#mapped(type, indent)
      case 'query':
        return `typeof ${this.#type(type.queryType, indent)}`
      case 'predicate':
        return `${type.asserts ? 'asserts ' : ''}${type.name}${type.targetType === undefined ? '' : ` is ${this.#type(type.targetType, indent)}`}`
      case 'templateLiteral':
        return `\`${type.head}${type.tail.map(([of, text]) => `\${${this.#type(of, indent)}}${text}`).join('')}\``
      case 'inferred':
        return `infer ${type.name}${type.constraint === undefined ? '' : ` extends ${this.#type(type.constraint, indent)}`}`
    }
  }
}
