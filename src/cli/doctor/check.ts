// What the doctor found, one line for each thing it looked at. Invariant: no text of a check holds a key.
import { failureFrom } from '../exit-code.ts'

/** What the doctor looks at. */
export type Area = 'node' | 'packages' | 'settings' | 'agents' | 'keys' | 'providers' | 'probe' | 'database' | 'prompts' | 'recordings' | 'circuits'

/** One thing that was looked at. */
export interface Check {
  readonly area: Area
  /** `broken` when something a run needs does not work; `warning` when it works and should be looked at. */
  readonly status: 'ok' | 'warning' | 'broken'
  /** What was seen, and what to do where something is to be done. */
  readonly message: string
}

/** A check that says all is well. */
export const ok = (area: Area, message: string): Check => ({ area, status: 'ok', message })
/** A check that says what should be looked at. */
export const warning = (area: Area, message: string): Check => ({ area, status: 'warning', message })
/** A check that says what does not work. */
export const broken = (area: Area, message: string): Check => ({ area, status: 'broken', message })

/** Looks, and makes a broken check of whatever is thrown. */
export const guarded = async (area: Area, look: () => readonly Check[] | Promise<readonly Check[]>): Promise<readonly Check[]> => {
  try {
    return await look()
  } catch (thrown) {
    return [broken(area, failureFrom(thrown).message)]
  }
}
