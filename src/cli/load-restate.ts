// The Restate engine for commands, loaded only when it is asked for: its SDK is the user's own dependency.
import { fail } from '../failure/index.ts'

/** Loads the engine. @throws FailureError `usage` when the SDK is not installed. */
export const loadRestate = async (): Promise<typeof import('../engine/index.ts')> => {
  try {
    return await import('../engine/index.ts')
  } catch (thrown) {
    return fail('usage', 'The engine restate needs its SDK: npm install @restatedev/restate-sdk', { cause: thrown })
  }
}
