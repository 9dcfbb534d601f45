// Writes the reference page of the HTTP API from the document that servers serve, so that it lists exactly their routes. Run it
// with `node --conditions=stateloop-source scripts/http-reference.ts`; a test compares its text with the file.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openApi } from '../src/server/openapi/document.ts'
import { agent } from '../src/agent/index.ts'

/** The page that this script writes, by path from the repository's root. */
export const HTTP_API_PATH = 'docs/reference/http-api.md'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly description?: string
}
interface Operation {
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: { readonly properties?: object } } } }
  readonly responses: { readonly [status: string]: { readonly description: string } }
}
type Paths = { readonly [path: string]: { readonly [method: string]: Operation } }

const PLACE: { readonly [place: string]: string } = { path: 'Path', query: 'Query', header: 'Header' }

const section = (path: string, method: string, { summary, parameters = [], requestBody, responses }: Operation): string => {
  const shown = path.replace('/agents/example/', '/agents/{agent}/')
  const fields = Object.keys(requestBody?.content['application/json'].schema.properties ?? {})
  return [
    `### ${method.toUpperCase()} ${shown}`,
    '',
    summary.replace('the agent example', 'an agent'),
    '',
    ...parameters.map(({ name, in: place, description = '' }) => `- ${PLACE[place] ?? place} \`${name}\`${description === '' ? '' : `: ${description}`}`),
    ...(fields.length === 0 ? [] : [`- Body: ${fields.map((field) => `\`${field}\``).join(', ')}`]),
    ...Object.entries(responses)
      .filter(([status]) => status !== 'default')
      .map(([status, { description }]) => `- ${status}: ${description}`),
    '',
  ].join('\n')
}

/** Text of the page. */
export const httpApiPage = (): string => {
  const example = agent({ id: 'example', model: 'openai/gpt-5-mini', prompt: '' })
  const { paths } = openApi([example as never], [], '') as unknown as { readonly paths: Paths }
  const sections = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => section(path, method, one)))
  return [
    '# HTTP API',
    '<!-- generated -->',
    '',
    'These are the routes of a [server](../how-to/serve.md). `GET /openapi.json` of a server describes them with the schemas of its agents. Every request but those for health needs `Authorization: Bearer <token>`. Every refusal is `application/problem+json` with a `code` from [the failure codes](failure-codes.md), but for the routes of OpenAI clients, which refuse as OpenAI does.',
    '',
    ...sections,
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(fileURLToPath(new URL(`../${HTTP_API_PATH}`, import.meta.url)), httpApiPage())
