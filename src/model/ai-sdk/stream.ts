// Collects the stream of a model object while its pieces are passed on. Invariant: a stream that ends without its finish part
// is no reply, however much of it came.
import type { Clock } from '../../clock/index.ts'
import type { ToolCall } from '../../prompt/index.ts'
import type { Control } from '../openai/attempt.ts'
import { asFields, text, type Fields } from '../openai/fields.ts'
import type { Reporter } from '../openai/report.ts'
import type { ModelDelta, ModelReply } from '../provider.ts'
import { streamFault } from './fault.ts'
import { callIn, toReply } from './reply.ts'

/** Where pieces go. */
export interface StreamListener {
  readonly control: Control
  readonly onDelta: ((delta: ModelDelta) => void) | undefined
  /** Called with each part as it came. */
  readonly onPart?: ((part: unknown) => void) | undefined
}

/** The numbers of calls in the order they began. */
const callIndex = () => {
  const ids: string[] = []
  return (id: string): number => {
    if (!ids.includes(id)) ids.push(id)
    return ids.indexOf(id)
  }
}

const deltaOf = (part: Fields, indexOf: (id: string) => number): ModelDelta | undefined => {
  const id = text(part, 'id') ?? ''
  switch (part['type']) {
    case 'text-delta':
      return { type: 'text', text: text(part, 'delta') ?? '' }
    case 'reasoning-delta':
      return { type: 'reasoning', text: text(part, 'delta') ?? '' }
    case 'tool-input-start':
      return { type: 'call', index: indexOf(id), name: text(part, 'toolName') ?? '', args: '' }
    case 'tool-input-delta':
      return { type: 'call', index: indexOf(id), args: text(part, 'delta') ?? '' }
    default:
      return undefined
  }
}

/** Reads a stream to its end. @throws ModelCallError with a model code. */
export const readParts = async (report: Reporter, clock: Clock, asked: string, stream: AsyncIterable<unknown>, { control, onDelta, onPart }: StreamListener): Promise<ModelReply> => {
  const indexOf = callIndex()
  const pieces: string[] = []
  const calls: ToolCall[] = []
  let model = asked
  let finish: Fields | undefined
  for await (const value of stream) {
    onPart?.(value)
    const part = asFields(value)
    if (part === undefined) continue
    const delta = deltaOf(part, indexOf)
    control.progress(delta !== undefined)
    if (delta !== undefined) onDelta?.(delta)
    if (delta?.type === 'text') pieces.push(delta.text)
    const call = callIn(part)
    if (call !== undefined) calls.push(call)
    if (part['type'] === 'response-metadata') {
      model = text(part, 'modelId') ?? model
      report.requestId = text(part, 'id') ?? report.requestId
    }
    if (part['type'] === 'error') throw streamFault(report, clock, part['error'])
    if (part['type'] === 'finish') finish = part
  }
  return toReply(report, { content: pieces.join(''), calls, finishReason: finish?.['finishReason'], usage: finish?.['usage'], model, streamed: true })
}
