// The one door to YAML, which loads when the first text is parsed.
import { createRequire } from 'node:module'

/** Parses YAML. @throws Error of the parser, with the line, when it is none. */
export const parseYaml = (text: string): unknown => {
  const require = createRequire(import.meta.url)
  const { parse } = require('yaml') as typeof import('yaml')
  return parse(text)
}
