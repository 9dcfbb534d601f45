// Looks at the servers behind the providers. Invariant: without being asked to probe, it sends no model call, and never
// sends a key to another place than the provider itself would.
import type { ModelProvider } from '../../model/index.ts'
import type { Io } from '../io.ts'
import { broken, ok, warning, type Check } from './check.ts'

const LIMIT_MS = 5_000

/** Whether keys are there; only their presence is told. */
export const checkKeys = ({ env }: Pick<Io, 'env'>, providers: readonly ModelProvider[], offline: boolean): Check => {
  if ((env['OPENAI_API_KEY'] ?? '').trim() !== '') return ok('keys', 'OPENAI_API_KEY is set')
  if ((env['OPENAI_BASE_URL'] ?? '') !== '') return ok('keys', 'OPENAI_API_KEY is not set; the server at OPENAI_BASE_URL may need none')
  const others = providers.filter(({ id }) => id !== 'openai').map(({ id }) => id)
  if (offline) return warning('keys', 'OPENAI_API_KEY is not set: scripted rules answer instead of a model')
  return others.length > 0 ? ok('keys', `OPENAI_API_KEY is not set; other providers: ${others.join(', ')}`) : warning('keys', 'OPENAI_API_KEY is not set. Set it to use models of OpenAI.')
}

const OFFICIAL = 'https://api.openai.com/v1'

/** The key that the provider would send. The one in the environment is for OpenAI and for the server that the environment names. */
const keyOf = ({ baseUrl, secrets }: ModelProvider, env: Io['env']): string => {
  const configured = secrets?.()[0]
  if (configured !== undefined) return configured
  return baseUrl === OFFICIAL || baseUrl === env['OPENAI_BASE_URL']?.replace(/\/+$/, '') ? (env['OPENAI_API_KEY']?.trim() ?? '') : ''
}

const checkStatus = (place: string, status: number, withKey: boolean): Check => {
  if (status === 401 || status === 403) {
    return withKey
      ? broken('providers', `${place} refuses the key (${status}). Check the key and the address.`)
      : warning('providers', `${place} is there and wants a key (${status}), of which nothing is known before the first call.`)
  }
  if (status === 404 || status === 405) return ok('providers', `${place} is there; it does not list its models (${status})`)
  if (status >= 500) return broken('providers', `${place} answers GET /models with ${status}. Look at the server.`)
  return status < 300 ? ok('providers', `${place} is there and lists its models`) : warning('providers', `${place} answers GET /models with ${status}.`)
}

/** What `fetch` hides behind "fetch failed". */
const reasonOf = (thrown: unknown, limitMs: number): string => {
  if (!(thrown instanceof Error)) return String(thrown)
  if (thrown.name === 'TimeoutError') return `no answer within ${limitMs / 1_000} s`
  const cause = thrown.cause instanceof Error ? thrown.cause : thrown
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}

/** Asks the server of a provider for its models. */
export const checkEndpoint = async (provider: ModelProvider, env: Io['env'], limitMs = LIMIT_MS): Promise<Check> => {
  const { id, baseUrl } = provider
  if (baseUrl === undefined) return ok('providers', `${id} answers in this process`)
  const place = `${id} at ${baseUrl}`
  const key = keyOf(provider, env)
  if (baseUrl === OFFICIAL && key === '') return ok('providers', `${place} was not asked: there is no key`)
  // Azure takes keys in a header of its own.
  const bearer = key !== '' && !new URL(baseUrl).hostname.includes('azure.')
  try {
    const response = await fetch(`${baseUrl}/models`, { headers: bearer ? { authorization: `Bearer ${key}` } : {}, redirect: 'manual', signal: AbortSignal.timeout(limitMs) })
    await response.body?.cancel()
    return checkStatus(place, response.status, bearer)
  } catch (thrown) {
    return broken('providers', `${place} cannot be reached: ${reasonOf(thrown, limitMs)}. Check the address and that the server runs.`)
  }
}
