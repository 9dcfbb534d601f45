// What a good answer of the support agent is, beyond what the built-in scorers know.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Score, Scored } from 'stateloop/eval'
import { z } from 'zod'
import { docsFolder } from '../tools.ts'

/** What a case expects. */
export const Expected = z.object({
  final: z.enum(['sent', 'refused']),
  visited: z.array(z.string()).default([]),
  forbidden: z.array(z.string()).default([]),
  /** Tools that are called, each once. */
  tools: z.array(z.enum(['readPage', 'fileTicket'])),
  /** Tickets that are there afterwards. */
  tickets: z.number().default(0),
})
type Expected = z.infer<typeof Expected>

interface Answer {
  readonly answer: string
  readonly sources: readonly string[]
}

/** Shortest sentence that proves something, characters without spaces. */
const SHORTEST = 20

/** Text without spaces and marks of Markdown. */
const squeezed = (text: string): string => text.replaceAll(/[\s*`_]+|\[|\]\([^)]*\)/g, '')

/** Every source is a page, and a sentence of the answer stands in one of them. */
export const grounded = ({ output, expected }: Scored<Answer, Expected>): Score | undefined => {
  if (expected?.tools.includes('readPage') !== true) return undefined
  const pages = (output?.sources ?? []).map((source) => join(docsFolder, source.replace(/#.*$/, '')))
  const missing = pages.filter((page) => !existsSync(page))
  if (pages.length === 0 || missing.length > 0) return { score: 0, pass: false, reasons: [pages.length === 0 ? 'it names no source' : `there is no page ${missing.join(', ')}`] }
  const texts = pages.map((page) => squeezed(readFileSync(page, 'utf8')))
  const sentences = (output?.answer ?? '').split(/(?<=[.!?:…]) /u).map(squeezed)
  const found = sentences.some((sentence) => sentence.length >= SHORTEST && texts.some((text) => text.includes(sentence)))
  return { score: found ? 1 : 0, pass: found, reasons: found ? [] : ['none of its sentences stands in a source that it names'] }
}
