// What rules want to know about a request.
import { textOf, type Message } from '../../prompt/index.ts'
import type { ModelRequest } from '../provider.ts'

/** Text of the last message a user wrote; empty when there is none. */
export const lastUserText = ({ messages }: Pick<ModelRequest, 'messages'>): string => {
  const last = messages.findLast((message) => message.role === 'user')
  return last === undefined ? '' : textOf(last.content)
}

/** The tool results since the model last spoke; empty when a user spoke last. */
export const lastToolResults = ({ messages }: Pick<ModelRequest, 'messages'>): readonly Extract<Message, { readonly role: 'tool' }>[] => {
  const after = messages.findLastIndex((message) => message.role !== 'tool') + 1
  return messages.slice(after).filter((message) => message.role === 'tool')
}

/** Whether the request offers a tool. */
export const offersTool = ({ tools }: Pick<ModelRequest, 'tools'>, name: string): boolean => tools?.some((tool) => tool.name === name) ?? false
