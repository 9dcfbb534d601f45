// Validates a value against a schema. Invariant: each problem is a reason with its path.
import { validateAsync, type Schema } from '../../schema/index.ts'
import { passUnless, type Scored, type Scorer } from '../score.ts'

/**
 * Passes when the value is valid.
 * @param actual what is validated; default the output.
 */
export const matchesSchema =
  <O, X>(schema: Schema, actual: (trial: Scored<O, X>) => unknown = ({ output }) => output): Scorer<O, X> =>
  async (trial) => {
    const checked = await validateAsync(schema, actual(trial))
    return passUnless(checked.ok ? [] : checked.issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)))
  }
