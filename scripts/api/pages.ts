// The pages of the API reference: one for each entry point, one for each export, and one for each type that exports use.
// Invariant: a type that has a page is a link to it wherever it is named.
import { posix } from 'node:path'
import { Marked } from 'marked'
import { membersOf, optionsOf, partsOf, signaturesOf } from './options.ts'
import { commentOf, isType, KIND, parameterName, type Api, type Comment, type CommentPart, type EntryPoint, type Reflection } from './reflection.ts'
import { escapeHtml, Writer } from './signature.ts'

/** A page of the reference. */
export interface ApiPage {
  /** From the folder of the reference: `eval/judge.html`. */
  readonly path: string
  readonly title: string
  /** Set on the pages of entry points, which stand in the menu. */
  readonly inMenu: boolean
  /** The page in the menu that this one belongs to. */
  readonly under: string
  readonly html: string
}

/** A thing with a page. */
interface Entry {
  readonly entryPoint: EntryPoint
  readonly exported: boolean
  readonly reflection: Reflection
  readonly path: string
}

/** What each entry point is for, and what it needs. */
const ABOUT: { readonly [name: string]: string } = {
  stateloop: 'Agents, runs, journals, models, prompts and costs.',
  'stateloop/replay': 'Recordings of runs: write, read, redact, replay, fork and compare them.',
  'stateloop/eval': 'Evaluations: cases, scorers, the gate and its reports.',
  'stateloop/inspector': 'The inspector in the browser, and charts of agents.',
  'stateloop/testing': 'Servers and assertions for the tests of an agent.',
  'stateloop/server': 'Agents as an HTTP service. Needs `hono`, and `@hono/node-server` to listen.',
  'stateloop/ai-sdk': 'Models of the Vercel AI SDK as providers, and policies around code that uses it.',
  'stateloop/otel': 'Traces, metrics and logs to an OTLP collector. Needs `@opentelemetry/sdk-node`.',
  'stateloop/postgres': 'The journal for several machines. Needs `pg`.',
  'stateloop/restate': 'Runs on Restate. Needs `@restatedev/restate-sdk`.',
  'stateloop/client': 'Calls a served agent, in browsers and on servers.',
  'stateloop/mcp': 'Tools of MCP servers for agents, and agents as MCP tools. Needs `@modelcontextprotocol/sdk`.',
}

const TYPES: readonly number[] = [KIND.interface, KIND.typeAlias]

/** What an entry point is for. */
export const aboutOf = (name: string): string => {
  const about = ABOUT[name]
  if (about === undefined) throw new Error(`Say in scripts/api/pages.ts what ${name} is for.`)
  return about
}

/** Path of the page of an entry point. */
export const entryPath = (name: string): string => `${folderOf(name)}.html`

const folderOf = (name: string): string => name.replace(/^stateloop\/?/, '') || 'stateloop'

/** Everything that gets a page. Types have a folder of their own, since some file systems take `agent` and `Agent` for one name. */
const entriesOf = ({ entryPoints }: Api): readonly Entry[] => {
  const taken = new Set<string>()
  const place = (path: string): string => {
    const free = [path, ...Array.from({ length: 9 }, (_, index) => `${path}-${index + 2}`)].find((one) => !taken.has(one.toLowerCase())) ?? path
    taken.add(free.toLowerCase())
    return `${free}.html`
  }
  return entryPoints.flatMap((entryPoint) => {
    const entry = (reflection: Reflection, exported: boolean): Entry => ({
      entryPoint,
      exported,
      reflection,
      path: place(`${folderOf(entryPoint.name)}/${isType(reflection) ? 'types/' : ''}${reflection.name}`),
    })
    return [...entryPoint.exports.filter(({ kind }) => kind !== KIND.reference).map((one) => entry(one, true)), ...entryPoint.companions.map((one) => entry(one, false))]
  })
}

/** The first sentence of a comment, as Markdown. */
export const firstSentence = (comment: Comment | undefined): string => {
  const text = (comment?.summary ?? [])
    .map((part) => part.text)
    .join('')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return /^(?:`[^`]*`|[^`])+?\.(?= |$)/.exec(text)?.[0] ?? text
}

/** Writes pages; knows where each of them is. */
class Book {
  readonly entries: readonly Entry[]
  readonly #byId: ReadonlyMap<number, Entry>
  /** Names that stand for one exported type only, for code in comments. */
  readonly #byName: ReadonlyMap<string, Entry>
  readonly #marked = new Marked({ gfm: true })

