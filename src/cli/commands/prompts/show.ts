// `stateloop prompts show`: one version of a prompt with its messages, its variables and an example; or one step with its
// model, parameters, tools and schema.
import type { Json } from '../../../failure/index.ts'
import { exampleVars, renderDocument, textOf, type PromptDocument } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { oneLine, plain, type Io } from '../../io.ts'
import { documentOf, findStep, findVersion, short, stepsWith, type KnownStep, type KnownVersion } from '../../prompts/known.ts'
import { PROMPT_OPTIONS, VERSION_ABOUT } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions } from '../../prompts/workspace.ts'

const indent = (text: string): string => plain(text).replaceAll(/^/gm, '    ')

const printMessages = (io: Io, messages: readonly { readonly role: string; readonly content: string }[]): void => {
  for (const { role, content } of messages) io.out(`${io.style('cyan', role)}\n${indent(content)}\n`)
}

const print = (io: Io, { id, hash, where }: KnownVersion, document: PromptDocument, steps: readonly KnownStep[]): void => {
  io.out(`${oneLine(id)} · ${where.join(', ')}\n${hash}\n\n`)
  printMessages(io, document.messages)
  io.out(`\nvars\n${indent(JSON.stringify(document.vars, null, 2))}\n\nexample\n`)
  printMessages(
    io,
    renderDocument(document, exampleVars(document.vars)).map(({ role, content }) => ({ role, content: textOf(content) })),
  )
  if (steps.length > 0) io.out('\nsteps that asked with it\n')
  for (const { hash: key, step } of steps) io.out(`    ${short(key)} ${oneLine(`${String(step['provider'])}/${String(step['model'])}`)}\n`)
}

const show = (io: Io, name: string, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, async (workspace) => {
    const found = await findStep(workspace, name)
    if (found !== undefined) {
      const { hash, step } = found
      io.out(options.json === true ? `${JSON.stringify({ step: hash, ...step }, null, 2)}\n` : `step ${hash}\n\n${plain(JSON.stringify(step as Json, null, 2))}\n`)
      return EXIT.done
    }
    const version = await findVersion(workspace, name)
    const document = await documentOf(workspace, version)
    const steps = await stepsWith(workspace, version.hash)
    if (options.json === true) io.out(`${JSON.stringify({ ...version, document, steps: steps.map(({ hash }) => hash) }, null, 2)}\n`)
    else print(io, version, document, steps)
    return EXIT.done
  })

/** `stateloop prompts show <version>`. */
export const showPromptCommand: CommandDefinition<PromptOptions> = {
  name: 'prompts show',
  about: 'show a version of a prompt with an example, or a step with model, parameters, tools and schema',
  args: [{ name: 'version', about: VERSION_ABOUT }],
  options: PROMPT_OPTIONS,
  run: (io, [name = ''], options) => show(io, name, options),
}
