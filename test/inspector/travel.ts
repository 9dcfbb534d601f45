// A travel agent for looking at: parallel regions, child agents, retries, a fallback, a tool loop, and a booking that a
// person approves. Its model is a script that takes its time and fails now and then.
import { z } from 'zod'
import { createRuntime, defineTool, failure, FailureError, replyCalls, replyFailure, replyOutput, replyText, scripted, setupAgent, type Journal, type Runtime, type Rule } from '../../src/index.ts'

const prices: { readonly [city: string]: number } = { Lisbon: 240, Oslo: 310 }

const Flight = z.object({ flight: z.string(), city: z.string(), usd: z.number() })
const Hotel = z.object({ hotel: z.string(), city: z.string(), usd: z.number() })

const searchFlights = defineTool({
  description: 'Finds flights.',
  input: z.object({ city: z.string() }),
  output: z.array(Flight),
  run: ({ city }) => [
    { flight: 'TP 941', city, usd: prices[city] ?? 500 },
    { flight: 'LX 2084', city, usd: (prices[city] ?? 500) + 70 },
  ],
})
const searchHotels = defineTool({
  description: 'Finds hotels.',
  input: z.object({ city: z.string() }),
  output: z.array(Hotel),
  run: ({ city }) => (city === 'Oslo' ? Promise.reject(new FailureError(failure('tool_failed', 'The hotel search answered 503 for Oslo.'))) : [{ hotel: 'Casa do Rio', city, usd: 95 }]),
})
const weather = defineTool({ description: 'Says what the weather will be.', input: z.object({ city: z.string() }), run: ({ city }) => ({ city, sky: 'sunny', degrees: 24 }) })
const book = defineTool({ description: 'Books and pays.', input: z.object({ flight: z.string(), usd: z.number() }), effect: 'irreversible', idempotent: true, run: ({ flight }) => ({ reference: 'K7Q2PX', flight }) })

const r = setupAgent({ id: 'reviewer', models: { small: 'scripted/small-1' }, input: z.object({ place: z.string() }), context: z.object({ verdict: z.string() }), onFailure: 'failed' })
const reviewer = r.createAgent({
  initial: 'reading',
  states: {
    reading: r.model('small', { prompt: ({ context }) => `Review of ${context.place}?`, save: 'verdict', onDone: 'judged' }),
    judged: r.final({ output: ({ context }) => context.verdict ?? '' }),
    failed: r.final({ outcome: 'failed' }),
  },
})

const t = setupAgent({
  id: 'travel',
  version: '2.1.0',
  models: { small: { model: 'scripted/small-1', maxOutputTokens: 400 }, large: { model: 'scripted/large-1', maxOutputTokens: 1_500 } },
  tools: { searchFlights, searchHotels, weather, book },
  agents: { reviewer },
  input: z.object({ question: z.string(), city: z.string() }),
  context: z.object({ plan: z.object({ intent: z.enum(['trip', 'question', 'other']) }), flights: z.array(Flight), hotels: z.array(Hotel), reviews: z.array(z.string()), answer: z.string() }),
  limits: { transitions: 60, modelCalls: 20, costUsd: 1 },
  onFailure: 'failed',
})

/** The agent. */
export const travel = t.createAgent({
  initial: 'understanding',
  states: {
    understanding: t.model('small', {
      prompt: ({ context }) => `What is this? ${context.question}`,
      output: z.object({ intent: z.enum(['trip', 'question', 'other']) }),
      save: 'plan',
      onDone: { match: 'intent', to: { trip: 'gathering', question: 'answering', other: 'declined' } },
      onError: { refused: 'declined', '*': 'answering' },
    }),
    gathering: t.parallel({
      states: {
        flights: t.region({
          initial: 'searching',
          states: { searching: t.tool('searchFlights', { args: ({ context }) => ({ city: context.city }), save: 'flights', onDone: 'found', onError: { '*': 'none' } }), found: t.final(), none: t.final() },
        }),
        hotels: t.region({
          initial: 'searching',
          states: {
            searching: t.tool('searchHotels', { args: ({ context }) => ({ city: context.city }), save: 'hotels', onDone: 'reviewing', onError: { '*': 'none' } }),
            reviewing: t.each('reviewer', {
              items: ({ context }) => [...(context.hotels ?? []).map(({ hotel }) => ({ place: hotel })), { place: context.city }],
              concurrency: 2,
              save: 'reviews',
              onDone: 'found',
              onError: { '*': 'none' },
            }),
            found: t.final(),
            none: t.final(),
          },
        }),
      },
      onDone: 'answering',
    }),
    answering: t.model('large', {
      prompt: ({ context }) => `Plan a trip: ${context.question} ${JSON.stringify({ flights: context.flights, hotels: context.hotels, reviews: context.reviews })}`,
      tools: ['weather', 'book'],
      maxVisits: 6,
      save: 'answer',
      retry: { attempts: 3, backoffMs: 40 },
      onTools: { book: 'approving', '*': 'acting' },
      onDone: 'sent',
      onError: { refused: 'declined', '*': 'apologising' },
    }),
    approving: t.approve({ show: ({ context }) => `Book for: ${context.question}`, expiresMs: 3_600_000, onApproved: 'acting', onRejected: 'answering', onError: { expired: 'failed' } }),
    acting: t.tools({ parallel: 4, onDone: 'answering', onError: { '*': 'apologising' } }),
    apologising: t.fallback(['small', { value: 'A person will plan this trip.' }], { prompt: ({ context }) => `Apologise for ${context.question}`, save: 'answer', onDone: 'sent' }),
    sent: t.final({ output: ({ context }) => context.answer ?? '' }),
    declined: t.final({ outcome: 'failed' }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const textIn = (request: Parameters<Rule>[0]): string => request.messages.map(({ content }) => (typeof content === 'string' ? content : '')).join('\n')

/** The model. `delayMs` is how long an answer of length 1 takes. */
const travelModel = (delayMs = 0) => {
  const failed = new Set<string>()
  const rules: Rule = (request) => {
    const text = textIn(request)
    const answered = request.messages.filter(({ role }) => role === 'tool').length
    if (text.includes('What is this?')) return replyOutput({ intent: /poem/.test(text) ? 'other' : /weather/.test(text) ? 'question' : 'trip' }, { delayMs: delayMs * 2 })
    if (text.startsWith('Review of')) return replyText('Quiet, near the water.', { delayMs: delayMs * 3 })
    if (text.startsWith('Apologise')) return replyText('Sorry, the planner is down. A person will write today.', { delayMs })
    if (/overloaded/.test(text) || (/retry/.test(text) && !failed.has(text) && failed.add(text) !== undefined)) return replyFailure('overloaded', { delayMs })
    if (answered === 0) return replyCalls({ name: 'weather', args: { city: /Oslo/.test(text) ? 'Oslo' : 'Lisbon' } })
    if (answered === 1 && /[Bb]ook/.test(text.split('\n')[0] ?? '')) return replyCalls({ name: 'book', args: { flight: 'TP 941', usd: 240 } })
    return replyText(answered === 1 ? 'Fly on Friday, stay at Casa do Rio. It will be sunny, 24 degrees.' : 'Booked: K7Q2PX. Have a good trip!', { delayMs: delayMs * 4 })
  }
  return scripted({ rules, price: { inputUsd: 0.6, outputUsd: 2.4 } })
}

/** A runtime for the agent. */
export const travelRuntime = (journal: Journal, delayMs = 0): Runtime => createRuntime({ journal, providers: [travelModel(delayMs)], agents: [travel] })
