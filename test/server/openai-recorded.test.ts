// Real traffic against the door's side of the wire: what programs really send is read, and what the door writes has the
// shape of what OpenAI really answers.
import { describe, expect, test } from 'vitest'
import { replyCalls, replyText } from 'stateloop'
import { allRecordings, hasShared, isStream, type Recording } from '../wire/recordings.ts'
import { openDoor } from './openai-world.ts'
import { TOKEN } from './world.ts'

type Fields = { readonly [field: string]: any }

const official = allRecordings()
  .flatMap(([, recordings]) => recordings)
  .filter(({ api, request, response }) => api === 'openai.responses' && request.url.includes('api.openai.com') && response.status === 200)
const eventsIn = (text: string): readonly Fields[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Fields)

/** The shapes in an event: each with a name and its fields. */
const shapesIn = (event: Fields): readonly (readonly [name: string, fields: readonly string[]])[] => {
  const { item, part, response } = event
  const items: readonly Fields[] = [...(item === undefined ? [] : [item]), ...(response?.output ?? [])]
  const parts: readonly Fields[] = [...(part === undefined ? [] : [part]), ...items.flatMap((one) => one['content'] ?? [])]
  return [
    [event['type'], Object.keys(event)],
    ...items.map((one) => [`item ${one['type']}`, Object.keys(one)] as const),
    ...parts.map((one) => [`part ${one['type']}`, Object.keys(one)] as const),
    ...(response === undefined ? [] : [['response', Object.keys(response)] as const]),
    ...(response?.usage ? [['usage', Object.keys(response.usage)] as const] : []),
  ]
}

/** What every recording of a shape has, and what any of them has. */
const recordedShapes = (recordings: readonly Recording[]): ReadonlyMap<string, { readonly always: ReadonlySet<string>; readonly ever: ReadonlySet<string> }> => {
  const shapes = new Map<string, { always: Set<string>; ever: Set<string> }>()
  const documents = recordings.flatMap((recording) => (isStream(recording) ? eventsIn(recording.response.body) : [{ type: 'document', response: JSON.parse(recording.response.body) as Fields }]))
  for (const [name, fields] of documents.flatMap(shapesIn)) {
    const known = shapes.get(name)
    if (known === undefined) shapes.set(name, { always: new Set(fields), ever: new Set(fields) })
    else shapes.set(name, { always: new Set([...known.always].filter((field) => fields.includes(field))), ever: new Set([...known.ever, ...fields]) })
  }
  return shapes
}

describe.skipIf(!hasShared)('beside the large collection of recordings (skipped where it is not there)', () => {
  test('what the door says has every field that OpenAI always says, and none that it never says', async () => {
    const shapes = recordedShapes(official)
    expect(shapes.size).toBeGreaterThan(15)
    const rules = ({ messages }: { readonly messages: readonly unknown[] }) => (messages.length === 1 ? replyText('It will rain in Bern.') : replyCalls({ name: 'look', args: { city: 'Bern' } }))
    await using door = await openDoor({ rules })
    const seen = new Set<string>()
    for (const input of [
      'Rain?',
      [
        { role: 'user', content: 'Rain?' },
        { role: 'assistant', content: 'Hm.' },
      ],
    ]) {
      for (const stream of [true, false]) {
        const answer = await fetch(`${door.url}/v1/responses`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'fast', input, stream }),
        })
        const text = await answer.text()
        for (const [name, fields] of (stream ? eventsIn(text) : [{ type: 'document', response: JSON.parse(text) as Fields }]).flatMap(shapesIn)) {
          seen.add(name)
          const { always = new Set<string>(), ever = new Set<string>() } = shapes.get(name) ?? {}
          expect(
            [...always].filter((field) => !fields.includes(field)),
            `missing in ${name}`,
          ).toEqual([])
          expect(
            fields.filter((field) => !ever.has(field)),
            `invented in ${name}`,
          ).toEqual([])
        }
      }
    }
    expect(seen.size).toBeGreaterThan(12)
  })

  test('requests that programs really made are read, or refused with the place of what cannot be done', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.') })
    const counts = { read: 0, refused: 0 }
    for (const [, recordings] of allRecordings()) {
      for (const { api, request, response } of recordings) {
        const path = api === 'openai.chat' ? '/v1/chat/completions' : api === 'openai.responses' ? '/v1/responses' : undefined
        if (path === undefined || response.status !== 200 || typeof request.body?.['model'] !== 'string') continue
        const { stream: _stream, response_format: _format, text: _text, previous_response_id: _previous, ...body } = request.body
        const answer = await door.call('POST', path, { ...body, model: 'fast' })
        if (answer.status === 200) counts.read += 1
        else {
          expect([answer.status, answer.body.error.code, answer.body.error.param], JSON.stringify(answer.body)).toEqual([400, 'invalid_value', expect.stringMatching(/^[a-z]/)])
          counts.refused += 1
        }
      }
    }
    expect(counts.read).toBeGreaterThan(650)
    expect(counts.refused).toBeLessThan(counts.read / 10)
  })
})
