// The keyword rules that stand in for a model in the demo.
import { expect, test } from 'vitest'
import { bestSentences, classifyByKeywords, documentsIn, keywordRules, replyText, scripted } from '../../../src/model/index.ts'
import { ask, io } from '../call.ts'

const labels = { howto: ['how', 'install', 'set up'], order: ['order', 'delivery', 'parcel'], abuse: ['idiot'] }

test.each([
  ['How do I install it?', 'howto'],
  ['Where is my ORDER? The parcel is late.', 'order'],
  ['You idiot', 'abuse'],
  ['Set up, please', 'howto'],
  ['Good morning', 'order'],
  ['Somehow reordering', 'order'],
])('%j is sorted under %s', (text, label) => {
  expect(classifyByKeywords(text, labels, 'order')).toBe(label)
})

const limits = 'Every run has limits. A run that passes its cost limit ends as limited. Retries never reset a budget.'
const resume = '# Resume\n\nResuming a run reads its journal. Timers fire at their absolute time.\n\n```sh\nstateloop resume run a run a run\n```'
const prompt = `Answer from these pages.\n<document source="docs/limits.md">\n${limits}\n</document>\n<document source="docs/resume.md">${resume}</document>`

test('documents in a prompt are read with their sources', () => {
  expect(documentsIn(prompt).map(({ source }) => source)).toEqual(['docs/limits.md', 'docs/resume.md'])
  expect(documentsIn('none here')).toEqual([])
})

test('the sentences that share the rare words of a question come first, code and headings never', () => {
  const [best] = bestSentences('What happens when timers fire?', documentsIn(prompt), 2)
  expect(best).toMatchObject({ text: 'Timers fire at their absolute time.', source: 'docs/resume.md' })
  expect(bestSentences('What does a budget do on retry?', documentsIn(prompt), 1)[0]?.text).toBe('Retries never reset a budget.')
  expect(bestSentences('resume', documentsIn(prompt), 9).some(({ text }) => text.includes('stateloop resume'))).toBe(false)
  expect(bestSentences('bicycle', documentsIn(prompt), 3)).toEqual([])
})

const provider = scripted({
  rules: keywordRules({ labels, otherwise: 'howto', tools: { openTicket: { when: ['open a ticket'], args: (question) => ({ subject: question }) } } }),
})
const openTicket = { name: 'openTicket', description: 'Opens a ticket', parameters: {} }

test('a schema with an enum of the labels is answered by classification', async () => {
  const schema = { type: 'object', properties: { intent: { type: 'string', enum: ['howto', 'order', 'abuse'] } } }
  const reply = await provider.call(ask({ messages: [{ role: 'user', content: 'Where is my parcel?' }], output: { name: 'triage', schema } }), io())
  expect(JSON.parse(String(reply.message.content))).toEqual({ intent: 'order' })
})

test('a question is answered by quotes that name their sources, and never by more than the prompt says', async () => {
  const request = ask({
    messages: [
      { role: 'system', content: prompt },
      { role: 'user', content: 'When do timers fire?' },
    ],
  })
  const reply = await provider.call(request, io())
  expect(reply.message.content).toContain('Timers fire at their absolute time. (docs/resume.md)')
  const unknown = await provider.call(
    ask({
      messages: [
        { role: 'system', content: prompt },
        { role: 'user', content: 'bicycles' },
      ],
    }),
    io(),
  )
  expect(unknown.message.content).toBe('Nothing in the documents answers this.')
})

test('a tool is called once when it is asked for and offered', async () => {
  const messages = [{ role: 'user', content: 'Please open a ticket: it crashed' }] as const
  const first = await provider.call(ask({ messages, tools: [openTicket] }), io())
  expect(first.message.calls).toMatchObject([{ name: 'openTicket', args: { subject: 'Please open a ticket: it crashed' } }])
  const after = await provider.call(ask({ messages: [...messages, first.message, { role: 'tool', callId: 'call_1', name: 'openTicket', content: 'T-1' }], tools: [openTicket] }), io())
  expect(after.message).not.toHaveProperty('calls')
  expect((await provider.call(ask({ messages }), io())).message).not.toHaveProperty('calls')
})

test('question and answer can be the author’s own', async () => {
  const own = scripted({
    rules: keywordRules({ question: () => 'timers', answer: ({ question, quotes }) => replyText(`${question}: ${quotes.length}`), quotes: 1 }),
  })
  expect((await own.call(ask({ messages: [{ role: 'system', content: prompt }] }), io())).message.content).toBe('timers: 1')
})
