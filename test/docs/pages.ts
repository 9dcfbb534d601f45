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

/** README and everything below docs. */
export const pages = (): readonly Page[] => {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  return ['README.md', ...docs.map((name) => `docs/${name.replaceAll('\\', '/')}`)].sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n') }))
}

/** Code blocks of a language. */
export const blocksOf = ({ text }: Page, language: string): readonly string[] => [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter(([, found]) => found === language).map(([, , code = '']) => code)

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
