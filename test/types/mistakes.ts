// Mistakes that must not compile, each with words of the message that its author sees.

/** What every snippet begins with. */
export const preamble = `import { z } from 'zod'
import { agent, definePrompt, defineReranker, defineRetriever, defineTool, fromModel, machineAgent, setupAgent } from 'stateloop'
const lookup = defineTool({ description: 'Looks up.', input: z.object({ id: z.string() }), output: z.object({ status: z.string() }), run: () => ({ status: 'shipped' }) })
const refund = defineTool({ description: 'Refunds.', input: z.object({ id: z.string(), cents: z.number() }), run: () => 'ok' })
const kb = defineRetriever({ search: () => [] })
const words = defineReranker({ rank: ({ documents }) => documents })
const child = agent({ id: 'child', model: 'openai/gpt-5-mini', prompt: 'Help.' })
const t = setupAgent({
  id: 'shop',
  models: { fast: 'openai/gpt-5-mini' },
  tools: { lookup, refund },
  retrievers: { kb },
  rerankers: { words },
  agents: { child },
  events: { APPROVE: z.object({ by: z.string() }), REJECT: z.object({ reason: z.string() }) },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), intent: z.enum(['order', 'other']), docs: z.array(z.object({ id: z.string(), text: z.string() })), count: z.number() }),
})
const Intent = z.object({ intent: z.enum(['order', 'other']), sure: z.boolean() })
const docsPrompt = definePrompt({ id: 'docs', vars: z.object({ question: z.string(), docs: z.array(z.object({ id: z.string(), text: z.string() })) }), messages: '{{question}} {{#each docs}}{{.text}}{{/each}}' })
const done = t.final({ output: () => 1 })
export { agent, child, defineReranker, docsPrompt, done, fromModel, Intent, kb, lookup, machineAgent, refund, words }
`

/** A mistake. */
export interface Mistake {
  /** What the author did. */
  readonly what: string
  readonly code: string
  /** Parts of the compiler's message. */
  readonly says: readonly string[]
}

