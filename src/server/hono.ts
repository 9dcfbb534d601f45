// The user's own Hono, loaded when a server first needs it. Invariant: where it is missing, the error says what to install.
import { fail } from '../failure/index.ts'

/** Loads the two parts that the server uses. @throws FailureError `usage` when the package is not installed. */
export const loadHono = async (): Promise<Pick<typeof import('hono'), 'Hono'> & Pick<typeof import('hono/cors'), 'cors'>> => {
  try {
    const [{ Hono }, { cors }] = await Promise.all([import('hono'), import('hono/cors')])
    return { Hono, cors }
  } catch (thrown) {
    return fail('usage', 'A server needs the packages hono and @hono/node-server: npm install hono @hono/node-server', { cause: thrown })
  }
}

/** Loads what connects the server to Node's http. @throws FailureError `usage` when the package is not installed. */
export const loadNodeServer = async (): Promise<Pick<typeof import('@hono/node-server'), 'createAdaptorServer'>> => {
  try {
    return await import('@hono/node-server')
  } catch (thrown) {
    return fail('usage', 'A server on a port needs the package @hono/node-server: npm install @hono/node-server', { cause: thrown })
  }
}
