// What each option of a state looks like. A state with an option of the wrong shape is reported and not compiled, so that
// compiling may rely on the shapes that the types promise.

type Shape = readonly [fits: (value: unknown) => boolean, words: string]

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isText = (value: unknown): boolean => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0
const isAmount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isSchema = (value: unknown): boolean => (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
const isCase = (value: unknown): boolean => isRecord(value) && isFunction((value as { readonly when?: unknown }).when)
const isAlternative = (value: unknown): boolean => isText(value) || (isRecord(value) && (Object.hasOwn(value as object, 'value') || (value as { readonly stale?: unknown }).stale === true))
const isRoute = (value: unknown): boolean => isText(value) || (isRecord(value) && isText((value as { readonly to?: unknown }).to))
const isNext = (value: unknown): boolean => {
  if (!isRecord(value)) return isText(value)
  const { cases, match, to } = value as { readonly cases?: unknown; readonly match?: unknown; readonly to?: unknown }
  return cases === undefined ? isText(match) && isRecord(to) : isListOf(isCase)(cases)
}
const isListOf =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(fits)
const isRecordOf =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    isRecord(value) && Object.values(value as object).every(fits)
const either =
  (...shapes: readonly ((value: unknown) => boolean)[]) =>
  (value: unknown): boolean =>
    shapes.some((fits) => fits(value))

/** Parameters of a call, each with what it must be. */
const PARAMS: { readonly [name: string]: (value: unknown) => boolean } = { maxOutputTokens: isCount, temperature: isAmount, topP: isAmount, stop: isListOf(isText), reasoningEffort: isText, verbosity: isText }
const isParams = (value: unknown): boolean => isRecord(value) && Object.entries(value as object).every(([name, param]) => Object.hasOwn(PARAMS, name) && PARAMS[name]?.(param) === true)

const callback: Shape = [isFunction, 'a function']
const count: Shape = [isCount, 'a whole number above 0']
const names: Shape = [isListOf(isText), 'a list of names']
const record: Shape = [isRecord, 'an object']
const text: Shape = [isText, 'a text']
const state: Shape = [isText, 'the name of a state']

const SHAPES: { readonly [option: string]: Shape } = {
  description: text,
  thread: text,
  maxVisits: count,
  k: count,
  keep: count,
  instructions: text,
  parallel: count,
  concurrency: count,
  maxItems: count,
  repairs: [(value) => isAmount(value) && Number.isInteger(value), 'a whole number'],
  expiresMs: [isAmount, 'a number of milliseconds'],
  ms: [either(isAmount, isFunction), 'a number of milliseconds or a function'],
  params: [isParams, `an object of ${Object.keys(PARAMS).join(', ')}`],
  providerOptions: record,
  retry: record,
  timeout: record,
  cache: [(value) => isRecord(value) && isAmount((value as { readonly ttlMs?: unknown }).ttlMs), '{ ttlMs } and perhaps staleMs and sharing'],
  breaker: [(value) => value === false || isRecord(value), 'a policy, or false'],
  limiter: [(value) => value === false || isRecord(value), 'a policy, or false'],
  states: record,
  vars: callback,
  args: callback,
  query: callback,
  documents: callback,
  input: callback,
  items: callback,
  run: callback,
  show: callback,
  output: [isSchema, 'a schema'],
  idempotent: [(value) => typeof value === 'boolean', 'true or false'],
  tools: names,
  approve: names,
  else: state,
  onApproved: state,
  onRejected: state,
  onTools: [either(isText, isRecordOf(isText)), "a state, or { tool: 'state', '*': 'state' }"],
  onDone: [isNext, "a state, { match: 'field', to: { value: 'state' } }, or { cases: [{ when, to }], else: 'state' }"],
  on: [isRecordOf(isRoute), "{ EVENT: 'state' } or { EVENT: { to: 'state', … } }"],
  cases: [isListOf(isCase), "a list of { when: (args) => boolean, label?, to: 'state' }"],
  call: [(value) => isRecord(value) && isFunction((value as { readonly args?: unknown }).args), '{ tool, args }'],
  save: [either(isText, isFunction), 'the name of a context field, or a function ({ output, context }) => fields'],
  prompt: [
    (value) => isText(value) || isFunction(value) || (isRecord(value) && (value as { readonly kind?: unknown }).kind === 'prompt'),
    'a prompt from definePrompt, a text, or a function ({ context, messages }) => text or messages',
  ],
  alternatives: [isListOf(isAlternative), 'a list of models, then perhaps { stale: true }, the last perhaps { value: … }'],
  outcome: [(value) => value === 'done' || value === 'failed' || value === 'limited', "'done', 'failed' or 'limited'"],
}

/** What a final state's output is, unlike that of an effect. */
const FINAL_OUTPUT = callback

/** What is wrong with the shape of an option. */
export const wrongShape = (kind: string, option: string, value: unknown): string | undefined => {
  const shape = kind === 'final' && option === 'output' ? FINAL_OUTPUT : SHAPES[option]
  return shape === undefined || value === undefined || shape[0](value) ? undefined : `${option} must be ${shape[1]}.`
}