/** The mistakes. */
export const mistakes: readonly Mistake[] = [
  { what: 'forgets onError', code: `t.model('fast', { prompt: 'Hi', onDone: 'done' })`, says: [`Property 'onError' is missing`] },
  {
    what: 'leaves failures unrouted',
    code: `t.model('fast', { prompt: 'Hi', onDone: 'done', onError: { timeout: 'done' } })`,
    says: [`unrouted failures: name a state for each, add '*', or set a default with setupAgent({ onFailure })`, 'auth_failed'],
  },
  {
    what: 'misspells a failure code',
    code: `t.model('fast', { prompt: 'Hi', onDone: 'done', onError: { ratelimited: 'done', '*': 'done' } })`,
    says: ['not a failure code of this kind of state', 'ratelimited'],
  },
  {
    what: 'routes a failure that the kind of state cannot have',
    code: `t.tool('lookup', { args: () => ({ id: '1' }), onDone: 'done', onError: { refused: 'done', '*': 'done' } })`,
    says: ['not a failure code of this kind of state', '"refused"'],
  },
  {
    what: 'leads to a state that does not exist',
    code: `t.createAgent({ initial: 'asking', states: { asking: t.model('fast', { prompt: 'Hi', onDone: 'dnoe', onError: { '*': 'done' } }), done } })`,
    says: ['leads to a state that does not exist', '"dnoe"'],
  },
  {
    what: 'leads a failure to a state that does not exist',
    code: `t.createAgent({ initial: 'asking', states: { asking: t.model('fast', { prompt: 'Hi', onDone: 'done', onError: { '*': 'gone' } }), done } })`,
    says: ['leads to a state that does not exist', '"gone"'],
  },
  {
    what: 'begins in a state that does not exist',
    code: `t.createAgent({ initial: 'strat', states: { start: done } })`,
    says: [`Type '"strat"' is not assignable to type '"start"'`],
  },
  {
    what: 'does not cover every value of a match',
    code: `t.model('fast', { prompt: 'Hi', output: Intent, onDone: { match: 'intent', to: { order: 'done' } }, onError: { '*': 'done' } })`,
    says: [`'other' is missing`],
  },
  {
    what: 'matches a field that has no closed set of values',
    code: `t.model('fast', { prompt: 'Hi', output: z.object({ text: z.string() }), onDone: { match: 'text', to: { a: 'done' } }, onError: { '*': 'done' } })`,
    says: ['match'],
  },
  {
    what: 'gives cases without an else',
    code: `t.model('fast', { prompt: 'Hi', output: Intent, onDone: { cases: [{ when: ({ output }) => output.sure, to: 'done' }] }, onError: { '*': 'done' } })`,
    says: [`'else' is missing`],
  },
  {
    what: 'reads an output field that does not exist',
    code: `t.model('fast', { prompt: 'Hi', output: Intent, onDone: { cases: [{ when: ({ output }) => output.certain, to: 'done' }], else: 'done' }, onError: { '*': 'done' } })`,
    says: [`Property 'certain' does not exist`],
  },
  {
    what: 'names a model that was not set up',
    code: `t.model('fats', { prompt: 'Hi', onDone: 'done', onError: { '*': 'done' } })`,
    says: [`'"fats"' is not assignable to parameter of type '"fast"'`],
  },
  {
    what: 'writes a model without its provider',
    code: `setupAgent({ id: 'x', models: { fast: 'gpt-5-mini' }, input: z.object({}) })`,
    says: ['"gpt-5-mini"', '`${string}/${string}`'],
  },
  {
    what: 'offers a tool that was not set up',
    code: `t.model('fast', { prompt: 'Hi', tools: ['lookpu'], onTools: 'done', onDone: 'done', onError: { '*': 'done' } })`,
    says: ['"lookpu"', '"lookup" | "refund"'],
  },
  {
    what: 'offers tools without saying where calls lead',
    code: `t.model('fast', { prompt: 'Hi', tools: ['lookup'], onDone: 'done', onError: { '*': 'done' } })`,
    says: [`Property 'onTools' is missing`],
  },
  {
    what: 'routes a tool that the state does not offer',
    code: `t.model('fast', { prompt: 'Hi', tools: ['lookup'], onTools: { refund: 'done', '*': 'done' }, onDone: 'done', onError: { '*': 'done' } })`,
    says: ['onTools names a tool that this state does not offer', '"refund"'],
  },
  {
    what: 'leaves a tool without a route',
    code: `t.model('fast', { prompt: 'Hi', tools: ['lookup', 'refund'], onTools: { refund: 'done' }, onDone: 'done', onError: { '*': 'done' } })`,
    says: [`tools without a route in onTools: name a state for each, or add '*'`, '"lookup"'],
  },
  {
    what: 'passes wrong arguments to a tool',
    code: `t.tool('refund', { args: () => ({ id: '1', cents: '5' }), onDone: 'done', onError: { '*': 'done' } })`,
    says: [`Type 'string' is not assignable to type 'number'`],
  },
  {
    what: 'leaves an argument of a tool out',
    code: `t.tool('refund', { args: () => ({ id: '1' }), onDone: 'done', onError: { '*': 'done' } })`,
    says: [`Property 'cents' is missing`],
  },
  {
    what: 'saves to a field that does not exist',
    code: `t.model('fast', { prompt: 'Hi', output: Intent, save: 'intnet', onDone: 'done', onError: { '*': 'done' } })`,
    says: ['"intnet"'],
  },
  {
    what: 'saves to a field of another type',
    code: `t.model('fast', { prompt: 'Hi', output: z.number(), save: 'docs', onDone: 'done', onError: { '*': 'done' } })`,
    says: ['"docs"', '"count"'],
  },
  {
    what: 'saves a wrong value through a function',
    code: `t.model('fast', { prompt: 'Hi', output: Intent, save: ({ output }) => ({ count: output.intent }), onDone: 'done', onError: { '*': 'done' } })`,
    says: [`is not assignable to type 'number'`],
  },
  {
    what: 'saves an unknown field through a function',
    code: `t.model('fast', { prompt: 'Hi', output: Intent, save: () => ({ coutn: 1 }), onDone: 'done', onError: { '*': 'done' } })`,
    says: ['coutn'],
  },
  {
    what: 'uses a prompt whose variables the context may not hold',
    code: `t.model('fast', { prompt: docsPrompt, onDone: 'done', onError: { '*': 'done' } })`,
    says: ['prompt variables that the context may not hold: set them in `init`, or give `vars`', '"docs"'],
  },
  {
    what: 'gives vars that miss a variable',
    code: `t.model('fast', { prompt: docsPrompt, vars: ({ context }) => ({ question: context.question }), onDone: 'done', onError: { '*': 'done' } })`,
    says: [`Property 'docs' is missing`],
  },
  {
    what: 'reads a context field that does not exist',
    code: `t.model('fast', { prompt: ({ context }) => context.questoin, onDone: 'done', onError: { '*': 'done' } })`,
    says: [`Property 'questoin' does not exist`],
  },
  {
    what: 'reads a context field before it is surely set',
    code: `t.model('fast', { prompt: ({ context }) => context.docs.map((doc) => doc.text).join(), onDone: 'done', onError: { '*': 'done' } })`,
    says: [`is possibly 'undefined'`],
  },
  { what: 'waits for an event that is not declared', code: `t.human({ on: { APROVE: 'done' }, onError: { '*': 'done' } })`, says: [`'APROVE' does not exist`] },
  {
    what: 'reads a payload field that the event does not have',
    code: `t.human({ on: { APPROVE: { to: 'done', save: ({ event }) => ({ question: event.reason }) } }, onError: { '*': 'done' } })`,
    says: [`Property 'reason' does not exist`],
  },
  {
    what: 'names a retriever that was not set up',
    code: `t.retrieve('docs', { query: () => '', onDone: 'done', onError: { '*': 'done' } })`,
    says: [`'"docs"' is not assignable to parameter of type '"kb"'`],
  },
  {
    what: 'passes a child agent the wrong input',
    code: `t.agent('child', { input: () => 1, onDone: 'done', onError: { '*': 'done' } })`,
    says: [`Type 'number' is not assignable to type 'string'`],
  },
  {
    what: 'gives a fallback a value that does not match its output',
    code: `t.fallback(['fast', { value: { text: 1 } }], { prompt: 'Hi', output: z.object({ text: z.string() }), onDone: 'done' })`,
    says: ['this value does not match the output'],
  },
  {
    what: 'forgets the failures of a fallback that ends in a model',
    code: `t.fallback(['fast'], { prompt: 'Hi', onDone: 'done' })`,
    says: [`Property 'onError' is missing`],
  },
  {
    what: 'misspells an option',
    code: `t.model('fast', { prompt: 'Hi', onDone: 'done', onErorr: { '*': 'done' }, onError: { '*': 'done' } })`,
    says: [`'onErorr' does not exist`, `Did you mean`],
  },
  {
    what: 'leads out of a group to a state that nobody has',
    code: `t.createAgent({ initial: 'g', states: { g: t.group({ initial: 'a', onDone: 'done', states: { a: t.model('fast', { prompt: 'Hi', onDone: 'b', onError: { '*': 'nowhere' } }), b: t.final() } }), done } })`,
    says: ['leads to a state that does not exist', '"nowhere"'],
  },
  {
    what: 'puts a state that is no region into parallel',
    code: `t.parallel({ states: { a: done }, onDone: 'done' })`,
    says: [`'"final"' is not assignable to type '"region"'`],
  },
  {
    what: 'names a default failure route that is not a state',
    code: `setupAgent({ id: 'x', models: { fast: 'openai/m' }, input: z.object({}), onFailure: 'failed' }).createAgent({ initial: 'done', states: { done } })`,
    says: [`Property 'failed' is missing`],
  },
  {
    what: 'ends with an output that the schema does not allow',
    code: `setupAgent({ id: 'x', models: { fast: 'openai/m' }, input: z.object({}), output: z.object({ text: z.string() }) }).createAgent({ initial: 'done', states: { done: t.final({ output: () => ({ text: 1 }) }) } })`,
    says: [`the output of this final state does not match the agent's output schema`],
  },
  {
    what: 'sets a context field to the wrong type at the start',
    code: `setupAgent({ id: 'x', models: { fast: 'openai/m' }, input: z.object({}), context: z.object({ n: z.number() }), init: () => ({ n: 'one' }) })`,
    says: [`Type 'string' is not assignable to type 'number'`],
  },
  {
    what: 'asks for approval of a tool that a one-shot agent does not have',
    code: `agent({ id: 'x', model: 'openai/m', prompt: 'Hi', tools: { lookup }, approve: ['refund'] })`,
    says: [`Type '"refund"' is not assignable to type '"lookup"'`],
  },
  {
    what: 'leads a raw state to a state that does not exist',
    code: `t.createAgent({ initial: 'idle', states: { idle: t.raw({ on: { APPROVE: 'dnoe' } }), done } })`,
    says: ['leads to a state that does not exist', '"dnoe"'],
  },
]
