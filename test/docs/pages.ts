// The pages that people read, and what tests want to know of them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** A page by its path from the root, with unix line ends. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** A page by its path from the root. */
export const readPage = (path: string): Page => ({ path, text: readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n') })

/** README and everything below docs. */
export const pages = (): readonly Page[] => {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  return ['README.md', ...docs.map((name) => `docs/${name.replaceAll('\\', '/')}`)].sort().map(readPage)
}

/** A code block, and the paragraph just above it. */
export interface Part {
  readonly language: string
  readonly code: string
  readonly above: string
}

/** Code blocks from top to bottom. */
export const partsOf = ({ text }: Page): readonly Part[] => [...text.matchAll(/(?:^(?!```)(.+)\n\n)?^```(\w+)\n([^]*?)^```$/gm)].map(([, above = '', language = '', code = '']) => ({ language, code, above }))

/**
 * The file that a block is: TypeScript says so in its first line, as `// src/ai.ts`; data is named at the end of the paragraph
 * above it, in backticks, with the language as its ending.
 */
export const fileOf = ({ language, code, above }: Part): string | undefined => (language === 'ts' ? /^\/\/ ([\w./-]+\.ts)\n/.exec(code) : new RegExp(`\`([\\w./-]+\\.${language})\`[^\`]*$`).exec(above))?.[1]

/** The TypeScript of a page as modules by path: blocks that are files, and all others read as one from top to bottom. */
export const modulesOf = (page: Page): { readonly [path: string]: string } => {
  const name = page.path.replace(/\.md$/, '').replaceAll('/', '.')
  const blocks = partsOf(page).filter(({ language }) => language === 'ts')
  const loose = blocks.filter((part) => fileOf(part) === undefined).map(({ code }) => code)
  const files = blocks.flatMap((part) => (fileOf(part) === undefined ? [] : [[`${name}/${fileOf(part)}`, part.code] as const]))
  return Object.fromEntries([...(loose.length === 0 ? [] : [[`${name}.ts`, loose.join('\n')] as const]), ...files])
}

/** Text without code blocks. */
const proseOf = ({ text }: Page): string => text.replaceAll(/^```[^]*?^```$/gm, '')

/** Targets of links that stay in the repository. */
export const linksOf = (page: Page): readonly string[] => [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))

/** Commands of ours that a page names, by their first word: `stateloop resume <run>` names `resume`. */
export const commandsOf = ({ text }: Page): readonly string[] => [...text.matchAll(/(?:^|`|\$ |npx )stateloop ([a-z]+)/gm)].map(([, command = '']) => command)

/** Anchors of headings, as GitHub makes them. */
export const anchorsOf = (page: Page): readonly string[] =>
  [...proseOf(page).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
