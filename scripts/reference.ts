// Writes the reference pages that follow from the code, and llms.txt, which follows from the pages, so that they cannot say
// something else. Run it with `node --conditions=stateloop-source scripts/reference.ts` after changing what it reads; a test compares its text with
// the files.
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { apiList, apiPage } from './api/index-page.ts'
import { readApi } from './api/reflection.ts'
import type { CommandDefinition } from '../src/cli/command.ts'
import { EXIT_HELP } from '../src/cli/exit-code.ts'
import { COMMANDS } from '../src/cli/program.ts'
import { FAILURE_CODES, type CodeInfo } from '../src/failure/index.ts'

/** What this script writes, by path from the repository's root. */
export const FAILURE_CODES_PATH = 'docs/reference/failure-codes.md'
export const COMMAND_LINE_PATH = 'docs/reference/command-line.md'
export const LLMS_PATH = 'llms.txt'
export const API_PATH = 'docs/reference/api.md'
export const API_LIST_PATH = 'docs/reference/api.txt'

const GROUPS: { readonly [K in keyof typeof FAILURE_CODES]: { readonly title: string; readonly intro: string } } = {
  model: { title: 'Model calls', intro: 'These arrive in `model`, `loop`, `decide` and `fallback` states.' },
  tool: {
    title: 'Tools',
    intro: 'These arrive in `tool` states. In a `tools` state most of them are shown to the model as the answer to its call; only `in_doubt` and the limits take a route.',
  },
  retrieval: { title: 'Retrieval', intro: 'These arrive in `retrieve` and `rerank` states.' },
  human: { title: 'People', intro: 'These arrive in `human` and `approve` states.' },
  agent: { title: 'Child agents', intro: 'These arrive in `agent` and `each` states.' },
  code: { title: "The author's code", intro: 'These arrive in `code` states.' },
  every: { title: 'Every effect', intro: 'These can arrive in every state that performs an effect, because limits are checked before the effect starts.' },
  door: {
    title: 'Public calls',
    intro: 'These never reach a state. They are thrown as `FailureError` by calls such as `start`, `resume` and `send`, or end a run.',
  },
}

const line = ([code, info]: readonly [string, CodeInfo]): string => `- \`${code}\`: ${info.summary} ${info.hint}${info.retryable ? ' Retryable.' : ''}`

const section = (group: keyof typeof FAILURE_CODES): string => {
  const { title, intro } = GROUPS[group]
  return [`## ${title}`, '', intro, '', ...Object.entries<CodeInfo>(FAILURE_CODES[group]).map(line)].join('\n')
}

/** Text of the page about failure codes. */
export const failureCodesPage = (): string =>
  [
    '# Failure codes',
    // Short, because everything longer is a sentence that the support agent may quote.
    '<!-- generated -->',
    '',
    "A failure is an expected error with a code from a closed list. A state routes failures by their code in `onError`, and `'*'` stands for every code that is not named, except `in_doubt`. A retryable failure is tried again as often as the state's `retry` allows before it takes its route.",
    '',
    ...(Object.keys(GROUPS) as (keyof typeof GROUPS)[]).map((group) => `${section(group)}\n`),
  ].join('\n')

const argument = ({ name, optional, many }: CommandDefinition<never>['args'][number]): string => {
  const shown = `${name}${many === true ? '...' : ''}`
  return optional === true ? `[${shown}]` : `<${shown}>`
}

/** A command as its help shows it; in a block of text, because the support agent quotes sentences and these are none. */
const command = ({ name, about, args, options }: CommandDefinition<never>): string => {
  const lines = [...args.map((one) => [argument(one), one.about] as const), ...options.map((one) => [one.flags, `${one.about}${one.default === undefined ? '' : `; default ${one.default}`}`] as const)]
  const width = Math.max(0, ...lines.map(([left]) => left.length))
  const block = lines.length === 0 ? [] : ['```text', ...lines.map(([left, right]) => `${left.padEnd(width)}  ${right}`), '```', '']
  return [`## stateloop ${name}`, '', '```sh', ['stateloop', name, ...args.map(argument)].join(' '), '```', '', `${about.slice(0, 1).toUpperCase()}${about.slice(1)}.`, '', ...block].join('\n')
}

/** Text of the page about the command line. */
export const commandLinePage = (): string =>
  ['# Command line', '<!-- generated -->', '', 'What each command takes, as its `--help` says it.', '', '```text', EXIT_HELP.trim(), '```', '', ...COMMANDS.map(command)].join('\n')

const root = new URL('../', import.meta.url)

/** A first sentence that is shorter says too little by itself, characters. */
const SHORT = 40

/** Title and first sentence of a page. */
const summary = (path: string): string => {
  const text = readFileSync(new URL(path, root), 'utf8')
    .replaceAll('\r\n', '\n')
    .replaceAll(/^```[^]*?^```$/gm, '')
  const title = /^# (.*)$/m.exec(text)?.[1] ?? path
  const paragraph = (/^(?!#|<!--|\||-|\d)\S[^]*?(?=\n\n|$(?![^]))/m.exec(text)?.[0] ?? '')
    .replaceAll('\n', ' ')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('**', '')
  // A colon inside code ends no sentence.
  const [first = paragraph, second = ''] = paragraph.match(/(?:`[^`]*`|[^`])+?[.:](?= |$)/g) ?? []
  return `- [${title}](${path}): ${(first.length < SHORT ? first + second : first).replace(/:$/, '.')}`
}

const FOLDERS = { tutorial: 'Tutorial', 'how-to': 'How to', reference: 'Reference', why: 'Why' } as const

/** Text of llms.txt: every page with its first sentence. @see https://llmstxt.org */
export const llmsText = (): string => {
  const readme = readFileSync(new URL('README.md', root), 'utf8').replaceAll('\r\n', '\n')
  const sections = Object.entries(FOLDERS).map(([folder, title]) => {
    const names = readdirSync(new URL(`docs/${folder}/`, root)).filter((name) => name.endsWith('.md'))
    return [`## ${title}`, '', ...names.sort().map((name) => summary(`docs/${folder}/${name}`)), ''].join('\n')
  })
  return ['# Stateloop', '', `> ${/^Stateloop is .*$/m.exec(readme)?.[0] ?? ''}`, '', ...sections].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL(FAILURE_CODES_PATH, root), failureCodesPage())
  await writeFile(new URL(COMMAND_LINE_PATH, root), commandLinePage())
  const api = await readApi()
  await writeFile(new URL(API_PATH, root), apiPage(api))
  await writeFile(new URL(API_LIST_PATH, root), apiList(api))
  await writeFile(new URL(LLMS_PATH, root), llmsText())
}
