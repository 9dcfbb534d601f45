// `stateloop prompts diff`: what changed between two versions of a prompt, or between two steps.
import type { Json } from '../../../failure/index.ts'
import { fail } from '../../../failure/index.ts'
import { diffJson, diffPrompts, diffWords, exampleVars, formatJsonChanges, formatPromptDiff, renderDocument, textOf, type Message, type PromptDocument } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { plain, type Io } from '../../io.ts'
import { jsonArgument } from '../../json-argument.ts'
import { documentOf, findStep, findVersion, short, type KnownStep } from '../../prompts/known.ts'
import { PROMPT_OPTIONS, VERSION_ABOUT } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'

interface DiffOptions extends PromptOptions {
  readonly vars?: string
}

/** What changed, as data and as text. */
interface Difference {
  readonly data: object
  readonly text: string
}

const rendered = (messages: readonly Message[]): string => messages.map(({ role, content }) => `${role}\n${textOf(content)}`).join('\n')

const MARKS = { same: ['', ''], added: ['{+', '+}'], removed: ['[-', '-]'] } as const

/** Both versions filled with the same values. */
const exampleOf = (before: PromptDocument, after: PromptDocument, vars: { readonly [name: string]: Json } | undefined): string => {
  const values = vars ?? { ...exampleVars(before.vars), ...exampleVars(after.vars) }
  return diffWords(rendered(renderDocument(before, values)), rendered(renderDocument(after, values)))
    .map(({ kind, text }) => `${MARKS[kind][0]}${text}${MARKS[kind][1]}`)
    .join('')
}

const diffDocuments = (before: PromptDocument, after: PromptDocument, vars: { readonly [name: string]: Json } | undefined): Difference => {
  const diff = diffPrompts(before, after)
  if (diff.same) return { data: diff, text: 'no difference' }
  const example = exampleOf(before, after, vars)
  return { data: { ...diff, example }, text: `${formatPromptDiff(diff)}\nexample\n${example.replaceAll(/^/gm, '    ')}` }
}

type Named = readonly { readonly name: string }[]

/** Tools by name, so that a tool is compared with itself wherever it stands. */
const partsOf = ({ prompt: _prompt, tools, ...step }: KnownStep['step']): Json => ({ ...step, tools: Object.fromEntries((tools as Named).map((tool) => [tool.name, tool])) }) as unknown as Json

const diffSteps = async (workspace: Workspace, before: KnownStep, after: KnownStep, vars: { readonly [name: string]: Json } | undefined): Promise<Difference> => {
  const parts = diffJson(partsOf(before.step), partsOf(after.step))
  const hashes = [before.step.prompt, after.step.prompt] as const
  const prompt = hashes[0] === hashes[1] ? undefined : diffDocuments(await documentOf(workspace, { hash: hashes[0] }), await documentOf(workspace, { hash: hashes[1] }), vars)
  const texts = [...(prompt === undefined ? [] : [prompt.text]), ...(parts.length === 0 ? [] : [`step\n${formatJsonChanges(parts).replaceAll(/^/gm, '    ')}`])]
  return { data: { prompt: prompt?.data, step: parts }, text: texts.join('\n') || 'no difference' }
}

const diff = (io: Io, first: string, second: string | undefined, options: DiffOptions): Promise<number> =>
  withWorkspace(io, options, async (workspace) => {
    const vars = options.vars === undefined ? undefined : ((await jsonArgument(io, options.vars, '--vars')) as { readonly [name: string]: Json })
    const names = [first, second ?? `${first}@code`] as const
    const [stepBefore, stepAfter] = [await findStep(workspace, names[0]), await findStep(workspace, names[1])]
    if ((stepBefore === undefined) !== (stepAfter === undefined)) fail('usage', 'A step can be compared with a step only. Name two steps, or two versions of prompts.')
    let difference: Difference
    let hashes: readonly string[]
    if (stepBefore !== undefined && stepAfter !== undefined) {
      hashes = [stepBefore.hash, stepAfter.hash]
      difference = await diffSteps(workspace, stepBefore, stepAfter, vars)
    } else {
      const [before, after] = [await findVersion(workspace, names[0]), await findVersion(workspace, names[1])]
      hashes = [before.hash, after.hash]
      difference = diffDocuments(await documentOf(workspace, before), await documentOf(workspace, after), vars)
    }
    if (options.json === true) io.out(`${JSON.stringify({ before: hashes[0], after: hashes[1], ...difference.data }, null, 2)}\n`)
    else io.out(`${names[0]} ${short(hashes[0] ?? '')} → ${names[1]} ${short(hashes[1] ?? '')}\n${plain(difference.text)}\n`)
    return EXIT.done
  })

/** `stateloop prompts diff <a> [b]`. */
export const diffPromptsCommand: CommandDefinition<DiffOptions> = {
  name: 'prompts diff',
  about: 'show what changed between two versions, word by word, or between two steps',
  args: [
    { name: 'a', about: VERSION_ABOUT },
    { name: 'b', about: 'the same; default: the version in code of the prompt named first', optional: true },
  ],
  options: [...PROMPT_OPTIONS, { flags: '--vars <json>', about: 'values of the variables for the example, @file, or - for standard input; default: made up' }],
  run: (io, [a = '', b], options) => diff(io, a, b, options),
}
