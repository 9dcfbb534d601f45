// The prompt of the airline agent. The policy is data: a text file that the airline's own people write, read when the
// agent is made, and part of the template, so that a changed policy is a changed prompt.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { definePrompt } from 'stateloop'
import { z } from 'zod'

/** The policy in this folder. */
export const ownPolicy = readFileSync(join(import.meta.dirname, 'policy.md'), 'utf8').trimEnd()

/** The prompt with a policy in it. */
export const airlinePrompt = (policy: string) =>
  definePrompt({
    id: 'airline.policy',
    vars: z.object({ said: z.string() }),
    messages: [
      { role: 'system', content: policy.replaceAll('{{', '\\{{') },
      { role: 'user', content: '{{said}}' },
    ],
  })
