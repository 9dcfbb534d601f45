import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { siteTarget, writeSite } from '../../scripts/site.ts'
import { pages } from './pages.ts'

test('the site holds every page, and each of its links leads to a page, a picture or a heading that is there', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-site-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const written = await writeSite(folder)
  expect(written).toEqual(expect.arrayContaining(pages().map(({ path }) => siteTarget('README.md', path))))
  const broken: string[] = []
  // Every page has the same menu, so most links were seen before.
  const seen = new Map<string, boolean>()
  const leads = (target: string, anchor: string | undefined): boolean => existsSync(join(folder, target)) && (anchor === undefined || readFileSync(join(folder, target), 'utf8').includes(`id="${anchor}"`))
  for (const path of written) {
    const html = readFileSync(join(folder, path), 'utf8')
    for (const [, href = ''] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^[a-z]+:/i.test(href)) continue
      const [file = '', anchor] = href.split('#')
      const target = file === '' ? path : posix.join(posix.dirname(path), file)
      // Links to source files of the repository are the only ones that leave the site.
      if (!/\.(html|svg|jpg|png|txt)$/.test(target)) continue
      const key = `${target}#${anchor ?? ''}`
      const found = seen.get(key) ?? leads(target, anchor)
      seen.set(key, found)
      if (!found) broken.push(`${path}: ${href}`)
    }
  }
  expect(broken).toEqual([])
  expect(written.length).toBeGreaterThan(400)
  expect(seen.size).toBeGreaterThan(400)
  expect(dirname(written[0] ?? '')).toBe('.')
})

test('a link is led to the page of the site that its file became, and one to a source file is left as it is', () => {
  expect(siteTarget('docs/how-to/tools.md', '../why/limits.md#limits')).toBe('why/limits.html#limits')
  expect(siteTarget('docs/how-to/tools.md', '../../README.md')).toBe('index.html')
  expect(siteTarget('README.md', 'agents/support/agent.ts')).toBeUndefined()
})
