// Asks for what a command line left out. Only on a terminal; elsewhere the caller says what is missing.
import { createInterface } from 'node:readline/promises'
import { TEMPLATES } from './project-files.ts'

/** What the user chose. */
export interface Answers {
  readonly name: string
  readonly template: string
}

/** Asks on the process's own terminal. @param given what is known already. */
export const askForProject = async (given: Partial<Answers>): Promise<Answers> => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const name = given.name ?? ((await terminal.question('Name of the project (my-agent): ')).trim() || 'my-agent')
    if (given.template !== undefined) return { name, template: given.template }
    const names = Object.keys(TEMPLATES)
    const lines = Object.entries(TEMPLATES).map(([template, about], index) => `  ${index + 1}. ${template}: ${about}`)
    const chosen = (await terminal.question(`What does it do?\n${lines.join('\n')}\nNumber or name (1): `)).trim() || '1'
    return { name, template: names[Number(chosen) - 1] ?? chosen }
  } finally {
    terminal.close()
  }
}
