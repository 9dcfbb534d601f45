import { describe, expect, it } from 'vitest'
import { inputTokenBound, inputTokenEstimate, messageTokenBound, type InputText } from '../../src/cost/index.ts'
import type { Message } from '../../src/prompt/index.ts'

const user = (content: Message['content']): Message => ({ role: 'user', content }) as Message
const EMPTY: InputText = { messages: [] }

describe('inputTokenBound', () => {
  it('grows by at least the UTF-8 bytes of every text', () => {
    for (const text of ['plain', 'héllo', '漢字かな', '👩‍👩‍👧‍👦', '\uD800', 'a'.repeat(10_000)]) expect(messageTokenBound(user(text))).toBeGreaterThanOrEqual(Buffer.byteLength(text))
  })

  it('is what the request is without messages, and each message on top', () => {
    const tools = [{ name: 'search', description: 'Finds pages', parameters: { type: 'object' } }]
    const messages: readonly Message[] = [
      { role: 'system', content: 'Be kind.' },
      { role: 'assistant', content: '', calls: [{ id: 'call_1', name: 'search', args: { query: 'rain' } }] },
      { role: 'tool', callId: 'call_1', name: 'search', content: 'Rain is water.' },
    ]
    const added = messages.reduce((sum, message) => sum + messageTokenBound(message), 0)
    expect(inputTokenBound({ messages, tools })).toBe(inputTokenBound({ messages: [], tools }) + added)
  })

  it('counts what the model sees beside messages: tool calls and results, tools, the output schema', () => {
    const long = 'x'.repeat(5_000)
    const more: readonly InputText[] = [
      { messages: [{ role: 'assistant', content: '', calls: [{ id: '1', name: 'f', args: { long } }] }] },
      { messages: [{ role: 'tool', callId: '1', name: 'f', content: long }] },
      { messages: [], tools: [{ name: 'f', description: long, parameters: {} }] },
      { messages: [], output: { name: 'answer', schema: { description: long } } },
      { messages: [user([{ type: 'text', text: long }])] },
    ]
    for (const request of more) {
      expect(inputTokenBound(request)).toBeGreaterThan(inputTokenBound(EMPTY) + 5_000)
      expect(inputTokenEstimate(request)).toBeGreaterThan(inputTokenEstimate(EMPTY) + 5_000 / 3)
    }
  })

  it('allows for images whatever their bytes, and for every byte of a file', () => {
    const bound = (type: 'image' | 'file', base64: string): number => messageTokenBound(user([{ type, data: { base64 } }]))
    expect(bound('image', 'a'.repeat(1_000_000))).toBe(bound('image', 'a'))
    expect(bound('image', 'a')).toBeGreaterThan(48_169)
    expect(bound('file', 'a'.repeat(1_000_000))).toBeGreaterThan(1_000_000)
  })
})
