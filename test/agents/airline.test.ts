// The airline agent on its own small database. The 200 conversations of a real model are in airline.slow.test.ts.
import { describe, expect, it } from 'vitest'
import { airlineAgent } from '../../agents/airline/agent.ts'
import { arithmetic } from '../../agents/airline/arithmetic.ts'
import { openDatabase, readData, type AirlineData } from '../../agents/airline/database.ts'
import { databaseHash, pythonFloat, pythonJson } from '../../agents/airline/python-text.ts'
import type { Agent } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { chatMessages, importChat, readRecording, replay } from '../../src/replay/index.ts'

const data = readData('agents/airline/data')
const agent = airlineAgent() as Agent
const booking = () => readRecording('agents/airline/recordings/booking.jsonl')
const withTools = async (used: AirlineData) => {
  const airline = openDatabase(used)
  return { airline, report: await replay(agent, await booking(), { level: 'tools-live', services: { airline }, clock: fakeClock() }) }
}

describe('a recorded booking', () => {
  it('gives the same results with tools live, and books into its own database only', async () => {
    const { airline, report } = await withTools(data)
    expect(report).toMatchObject({ status: 'same', end: { outcome: 'done' } })
    expect(airline.reservations['HATHAT']).toMatchObject({ user_id: 'ada_king_1815', payment_history: [{ payment_id: 'gift_card_2', amount: 170 }] })
    expect(airline.users['ada_king_1815']?.payment_methods['gift_card_2']).toMatchObject({ amount: 30 })
    expect(data.reservations['HATHAT']).toBeUndefined()
    expect(databaseHash(airline)).not.toBe(databaseHash(openDatabase(data)))
  })

  it('diverges first where the data is seen that changed', async () => {
    const users = JSON.parse(JSON.stringify(data.users).replaceAll('"province"', '"state"')) as AirlineData['users']
    const { report } = await withTools({ ...data, users })
    expect(report.differences).toMatchObject([{ kind: 'result', places: ['- address.province: CA', '+ address.state: CA'], blame: { what: 'data', name: 'get_user_details' } }])
  })

  it('ends as limited when there are fewer rounds', async () => {
    const report = await replay(airlineAgent({ rounds: 3 }) as Agent, await booking())
    expect(report).toMatchObject({ end: { outcome: 'limited', failure: { code: 'loop_limit' } }, differences: [{ blame: { what: 'policy' } }] })
  })
})

describe('an imported conversation', () => {
  const say = (content: string) => ({ role: 'user', content })
  const reply = (content: string) => ({ role: 'assistant', content })

  it('says once where the agent would have asked something else', async () => {
    const { recording, notes } = await importChat(agent, chatMessages([say('Hi'), reply('Hello'), say('Bye'), reply('Bye')]), { clock: fakeClock() })
    expect(recording.row.status).toBe('waiting')
    expect(notes).toEqual([expect.stringMatching(/^message 0: the agent sends \{"role":"system"/)])
  })

  it('stops where the transcript goes another way', async () => {
    const call = { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'think', arguments: '{"thought":"x"}' } }] }
    await expect(importChat(agent, chatMessages([say('Hi'), call as never, say('Well?')]), { clock: fakeClock() })).rejects.toThrow(/Message 2 of the transcript is user's, but acting asks for tools think/)
    await expect(importChat(agent, chatMessages([say('Hi')]), { clock: fakeClock(), input: { other: 1 } })).rejects.toThrow(/does not fit agent airline/)
  })
})

describe('text as Python writes it', () => {
  it('has spaces in JSON, a point in whole numbers, and escapes', () => {
    expect(pythonJson({ a: [1, 'é"'], b: null })).toBe('{"a": [1, "\\u00e9\\""], "b": null}')
    expect([pythonFloat(255), pythonFloat(-0.5)]).toEqual(['255.0', '-0.5'])
  })

  it('computes arithmetic and nothing else', () => {
    expect([arithmetic('(404 + 202) * 3 - 10 / 4'), arithmetic('-(2 + .5) * 2'), arithmetic('1 / 3')]).toEqual([1815.5, -5, 0.33])
    for (const bad of ['', '2 +', '(1', 'process.exit()', '1 2x']) expect(arithmetic(bad)).toBeNaN()
  })
})
