// Asks for what a command line left out, where somebody sits at a terminal. Invariant: whoever leaves, by Ctrl-C, by Escape or
// because the input ends, has answered nothing.
import type { Keyboard } from '../io.ts'
import { TEMPLATES, type Template } from './project-files.ts'

/** What the user chose. */
export interface Answers {
  readonly name: string
  readonly template: string
}

/** What is taken where nobody chooses. */
export const DEFAULT_ANSWERS: Answers = { name: 'my-agent', template: 'assistant' }

/**
 * Asks for a name and a template.
 * @param given what is known already.
 * @param problemOf why a name cannot be used; asked after each try.
 * @returns undefined when the user left.
 */
export const askForProject = async (given: Partial<Answers>, { input, output }: Keyboard, problemOf: (name: string) => string | undefined): Promise<Answers | undefined> => {
  const { cancel, intro, isCancel, select, text } = await import('@clack/prompts')
  const left = new AbortController()
  const leave = (): void => left.abort()
  input.once('end', leave)
  const where = { input, output, signal: left.signal }
  const quit = (): undefined => {
    cancel('Nothing was written.', where)
  }
  try {
    intro('A new project', where)
    const name =
      given.name ?? (await text({ ...where, message: 'What is it called?', placeholder: DEFAULT_ANSWERS.name, defaultValue: DEFAULT_ANSWERS.name, validate: (typed) => problemOf(typed || DEFAULT_ANSWERS.name) }))
    if (isCancel(name)) return quit()
    const options = Object.entries(TEMPLATES).map(([value, hint]) => ({ value: value as Template, label: value, hint }))
    const template = given.template ?? (await select({ ...where, message: 'What does it do?', options }))
    return isCancel(template) ? quit() : { name, template }
  } finally {
    input.off('end', leave)
  }
}
