// Messages of instructions, of which clients may send any number. Invariant: providers get at most one, and it comes first.
import { textOf, type Message } from '../../prompt/index.ts'

/** Makes all messages of instructions into one. */
export const oneSystemMessage = (messages: readonly Message[]): readonly Message[] => {
  const system = messages.filter(({ role }) => role === 'system')
  if (system.length === 0 || (system.length === 1 && messages[0]?.role === 'system')) return messages
  return [{ ...system[0], role: 'system', content: system.map(({ content }) => textOf(content)).join('\n\n') }, ...messages.filter(({ role }) => role !== 'system')]
}
