// The body of an error, brought into one shape. Servers that speak this protocol disagree about it: objects, strings,
// arrays, `detail`, numeric codes, HTML pages of a proxy. Invariant: any text gives a message, never an exception.
import { asFields, field, list, parseFields, text, type Fields } from './fields.ts'

/** What an error body says. */
export interface ProviderError {
  /** One line for people, at most 300 characters. */
  readonly message: string
  /** The provider's own code, most specific first: `insufficient_quota`. */
  readonly code?: string
  /** Every code and type the body names, lower case. */
  readonly names: readonly string[]
  /** A status inside the body: gateways answer 200 and put the real one here. */
  readonly status?: number
}

const LONGEST_MESSAGE = 300

/** One line, shortened. */
export const oneLine = (message: string): string => {
  const line = message.toWellFormed().replaceAll(/\s+/g, ' ').trim()
  return line.length <= LONGEST_MESSAGE ? line : `${line.slice(0, LONGEST_MESSAGE).toWellFormed()}…`
}

/** The words of an HTML page. */
const withoutTags = (html: string): string => html.replaceAll(/<(style|script)[^>]*>[^]*?<\/\1>/gi, ' ').replaceAll(/<[^>]*>/g, ' ')

/** FastAPI's list of what is wrong: `[{ loc: ['body', 'model'], msg: 'Field required' }]`. */
const detailMessage = (detail: unknown): string | undefined => {
  if (typeof detail === 'string') return detail
  if (!Array.isArray(detail)) return undefined
  return detail
    .map(asFields)
    .map((issue) => [list(issue, 'loc').join('.'), text(issue, 'msg') ?? text(issue, 'message')].filter(Boolean).join(': '))
    .join('; ')
}

/** Finds the object that holds the error, or the text that is it. */
const unwrap = (body: unknown): Fields | string | undefined => {
  if (typeof body === 'string') return body
  if (Array.isArray(body)) return unwrap(body[0])
  const outer = asFields(body)
  if (outer === undefined) return undefined
  const inner = outer['error'] ?? list(outer, 'errors')[0]
  if (typeof inner === 'string') return { ...outer, message: inner }
  return asFields(inner) ?? outer
}

const messageOf = (error: Fields): string | undefined => {
  const raw = error['message']
  // Mistral nests FastAPI's issues under `message`.
  const own = typeof raw === 'string' ? raw : (detailMessage(field(error, 'message')?.['detail']) ?? detailMessage(error['detail']))
  // OpenRouter says little itself and quotes the upstream provider.
  const upstream = text(field(error, 'metadata'), 'raw')
  return upstream === undefined ? own : `${own ?? 'error'} (${upstream})`
}

const asStatus = (value: unknown): number | undefined => {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined
}

/** Reads a parsed error, or an error event of a stream. */
export const readError = (body: unknown, otherwise: string): ProviderError => {
  const error = unwrap(body)
  if (error === undefined || typeof error === 'string') return { message: oneLine(error ?? otherwise), names: [] }
  const status = asStatus(error['status_code']) ?? asStatus(error['code']) ?? asStatus(error['status'])
  const candidates = [error['code'], field(error, 'innererror')?.['code'], error['type'], error['status']]
  const names = candidates.filter((name): name is string => typeof name === 'string' && name !== '' && asStatus(name) === undefined)
  const code = names[0]
  return {
    message: oneLine(messageOf(error) ?? otherwise),
    names: names.map((name) => name.toLowerCase()),
    ...(code === undefined ? {} : { code: oneLine(code) }),
    ...(status === undefined ? {} : { status }),
  }
}

/** The error inside a reply or event that is otherwise a success; undefined when it states none. */
export const embeddedError = (reply: Fields): ProviderError | undefined => {
  const { error } = reply
  const isEmpty = error === undefined || error === null || error === '' || (asFields(error) !== undefined && Object.keys(error).length === 0)
  return isEmpty ? undefined : readError(reply, 'an error without words')
}

/** Reads the body of a reply whose status says that it failed. */
export const readErrorBody = (body: string): ProviderError => {
  const parsed = parseFields(body)
  return parsed === undefined ? { message: oneLine(withoutTags(body)) || '(no body)', names: [] } : readError(parsed, body)
}
