// Programs that were written for OpenAI, against the door: its agents SDK on both APIs, and the AI SDK.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { Agent, Runner, tool } from '@openai/agents-core'
import { OpenAIProvider } from '@openai/agents-openai'
import { embedMany, generateText, Output, stepCountIs, streamText, tool as aiTool } from 'ai'
import { describe, expect, test } from 'vitest'
import { replyCalls, replyText, scripted, type ModelProvider, type ModelRequest, type ScriptedReply } from 'stateloop'
import { z } from 'zod'
import { openDoor, type Door } from './openai-world.ts'
import { TOKEN } from './world.ts'

/** Hands over where it can, looks where it can, and says what it saw. */
const rules = ({ messages, tools = [], output }: ModelRequest): ScriptedReply => {
  const last = messages.at(-1)
  const said = typeof last?.content === 'string' ? last.content : JSON.stringify(last?.content)
  const [first] = tools
  if (last?.role !== 'tool' && first !== undefined) return replyCalls({ name: first.name, args: first.name === 'look' ? { city: 'Bern' } : {} })
  if (output !== undefined) return replyText(`{"city":"Bern","sky":${JSON.stringify(said)}}`)
  return replyText(`I heard: ${said}`)
}
const Sky = z.object({ city: z.string(), sky: z.string() })

const runnerOf = ({ client }: Door, useResponses: boolean): Runner => new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client, useResponses }), tracingDisabled: true })
const plain = new Agent({ name: 'Plain', instructions: 'Be brief.', model: 'fast', modelSettings: { temperature: 0.3, maxTokens: 100, parallelToolCalls: true } })

describe.each(['responses', 'chat completions'])('the OpenAI Agents SDK on %s', (api) => {
  const look = tool({ name: 'look', description: 'Looks at the sky.', parameters: z.object({ city: z.string() }), execute: ({ city }) => `rain in ${city}` })
  const looking = new Agent({ name: 'Looking', instructions: 'Look.', model: 'fast', tools: [look] })

  test('answers, performs tools, streams, keeps to a type, hands over and goes on', async () => {
    await using door = await openDoor({ rules }, { 'x-stateloop-user': 'ada' })
    const runner = runnerOf(door, api === 'responses')
    expect((await runner.run(plain, 'Hello')).finalOutput).toBe('I heard: Hello')
    const looked = await runner.run(looking, 'Rain?')
    expect(looked.finalOutput).toBe('I heard: rain in Bern')
    expect(looked.rawResponses.map(({ usage }) => usage.outputTokens > 0)).toEqual([true, true])
    const streamed = await runner.run(looking, 'Rain?', { stream: true })
    let text = ''
    for await (const event of streamed) if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') text += event.data.delta
    expect([text, streamed.finalOutput]).toEqual(['I heard: rain in Bern', 'I heard: rain in Bern'])
    const typed = new Agent({ name: 'Typed', model: 'fast', tools: [look], outputType: Sky })
    expect((await runner.run(typed, 'Rain?')).finalOutput).toEqual({ city: 'Bern', sky: 'rain in Bern' })
    const front = Agent.create({ name: 'Front', model: 'fast', handoffs: [plain] })
    expect((await runner.run(front, 'Hello')).lastAgent?.name).toBe('Plain')
    expect((await runner.run(plain, [...looked.history, { role: 'user', content: 'Sure?' }])).finalOutput).toBe('I heard: Sure?')
    expect(new Set((await door.runtime.list()).map(({ user, agent, status }) => `${user} ${agent} ${status}`))).toEqual(new Set(['ada fast done']))
  })
})

test('the OpenAI Agents SDK goes on from the response before', async () => {
  await using door = await openDoor({ rules })
  const runner = runnerOf(door, true)
  const first = await runner.run(plain, 'My name is Ada.')
  await runner.run(plain, 'Who am I?', { previousResponseId: first.lastResponseId ?? '' })
  expect(door.asked.at(-1)?.messages.map(({ content }) => content)).toEqual(['Be brief.', 'My name is Ada.', 'I heard: My name is Ada.', 'Who am I?'])
})

test('the AI SDK answers, streams, performs tools, keeps to a type and embeds', async () => {
  const embedding: ModelProvider = {
    id: 'vectors',
    call: () => Promise.reject(new Error('It only embeds.')),
    embed: ({ texts }) => Promise.resolve({ vectors: texts.map((text) => [text.length, 1]), usage: { inputTokens: texts.length, outputTokens: 0 } }),
  }
  await using door = await openDoor({ rules, runtime: { providers: [scripted({ id: 'openai', rules }), embedding] }, models: { fast: 'openai/gpt-5-mini', small: 'vectors/small' } })
  const provider = createOpenAICompatible({ name: 'door', baseURL: `${door.url}/v1`, apiKey: TOKEN, includeUsage: true, supportsStructuredOutputs: true })
  const model = provider('fast')
  expect((await generateText({ model, prompt: 'Hello', maxRetries: 0 })).text).toBe('I heard: Hello')
  const tools = { look: aiTool({ description: 'Looks.', inputSchema: z.object({ city: z.string() }), execute: ({ city }) => `rain in ${city}` }) }
  const stream = streamText({ model, prompt: 'Rain?', tools, stopWhen: stepCountIs(3), maxRetries: 0 })
  let text = ''
  for await (const piece of stream.textStream) text += piece
  expect(text).toBe('I heard: rain in Bern')
  expect((await generateText({ model, prompt: 'Sky?', output: Output.object({ schema: Sky }), maxRetries: 0 })).output).toEqual({ city: 'Bern', sky: 'Sky?' })
  const { embeddings } = await embedMany({ model: provider.embeddingModel('small'), values: ['a', 'bb'], maxRetries: 0 })
  expect(embeddings).toEqual([
    [1, 1],
    [2, 1],
  ])
})
