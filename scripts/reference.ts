// Writes the reference pages that follow from the code, so that they cannot say something else than it does. Run it with
// `node scripts/reference.ts` after changing what it reads; a test compares its text with the file.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { FAILURE_CODES, type CodeInfo } from '../src/failure/index.ts'

/** The page that this script writes, by path from the repository's root. */
export const FAILURE_CODES_PATH = 'docs/reference/failure-codes.md'

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

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(fileURLToPath(new URL(`../${FAILURE_CODES_PATH}`, import.meta.url)), failureCodesPage())
