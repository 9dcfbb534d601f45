// Writes the documentation as a static site of plain HTML: every page, the API reference, the pictures and the statechart of each agent.
// Run it with `npm run docs`; the folder `site/` can be served from anywhere, or opened as files.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Marked, type Tokens } from 'marked'
import { apiPage } from './api/index-page.ts'
import { apiPages } from './api/pages.ts'
import { readApi } from './api/reflection.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Sections of the site, in the order of the menu, by folder. */
const SECTIONS = { tutorial: 'Tutorial', 'how-to': 'How to', reference: 'Reference', why: 'Why' } as const

/** A page of the site. */
export interface SitePage {
  /** From the site's root: `how-to/tools.html`. */
  readonly path: string
  readonly title: string
  readonly section: string | undefined
  readonly content: { readonly markdown: string } | { readonly html: string }
  /** The page of the menu that stands for this one, which is not in the menu itself. */
  readonly under?: string
}

const titleOf = (markdown: string, path: string): string => /^# (.+)$/m.exec(markdown)?.[1]?.replaceAll('`', '') ?? path

const read = async (source: string, path: string, section: string | undefined): Promise<SitePage> => {
  const markdown = await readFile(join(root, source), 'utf8')
  return { path, title: titleOf(markdown, path), section, content: { markdown } }
}

const docsPages = async (): Promise<readonly SitePage[]> => {
  const pages: SitePage[] = []
  for (const [folder, section] of Object.entries(SECTIONS)) {
    const names = (await readdir(join(root, 'docs', folder))).filter((name) => name.endsWith('.md')).sort()
    for (const name of names) pages.push(await read(join('docs', folder, name), `${folder}/${name.replace(/\.md$/, '.html')}`, section))
  }
  return pages
}

const agentPages = async (): Promise<readonly SitePage[]> => {
  const pages: SitePage[] = []
  for (const entry of (await readdir(join(root, 'agents'), { withFileTypes: true })).filter((one) => one.isDirectory())) {
    const files = await readdir(join(root, 'agents', entry.name))
    if (files.includes('README.md')) pages.push(await read(join('agents', entry.name, 'README.md'), `agents/${entry.name}.html`, 'Agents'))
  }
  return pages
}

/** Where the API reference stands in the site. */
const API = 'reference/api'

/** The API reference: the pages of its entry points are in the menu, and the list in docs/ leads to pages instead of source files. */
const referencePages = async (): Promise<readonly SitePage[]> => {
  const api = await readApi()
  const index = { path: `${API}.html`, title: 'API', section: SECTIONS.reference, content: { markdown: apiPage(api, (page) => `api/${page}`) } }
  const pages = apiPages(api).map(({ path, title, html, inMenu, under }): SitePage => {
    const page = { path: `${API}/${path}`, title, section: 'API', content: { html } }
    return inMenu ? page : { ...page, under: `${API}/${under}` }
  })
  return [index, ...pages]
}