  constructor(api: Api) {
    this.entries = entriesOf(api)
    this.#byId = new Map(this.entries.map((entry) => [entry.reflection.id, entry]))
    const named = Map.groupBy(
      this.entries.filter(({ exported }) => exported),
      ({ reflection }) => reflection.name,
    )
    this.#byName = new Map([...named].flatMap(([name, [only, second]]) => (only === undefined || second !== undefined || !/^[A-Z]/.test(name) ? [] : [[name, only] as const])))
  }

  /** The entry behind an export, which may be one of another entry point. */
  behind(reflection: Reflection): Entry | undefined {
    return this.#byId.get(reflection.kind === KIND.reference ? (reflection.target ?? -1) : reflection.id)
  }

  page(entry: Entry): string {
    const { reflection, entryPoint, exported } = entry
    const keyword = isType(reflection) ? 'import type' : 'import'
    const origin = exported ? `${keyword} { ${reflection.name} } from '${entryPoint.name}'` : '// Not exported: named here because exported types use it.'
    const up = entryPath(entryPoint.name)
    return [
      `<p class="up"><a href="${posix.relative(posix.dirname(entry.path), up)}">${entryPoint.name}</a></p>`,
      `<h1><code>${reflection.name}</code></h1>`,
      this.#prose(entry, commentOf(reflection)?.summary),
      `<pre class="signature"><code>${escapeHtml(origin)}\n\n${this.#head(entry)}</code></pre>`,
      ...this.#parameters(entry),
      ...this.#members(entry),
      ...this.#parts(entry),
      ...this.#notes(entry, commentOf(reflection), 'h2'),
    ].join('\n')
  }

  index({ name, exports }: EntryPoint): string {
    const here = entryPath(name)
    const groups: readonly (readonly [title: string, kinds: readonly number[]])[] = [
      ['Functions', [KIND.function]],
      ['Classes', [KIND.class]],
      ['Values', [KIND.variable]],
      ['Types', TYPES],
    ]
    const items = exports.flatMap((one) => {
      const entry = this.behind(one)
      return entry === undefined ? [] : [{ name: one.name, entry, href: posix.relative(posix.dirname(here), entry.path) }]
    })
    const sections = groups.flatMap(([title, kinds]) => {
      const found = items.filter(({ entry }) => kinds.includes(entry.reflection.kind)).sort((a, b) => a.name.localeCompare(b.name, 'en'))
      if (found.length === 0) return []
      const rows = found.map((item) => `<dt><a href="${item.href}"><code>${item.name}</code></a></dt><dd>${this.#inline(here, firstSentence(commentOf(item.entry.reflection)))}</dd>`)
      return [`<h2 id="${title.toLowerCase()}">${title}</h2>`, `<dl class="exports">${rows.join('\n')}</dl>`]
    })
    return [`<h1><code>${name}</code></h1>`, `<p>${this.#inline(here, aboutOf(name))}</p>`, ...sections].join('\n')
  }

