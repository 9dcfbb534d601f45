// Follows a page as somebody who does what it says: saves the code under the names it gives, types its commands, and compares
// what they print with what the page says they print. Invariant: the page is all that is known of the product here.
import { expect } from 'vitest'
import { fileOf, partsOf, type Page } from '../docs/pages.ts'
import type { Lasting, NewcomerFolder } from './folder.ts'

/** What happened on the way. */
export interface Followed {
  /** What each command printed, by its line on the page. */
  readonly printed: ReadonlyMap<string, string>
  /** Commands that stay, by their line on the page; end them with the folder. */
  readonly lasting: ReadonlyMap<string, Lasting>
}

/** What the reader does otherwise than the page. */
export interface Reading {
  /** Changes a file or a line before it is saved or typed, given what the page's commands have printed: an address, an id. */
  readonly change?: (text: string, said: string) => string
  /** Lines that the reader does not type. */
  readonly skip?: RegExp
}

/** Commands that stay, with what they say once they are ready. */
const STAYING: readonly (readonly [command: RegExp, ready: RegExp])[] = [
  [/^npx stateloop serve\b/, /token +\S+|as base URL/],
  [/^npx stateloop inspect\b/, /http:\/\/\S+/],
  [/^node src\/server\.ts$/, /http:\/\/\S+/],
  [/^npx stateloop worker\b(?!.*--until-idle)/, /\n/],
]

const RUN_ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Leaves out what differs from one time to the next: ids, hashes, times and how columns are filled up. */
const comparable = (printed: string): string =>
  printed
    .replaceAll(RUN_ID, 'RUN')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'DATE')
    .replaceAll(/\b\d+(\.\d+)? (ms|s|min)\b/g, 'TIME')
    .replaceAll(/\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b/g, 'HASH')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ $/gm, '')
    .trim()

/** What a page shows, as a pattern; a line `…` stands for any lines. */
const shown = (code: string): RegExp =>
  new RegExp(
    `^${comparable(code)
      .split(/^…$/m)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*')}$`,
  )

const linesOf = (code: string): readonly string[] =>
  code
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

const expectShown = ({ path }: Page, heard: string, code: string): void => {
  if (/^…$/m.test(code)) expect(comparable(heard), `${path} shows what is printed`).toMatch(shown(code))
  else expect(comparable(heard), `${path} shows what is printed`).toBe(comparable(code))
}

/** Does everything on a page, from top to bottom. A placeholder `<run>` is the newest run that was printed. */
export const follow = async (folder: NewcomerFolder, page: Page, { change = (text) => text, skip }: Reading = {}): Promise<Followed> => {
  const printed = new Map<string, string>()
  const staying = new Map<string, Lasting>()
  let run = '<run>'
  let all = ''
  let heard: string | undefined
  const type = async (line: string): Promise<void> => {
    const typed = change(line, all).replaceAll('<run>', run)
    const ready = STAYING.find(([command]) => command.test(line))?.[1]
    if (ready !== undefined) {
      const begun = await folder.begin(typed, ready)
      staying.set(line, begun)
      all += begun.said
    } else {
      const said = await folder.type(typed)
      printed.set(line, said)
      heard = (heard ?? '') + said
      all += said
      run =
        [...said.matchAll(RUN_ID)]
          .map(([id]) => id)
          .sort()
          .at(-1) ?? run
    }
  }
  for (const part of partsOf(page)) {
    const file = fileOf(part)
    if (file !== undefined) await folder.save(file, change(part.code, all))
    else if (part.language === 'text' && heard !== undefined) expectShown(page, heard, part.code)
    heard = undefined
    if (part.language === 'sh') for (const line of linesOf(part.code)) if (skip?.test(line) !== true) await type(line)
  }
  return { printed, lasting: staying }
}
