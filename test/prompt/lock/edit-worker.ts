// A process that edits a lock again and again; started by the tests, never imported. Arguments: the file, its name, how often.
// Each change releases one more version of a prompt of its own, as the commands do: read, change, replace or begin again.
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { definePrompt, emptyLock, readLock, release, replaceLock } from '../../../src/prompt/index.ts'

const [path = '', name = '', times = '1'] = process.argv.slice(2)
for (let change = 1; change <= Number(times); change++) {
  const { document } = definePrompt({ id: name, vars: z.object({}), messages: `${name} ${change}` as string })
  for (;;) {
    const before = existsSync(path) ? readLock(path) : undefined
    if (await replaceLock(path, before, release(before ?? emptyLock, name, document))) break
  }
}
