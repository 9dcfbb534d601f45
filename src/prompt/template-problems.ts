// The template language at the level of types: the compiler reads literal templates tag by tag and knows what each tag
// can see, so a typo in a placeholder is an error in the editor. Texts that are not literals pass; they are checked when
// the prompt is made.
import type { Part } from './message.ts'

/** Type of the item outside `each`. */
interface NoItem {
  readonly noItem: never
}

/** Type of a field that is not there. */
interface Missing {
  readonly missing: never
}

/** What tags can refer to: variables, partials, and the role of the message they stand in. */
interface Scope {
  readonly vars: unknown
  readonly partials: unknown
  readonly role: unknown
}

type Trim<T extends string> = T extends ` ${infer R}` ? Trim<R> : T extends `${infer R} ` ? Trim<R> : T

type Field<T, K extends string> = K extends keyof T ? T[K] : Missing

type LookUp<P extends string, C extends Scope, Item> = P extends '.' ? Item : P extends `.${infer F}` ? ([Item] extends [NoItem] ? Item : Field<NonNullable<Item>, F>) : Field<C['vars'], P>

/** `any` and `never` are set apart first: they would pass for every kind. */
type KindOf<T> = 0 extends 1 & T
  ? 'free'
  : [NonNullable<T>] extends [never]
    ? 'free'
    : [T] extends [Missing]
      ? 'missing'
      : [T] extends [NoItem]
        ? 'no item'
        : [NonNullable<T>] extends [Part | readonly Part[]]
          ? 'part'
          : [NonNullable<T>] extends [readonly unknown[]]
            ? 'list'
            : 'plain'

type NotThere<P extends string, K> = K extends 'missing'
  ? P extends `.${infer F}`
    ? `{{${P}}}: the items have no field "${F}"`
    : `{{${P}}}: vars declares no "${P}"`
  : K extends 'no item'
    ? `{{${P}}} stands outside {{#each}}`
    : never

type ValueProblem<P extends string, K> = K extends 'part' ? `{{${P}}} is a part of a message: write {{@${P}}}` : NotThere<P, K>

type PartProblem<P extends string, K, Role> = Role extends 'user' ? (K extends 'list' | 'plain' ? `{{@${P}}} is not a part of a message: write {{${P}}}` : NotThere<P, K>) : `{{@${P}}}: only user messages can hold parts`

type EachProblem<P extends string, T, K> = K extends 'plain' ? `{{#each ${P}}} needs a list` : K extends 'part' ? ([NonNullable<T>] extends [readonly unknown[]] ? never : `{{#each ${P}}} needs a list`) : NotThere<P, K>

// After a wrong list the items are `never`, of which every field is `never`: one mistake is reported once.
type ItemOf<T> = NonNullable<T> extends readonly (infer I)[] ? I : never

type PartialProblems<Name extends string, C extends Scope, Item> = Name extends keyof C['partials']
  ? C['partials'][Name] extends infer Text extends string
    ? string extends Text
      ? never
      : Text extends `${string}{{>${string}` | `${string}{{ >${string}`
        ? `partial "${Name}": partials cannot include others`
        : Scan<Text, C, Item, [], never>
    : never
  : `{{> ${Name}}}: partials has no "${Name}"`

type Close<Block extends string, Rest extends string, C extends Scope, Item, Open extends readonly unknown[], Bad> = Open extends readonly [readonly [Block, infer Outer], ...infer Others]
  ? Scan<Rest, C, Outer, Others, Bad>
  : Scan<Rest, C, Item, Open, Bad | `{{/${Block}}} closes nothing that is open`>

type Step<Tag extends string, Rest extends string, C extends Scope, Item, Open extends readonly unknown[], Bad> = Tag extends `>${infer Name}`
  ? Scan<Rest, C, Item, Open, Bad | PartialProblems<Trim<Name>, C, Item>>
  : Tag extends `#when ${infer P}`
    ? Scan<Rest, C, Item, [['when', Item], ...Open], Bad | NotThere<Trim<P>, KindOf<LookUp<Trim<P>, C, Item>>>>
    : Tag extends `#each ${infer P}`
      ? Scan<Rest, C, ItemOf<LookUp<Trim<P>, C, Item>>, [['each', Item], ...Open], Bad | EachProblem<Trim<P>, LookUp<Trim<P>, C, Item>, KindOf<LookUp<Trim<P>, C, Item>>>>
      : Tag extends `/${infer Block}`
        ? Close<Block, Rest, C, Item, Open, Bad>
        : Tag extends 'else'
          ? Scan<Rest, C, Item, Open, Open extends readonly [readonly ['when', unknown], ...unknown[]] ? Bad : Bad | '{{else}} stands outside {{#when}}'>
          : Tag extends `@${infer P}`
            ? Scan<Rest, C, Item, Open, Bad | PartProblem<Trim<P>, KindOf<LookUp<Trim<P>, C, Item>>, C['role']>>
            : Scan<Rest, C, Item, Open, Bad | ValueProblem<Tag, KindOf<LookUp<Tag, C, Item>>>>

type Unclosed<Open extends readonly unknown[]> = Open extends readonly [readonly [infer Block extends string, unknown], ...unknown[]] ? `{{#${Block}}} is never closed` : never

/** Reads a template from the left; `Open` is the stack of blocks with the item outside each, `Bad` what was wrong so far. */
type Scan<T extends string, C extends Scope, Item, Open extends readonly unknown[], Bad> = T extends `${infer Before}{{${infer After}`
  ? Before extends `${string}\\`
    ? Scan<After, C, Item, Open, Bad>
    : After extends `{${string}`
      ? Scan<`{${After}`, C, Item, Open, Bad>
      : After extends `${infer Tag}}}${infer Rest}`
        ? Step<Trim<Tag>, Rest, C, Item, Open, Bad>
        : Bad | 'a {{ is never closed: add }}'
  : Bad | Unclosed<Open>

type ProblemsOfText<T, C extends Scope> = T extends string ? (string extends T ? never : Scan<T, C, NoItem, [], never>) : never

type ProblemsOf<Messages, Vars, Partials> = Messages extends string
  ? ProblemsOfText<Messages, { vars: Vars; partials: Partials; role: 'user' }>
  : Messages extends readonly (infer M)[]
    ? M extends { readonly role: infer Role; readonly content: infer Content }
      ? ProblemsOfText<Content, { vars: Vars; partials: Partials; role: Role }>
      : never
    : never

/**
 * `unknown` when the templates fit the variables; else an object type whose property names are the problems, which is
 * what the compiler then shows as missing.
 */
export type TemplateProblems<Messages, Vars, Partials> = [ProblemsOf<Messages, Vars, Partials>] extends [never]
  ? unknown
  : { readonly messages: { readonly [Problem in ProblemsOf<Messages, Vars, Partials> & string]: never } }