  #writer({ path }: Pick<Entry, 'path'>): Writer {
    return new Writer((id) => {
      const entry = this.#byId.get(id)
      return entry === undefined ? undefined : { name: entry.reflection.name, href: posix.relative(posix.dirname(path), entry.path) }
    })
  }

  #head(entry: Entry): string {
    const { reflection } = entry
    const writer = this.#writer(entry)
    if (reflection.signatures !== undefined) return writer.signatures(reflection.name, reflection.signatures)
    if (reflection.kind === KIND.class) return writer.declaration(reflection, 'class')
    if (reflection.kind === KIND.interface) return writer.declaration(reflection, 'interface')
    return writer.declaration(reflection, reflection.kind === KIND.typeAlias ? 'type' : 'const')
  }

  /** Parameters that have something to say, and the options of a function. */
  #parameters(entry: Entry): readonly string[] {
    const { reflection } = entry
    const told = signaturesOf(reflection)
      .flatMap(({ parameters = [] }) => parameters)
      .filter(({ comment }) => comment !== undefined)
    const options = optionsOf(reflection, (id) => this.#byId.get(id)?.reflection)
    return [...(told.length === 0 ? [] : ['<h2 id="parameters">Parameters</h2>', this.#list(entry, told)]), ...(options.length === 0 ? [] : ['<h2 id="options">Options</h2>', this.#list(entry, options)])]
  }

  #members(entry: Entry): readonly string[] {
    const { reflection } = entry
    const members = reflection.kind === KIND.typeAlias ? [] : membersOf(reflection)
    return members.length === 0 ? [] : ['<h2 id="members">Members</h2>', this.#list(entry, members)]
  }

  /** What an alias is made of, for types that have no name outside. */
  #parts(entry: Entry): readonly string[] {
    return partsOf(entry.reflection, (id) => (this.#byId.get(id)?.exported === false ? this.#byId.get(id)?.reflection : undefined)).flatMap((part) => this.#part(entry, part))
  }

  #part(entry: Entry, part: Reflection): readonly string[] {
    const writer = this.#writer(entry)
    const heading = `<h2 id="${part.name.toLowerCase()}"><code>${part.name}</code></h2>${this.#prose(entry, commentOf(part)?.summary)}`
    if (part.kind === KIND.interface) return [heading, this.#list(entry, membersOf(part))]
    return [heading, `<pre class="signature"><code>${writer.declaration(part, 'type')}</code></pre>`]
  }

  #list(entry: Entry, members: readonly Reflection[]): string {
    const writer = this.#writer(entry)
    const rows = members.map((member) => {
      const comment = commentOf(member)
      const text = `${this.#prose(entry, comment?.summary)}${this.#notes(entry, comment, 'h4').join('')}`
      return `<dt id="${escapeHtml(member.name)}"><code>${member.kind === KIND.constructor ? writer.signatures('new', member.signatures ?? []) : writer.member({ ...member, name: parameterName(member) })}</code></dt><dd>${text}</dd>`
    })
    return `<dl class="members">${rows.join('\n')}</dl>`
  }

  /** What the tags of a comment say. */
  #notes(entry: Entry, comment: Comment | undefined, heading: 'h2' | 'h4'): readonly string[] {
    const titles = { '@throws': 'Throws', '@returns': 'Gives', '@example': 'Example', '@see': 'See', '@remarks': 'Remarks' } as const
    return Object.entries(titles).flatMap(([tag, title]) => {
      const found = (comment?.blockTags ?? []).filter((one) => one.tag === tag)
      if (found.length === 0) return []
      const said = found.map(({ content }) => this.#prose(entry, content)).join('')
      // Below a member a word in front is enough, where it is followed by a sentence.
      return [heading === 'h4' && said.startsWith('<p>') ? said.replace('<p>', `<p><strong>${title}</strong> `) : `<${heading}>${title}</${heading}>${said}`]
    })
  }

  #markdown(path: string, parts: readonly CommentPart[]): string {
    const plain = (text: string): string => text.replaceAll('<', '&lt;').replaceAll(/(?<=^|[\s(])(https?:\/\/[^\s),]+)/g, '<$1>')
    const link = (target: Entry, text: string): string => `[${text}](${posix.relative(posix.dirname(path), target.path)})`
    return parts
      .map(({ kind, text, target }) => {
        const named = kind === 'code' ? this.#byName.get(text.replaceAll('`', '')) : undefined
        if (named !== undefined && named.path !== path) return link(named, text)
        if (kind === 'code') return text
        if (kind !== 'inline-tag') return plain(text).replaceAll(/\b[A-Z]\w+Error\b/g, (name) => (this.#byName.has(name) ? link(this.#byName.get(name)!, `\`${name}\``) : name))
        if (typeof target === 'string') return `[${text}](${target})`
        const entry = typeof target === 'number' ? this.#byId.get(target) : undefined
        return entry === undefined ? `\`${text}\`` : link(entry, `\`${text}\``)
      })
      .join('')
  }

  #prose({ path }: Pick<Entry, 'path'>, parts: readonly CommentPart[] | undefined): string {
    return parts === undefined ? '' : this.#marked.parse(this.#markdown(path, parts), { async: false })
  }

  #inline(path: string, text: string): string {
    const parts = text.split(/(`[^`]*`)/).map((part): CommentPart => ({ kind: part.startsWith('`') ? 'code' : 'text', text: part }))
    return this.#marked.parseInline(this.#markdown(path, parts), { async: false })
  }
}

/** What stands behind each export, which may be declared for another entry point. */
export const apiEntries = (api: Api): ReadonlyMap<Reflection, { readonly path: string; readonly reflection: Reflection }> => {
  const book = new Book(api)
  return new Map(api.entryPoints.flatMap(({ exports }) => exports.flatMap((one) => (book.behind(one) === undefined ? [] : [[one, book.behind(one)!] as const]))))
}

/** All pages of the reference. */
export const apiPages = (api: Api): readonly ApiPage[] => {
  const book = new Book(api)
  return [
    ...api.entryPoints.map((entryPoint) => {
      const path = entryPath(entryPoint.name)
      return { path, title: entryPoint.name, inMenu: true, under: path, html: book.index(entryPoint) }
    }),
    ...book.entries.map((entry) => ({
      path: entry.path,
      title: entry.reflection.name,
      inMenu: false,
      under: entryPath(entry.entryPoint.name),
      html: book.page(entry),
    })),
  ]
}
