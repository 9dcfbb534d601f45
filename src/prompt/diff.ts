// What changed between two versions of a prompt: words of each message, and the variables it declares.
import { diffJson, formatJsonChanges, type JsonChange } from './diff-json.ts'
import { diffSequence } from './diff-sequence.ts'
import { diffWords, type WordChange } from './diff-words.ts'
import type { PromptDocument } from './document.ts'
import type { PromptMessage } from './prompt.ts'

/** How one message changed; a message that came or went has one run of words. */
export interface MessageChange {
  readonly kind: 'same' | 'changed' | 'added' | 'removed'
  readonly role: PromptMessage['role']
  readonly words: readonly WordChange[]
}

/** The difference of two prompts. */
export interface PromptDiff {
  /** True when both have the same hash. */
  readonly same: boolean
  readonly messages: readonly MessageChange[]
  /** Changes of the JSON Schema of the variables. */
  readonly vars: readonly JsonChange[]
}

const whole = (kind: 'same' | 'added' | 'removed', { role, content }: PromptMessage): MessageChange => ({ kind, role, words: [{ kind, text: content }] })

// Between messages that stayed, an old and a new one of the same role are two versions of one message.
const pairUp = (removed: readonly PromptMessage[], added: readonly PromptMessage[]): readonly MessageChange[] => {
  const waiting = [...added]
  const changes = removed.flatMap((before): readonly MessageChange[] => {
    const index = waiting.findIndex(({ role }) => role === before.role)
    if (index === -1) return [whole('removed', before)]
    const earlier = waiting.splice(0, index + 1)
    const after = earlier.pop()
    const words = after === undefined ? [] : diffWords(before.content, after.content)
    return [...earlier.map((message) => whole('added', message)), { kind: 'changed', role: before.role, words }]
  })
  return [...changes, ...waiting.map((message) => whole('added', message))]
}

const diffMessages = (before: readonly PromptMessage[], after: readonly PromptMessage[]): readonly MessageChange[] => {
  const changes: MessageChange[] = []
  let removed: PromptMessage[] = []
  let added: PromptMessage[] = []
  const flush = (): void => {
    changes.push(...pairUp(removed, added))
    removed = []
    added = []
  }
  for (const { kind, value } of diffSequence(before, after, ({ role, content }) => `${role}\n${content}`)) {
    if (kind === 'removed') removed.push(value)
    else if (kind === 'added') added.push(value)
    else {
      flush()
      changes.push(whole('same', value))
    }
  }
  flush()
  return changes
}

/** Compares two prompts by their documents, as a prompt has them or a content store keeps them. */
export const diffPrompts = (before: PromptDocument, after: PromptDocument): PromptDiff => {
  const messages = diffMessages(before.messages, after.messages)
  const vars = diffJson(before.vars, after.vars)
  return { same: vars.length === 0 && before.language === after.language && messages.every(({ kind }) => kind === 'same'), messages, vars }
}

const MARKS = { same: ['', ''], added: ['{+', '+}'], removed: ['[-', '-]'] } as const
const SIGNS = { same: ' ', changed: '~', added: '+', removed: '-' } as const

const formatMessage = ({ kind, role, words }: MessageChange): string => {
  const text = words.map((word) => (kind === 'changed' ? `${MARKS[word.kind][0]}${word.text}${MARKS[word.kind][1]}` : word.text)).join('')
  return `${SIGNS[kind]} ${role}\n${text.replaceAll(/^/gm, '    ')}`
}

/** A diff as text: one block a message, with `[-words that went-]` and `{+words that came+}`, then changes of the variables. */
export const formatPromptDiff = ({ same, messages, vars }: PromptDiff): string => {
  if (same) return 'no difference'
  return [...messages.map(formatMessage), ...(vars.length === 0 ? [] : [`vars\n${formatJsonChanges(vars).replaceAll(/^/gm, '    ')}`])].join('\n')
}
