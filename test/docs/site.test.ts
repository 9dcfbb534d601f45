import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { siteTarget, writeSite } from '../../scripts/site.ts'
import { pages } from './pages.ts'

test('the site holds every page, and each of its links leads to a page, a picture or a heading that is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-site-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const written = await writeSite(folder)
  expect(written).toEqual(expect.arrayContaining(pages().map(({ path }) => siteTarget('README.md', path))))
  const broken: string[] = []
  for (const path of written) {
    const html = readFileSync(join(folder, path), 'utf8')
    for (const [, href = ''] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^[a-z]+:/i.test(href)) continue
      const [file = '', anchor] = href.split('#')
      const target = file === '' ? path : posix.join(posix.dirname(path), file)
      // Links to source files of the repository are the only ones that leave the site.
      if (!/\.(html|svg|jpg|png)$/.test(target)) continue
      if (!existsSync(join(folder, target))) broken.push(`${path}: ${href}`)
      else if (anchor !== undefined && !readFileSync(join(folder, target), 'utf8').includes(`id="${anchor}"`)) broken.push(`${path}: ${href}`)
    }
  }
  expect(broken).toEqual([])
  expect(written.length).toBeGreaterThan(40)
  expect(dirname(written[0] ?? '')).toBe('.')
})

test('a link is led to the page of the site that its file became, and one to a source file is left as it is', () => {
  expect(siteTarget('docs/how-to/tools.md', '../why/limits.md#limits')).toBe('why/limits.html#limits')
  expect(siteTarget('docs/how-to/tools.md', '../../README.md')).toBe('index.html')
  expect(siteTarget('README.md', 'agents/support/agent.ts')).toBeUndefined()
})
