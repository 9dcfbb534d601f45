// What the repository says of the public API: a page about the entry points, and a list of all exports that is compared with the
// code, so that a review sees what a change adds, takes away or says anew.
import { aboutOf, apiEntries, entryPath, firstSentence } from './pages.ts'
import { commentOf, KIND, type Api } from './reflection.ts'

/**
 * Text of the page about the API.
 * @param lead where an entry point leads, by the path of its page; undefined for nowhere.
 */
export const apiPage = ({ entryPoints }: Pick<Api, 'entryPoints'>, lead: (page: string) => string | undefined = () => undefined): string => {
  const lines = entryPoints.map(({ name }) => {
    const href = lead(entryPath(name))
    return `- ${href === undefined ? `\`${name}\`` : `[\`${name}\`](${href})`}: ${aboutOf(name)}`
  })
  return [
    '# API',
    '<!-- generated -->',
    '',
    'The package has one main entry point and a subpath for each thing that not everybody needs. `npm run docs` writes a page for every export, with its signature, its options and their defaults, and what it throws. [api.txt](api.txt) lists all of them.',
    '',
    ...lines,
    '',
  ].join('\n')
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [KIND.function, 'function'],
  [KIND.class, 'class'],
  [KIND.variable, 'value'],
])

/** Text of the list: a line for each export. */
export const apiList = (api: Api): string => {
  const entries = apiEntries(api)
  const sections = api.entryPoints.map(({ name, exports }) => {
    const lines = exports.flatMap((one) => {
      const entry = entries.get(one)
      return entry === undefined ? [] : [`  ${(WORDS.get(entry.reflection.kind) ?? 'type').padEnd(8)}  ${one.name}: ${firstSentence(commentOf(entry.reflection))}\n`]
    })
    return `${name}\n${lines.sort((a, b) => a.localeCompare(b, 'en')).join('')}`
  })
  return sections.join('\n')
}
