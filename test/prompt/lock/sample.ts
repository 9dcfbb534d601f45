// Versions of one prompt and locks made of them, for the tests of the lock.
import { z } from 'zod'
import { definePrompt, emptyLock, release, rollOut, type Lock, type Prompt } from '../../../src/prompt/index.ts'

/** A version of the prompt `greet` with the variable `name`. */
const version = (text: string): Prompt => definePrompt({ id: 'greet', vars: z.object({ name: z.string() }), messages: `${text} {{name}}` as string })

/** Three versions. */
export const [first, second, third] = [version('One'), version('Two'), version('Three')] as const

/** A lock in which these were released in order. */
export const released = (...prompts: readonly Prompt[]): Lock => prompts.reduce((lock, { document }) => release(lock, 'greet', document), emptyLock)

/** A lock in which the second version is rolled out beside the first. */
export const split = (percent: number): Lock => rollOut(released(first), 'greet', second.document, { percent, variant: 'b' })
