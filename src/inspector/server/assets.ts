// The files of the page, read once from beside this one. In the package they are built JavaScript; in the repository the
// page's TypeScript is served with its types stripped, file by file, so that an edit needs no build.
// Invariant: only files listed here can be asked for; a path never reaches the file system.
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { CHART_RULES, chosenThemes, themes } from '../chart/style.ts'

/** A file of the page. */
export interface Asset {
  readonly type: string
  readonly text: string
}

const SCRIPT = 'text/javascript; charset=utf-8'

/** Folder of the page: `page/` beside the sources, `inspector/page/` beside what is built of them. */
const folderOf = (): { readonly folder: string; readonly source: boolean } => {
  const here = import.meta.dirname
  return import.meta.filename.endsWith('.ts') ? { folder: join(here, '..', 'page'), source: true } : { folder: join(here, 'page'), source: false }
}

const scripts = async (folder: string, source: boolean): Promise<readonly (readonly [string, Asset])[]> => {
  if (!source) return [['/main.js', { type: SCRIPT, text: (await readFile(join(folder, 'main.js'), 'utf8')).replace(/^\/\/# sourceMappingURL=.*$/m, '') }]]
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'))
  const modules = await Promise.all(names.map(async (name) => [`/${name}`, { type: SCRIPT, text: stripTypeScriptTypes(await readFile(join(folder, name), 'utf8')) }] as const))
  return [...modules, ['/main.js', { type: SCRIPT, text: "import './main.ts'" }]]
}

/** The page's files by the path under which they are asked for. */
export const loadAssets = async (): Promise<ReadonlyMap<string, Asset>> => {
  const { folder, source } = folderOf()
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
  return new Map<string, Asset>([
    ['/', { type: 'text/html; charset=utf-8', text: await read('index.html') }],
    ['/icon.svg', { type: 'image/svg+xml', text: await read('icon.svg') }],
    ['/style.css', { type: 'text/css; charset=utf-8', text: `${themes(':root')}${chosenThemes()}${CHART_RULES}${await read('style.css')}` }],
    ...(await scripts(folder, source)),
  ])
}