/** Where a link of a page in the repository leads in the site; undefined for what the site does not hold. */
export const siteTarget = (source: string, href: string): string | undefined => {
  if (/^[a-z]+:|^#/i.test(href)) return href
  const [path = '', anchor] = href.split('#')
  const target = posix.normalize(posix.join(posix.dirname(source), path))
  const end = anchor === undefined ? '' : `#${anchor}`
  if (target === 'README.md' || target === '.') return `index.html${end}`
  if (target.startsWith('docs/')) return `${target.slice('docs/'.length).replace(/\.md$/, '.html')}${end}`
  const agent = /^agents\/(\w+)\/(README\.md|statechart\.svg)$/.exec(target)
  return agent === null ? undefined : agent[2] === 'README.md' ? `agents/${agent[1]}.html` : `agents/${agent[1]}.svg`
}

const STYLE = `:root{color-scheme:light dark;--line:#8884;--accent:light-dark(#1f5fbf,#8ab4f8)}*{box-sizing:border-box}
body{margin:0;font:16px/1.6 system-ui,sans-serif;display:grid;grid-template-columns:16rem minmax(0,48rem);gap:2.5rem;padding:0 1.5rem;justify-content:center}
nav{padding:1.5rem 0;font-size:.875rem;position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto}nav summary{font-size:.75rem;font-weight:700;text-transform:uppercase;letter-spacing:.06em;margin:1.25rem 0 .25rem;opacity:.7;cursor:pointer}
nav a{display:block;padding:.1rem 0;text-decoration:none;color:inherit}nav a[aria-current]{color:var(--accent);font-weight:600}main{padding:1.5rem 0 4rem}a{color:var(--accent)}
pre{overflow:auto;padding:1rem;border:1px solid var(--line);border-radius:6px;font-size:.8125rem;line-height:1.5}code{font-family:ui-monospace,monospace}:not(pre)>code{font-size:.875em}
table{border-collapse:collapse;display:block;overflow:auto}th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}img{max-width:100%;height:auto}
dl{margin:1rem 0}dt{margin-top:.75rem}dt code{white-space:pre-wrap;overflow-wrap:anywhere}dd{margin:.15rem 0 0 1.25rem}dd>:first-child{margin-top:0}dd>:last-child{margin-bottom:0}dl h4{margin:.5rem 0 0;font-size:.8125rem;opacity:.7}
.members>dt{border-top:1px solid var(--line);padding-top:.6rem}.signature a,dt a{text-decoration:none}.signature a:hover,dt a:hover{text-decoration:underline}
nav{order:-1}.to-menu{display:none}.up{margin:0 0 -1rem}
@media(max-width:56rem){body{grid-template-columns:minmax(0,1fr)}nav{order:0;position:static;max-height:none}.to-menu{display:inline}}`

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const menu = (pages: readonly SitePage[], current: SitePage): string => {
  const here = current.under ?? current.path
  const link = (page: SitePage): string => `<a href="${posix.relative(posix.dirname(current.path), page.path)}"${page.path === here ? ' aria-current="page"' : ''}>${escape(page.title)}</a>`
  const sections = [...new Set(pages.map(({ section }) => section))]
  const listOf = (section: string | undefined): string =>
    pages
      .filter((page) => page.section === section && page.under === undefined)
      .map(link)
      .join('\n')
  // The start page opens every section, other pages only their own, so that where one is can be seen.
  const isOpen = (section: string): boolean => current.section === undefined || current.section === section
  return sections.map((section) => (section === undefined ? listOf(section) : `<details${isOpen(section) ? ' open' : ''}><summary>${section}</summary>\n${listOf(section)}</details>`)).join('\n')
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const bodyOf = (page: SitePage, source: string): string => {
  if ('html' in page.content) return page.content.html
  const lead = (href: string): string => {
    const target = siteTarget(source, href)
    if (target === undefined) return href
    return /^[a-z]+:|^#/i.test(target) ? target : posix.relative(posix.dirname(page.path), target)
  }
  const marked = new Marked({ gfm: true })
  marked.use({
    walkTokens: (token) => {
      if (token.type === 'link' || token.type === 'image') (token as Tokens.Link).href = lead((token as Tokens.Link).href)
    },
    renderer: {
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
    },
  })
  return marked.parse(page.content.markdown, { async: false })
}

const sourceOf = ({ path, section }: SitePage): string => {
  if (path === 'index.html') return 'README.md'
  return section === 'Agents' ? `agents/${posix.basename(path, '.html')}/README.md` : `docs/${path.replace(/\.html$/, '.md')}`
}

/** Writes the site. @returns the paths of its pages. */
export const writeSite = async (folder: string): Promise<readonly string[]> => {
  const [index, ...reference] = await referencePages()
  const docs = (await docsPages()).map((page) => (page.path === index?.path ? index : page))
  const pages = [await read('README.md', 'index.html', undefined), ...docs, ...reference, ...(await agentPages())]
  await rm(folder, { recursive: true, force: true })
  for (const page of pages) {
    const file = join(folder, page.path)
    await mkdir(dirname(file), { recursive: true })
    const html = `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n<title>${escape(page.title)} · Stateloop</title>\n<style>${STYLE}</style>\n<main>\n<a class="to-menu" href="#menu">Menu</a>\n${bodyOf(page, sourceOf(page))}</main>\n<nav id="menu">${menu(pages, page)}</nav>\n</html>\n`
    await writeFile(file, html)
  }
  await cp(join(root, 'docs', 'images'), join(folder, 'images'), { recursive: true })
  await cp(join(root, 'docs', `${API}.txt`), join(folder, `${API}.txt`))
  for (const { path } of pages.filter(({ section }) => section === 'Agents')) {
    const chart = join(root, 'agents', posix.basename(path, '.html'), 'statechart.svg')
    await cp(chart, join(folder, path.replace(/\.html$/, '.svg')), { force: true }).catch(() => undefined)
  }
  return pages.map(({ path }) => path)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, 'site')
  const paths = await writeSite(folder)
  console.log(`${paths.length} pages in ${relative(process.cwd(), folder)}; open ${join(relative(process.cwd(), folder), 'index.html')}`)
}
