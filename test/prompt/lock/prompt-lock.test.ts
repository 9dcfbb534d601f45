import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { agent, type Agent } from '../../../src/agent/index.ts'
import type { Failure } from '../../../src/failure/index.ts'
import { definePrompt, formatLock, kill, promptLock, rollBack, type Lock, type Prompt, type PromptLock } from '../../../src/prompt/index.ts'
import { createRuntime } from '../../../src/run/index.ts'
import { listModel } from '../../run/harness.ts'
import { first, released, second, split } from './sample.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateloop-lock-'))
  path = join(folder, 'prompts.lock.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

const writeLock = (at: string, lock: Lock): void => {
  writeFileSync(`${at}.tmp`, formatLock(lock))
  renameSync(`${at}.tmp`, at)
}

const given = (lock: PromptLock, prompt: Prompt = second, user = 'ada'): string => {
  const [chosen] = lock.choose([prompt], { run: 'r', user })
  return JSON.stringify(chosen?.prompt.render({ name: 'Ada' } as never)[0]?.content)
}

describe('promptLock', () => {
  it('gives the active version, whatever the code holds', () => {
    writeLock(path, rollBack(released(first, second), 'greet'))
    expect(given(promptLock({ path }))).toBe('"One Ada"')
  })

  it('gives what the code holds for a prompt that is not in it', () => {
    writeLock(path, released(first))
    const other = definePrompt({ id: 'other', vars: z.object({ name: z.string() }), messages: 'Other {{name}}' })
    expect(given(promptLock({ path }), other)).toBe('"Other Ada"')
  })

  it('reads the file once, unless it is asked to watch', () => {
    writeLock(path, released(first))
    const [still, watching] = [promptLock({ path }), promptLock({ path, watch: true })]
    writeLock(path, released(first, second))
    expect([given(still), given(watching)]).toEqual(['"One Ada"', '"Two Ada"'])
  })

  it('notices a change of the same length in place', () => {
    writeLock(path, split(100))
    const lock = promptLock({ path, watch: true })
    writeFileSync(path, formatLock(split(100)).replace('9999', '   0'))
    utimesSync(path, 1, 1)
    expect(given(lock)).toBe('"One Ada"')
  })

  it('refuses a changed file that cannot be used, once, and goes on with the one before', () => {
    const refused: Failure[] = []
    writeLock(path, released(first))
    const lock = promptLock({ path, watch: true, onRefused: (failure) => void refused.push(failure) })
    writeFileSync(path, '{')
    expect([given(lock), given(lock)]).toEqual(['"One Ada"', '"One Ada"'])
    expect(refused).toMatchObject([{ code: 'prompt_unusable', message: expect.stringContaining('was not taken over; the versions before stay in force') as string }])
    rmSync(path)
    expect(given(lock)).toBe('"One Ada"')
    expect(refused).toHaveLength(2)
    writeLock(path, released(first, second))
    expect(given(lock)).toBe('"Two Ada"')
  })

  it('refuses a changed file with a version that does not fit the code it has seen', () => {
    const refused: Failure[] = []
    writeLock(path, released(first))
    const lock = promptLock({ path, watch: true, onRefused: (failure) => void refused.push(failure) })
    lock.check([second])
    writeLock(path, released(first, definePrompt({ id: 'greet', vars: z.object({ town: z.string() }), messages: '{{town}}' })))
    expect(given(lock)).toBe('"One Ada"')
    expect(refused[0]?.message).toContain('it needs the variable "town", which the code no longer declares')
  })

  it('stops at once when there is no file, or when a version in it does not fit the agents', () => {
    expect(() => promptLock({ path })).toThrow(/prompt_unusable: The lock of the prompts, .*prompts\.lock\.json, could not be read/)
    writeLock(path, released(definePrompt({ id: 'greet', vars: z.object({ town: z.string() }), messages: '{{town}}' })))
    const greeter = agent({ id: 'greeter', model: 'fake/m', prompt: definePrompt({ id: 'greet', vars: z.object({ input: z.string() }), messages: '{{input}}' }) }) as Agent
    expect(() => createRuntime({ agents: [greeter], prompts: promptLock({ path }) })).toThrow(/it needs the variable "town", which the code no longer declares/)
  })

  it('moves a running process to another version, and back, without a restart', async () => {
    writeLock(path, released(first))
    const model = listModel(() => ({ text: 'hi' }))
    await using runtime = createRuntime({ providers: [model], prompts: promptLock({ path, watch: true }) })
    const version = (text: string): Prompt<{ readonly input: string }> => definePrompt({ id: 'greet', vars: z.object({ input: z.string() }), messages: `${text} {{input}}` as string })
    const greeter = agent({ id: 'greeter', model: 'fake/m', prompt: version('Code') })
    const say = async (): Promise<unknown> => {
      await (await runtime.start(greeter, 'Ada', { user: 'ada' })).outcome()
      return model.asked.at(-1)?.messages[0]?.content
    }
    const seen: unknown[] = []
    const [older, newer] = [version('Old'), version('New')]
    writeLock(path, released(older))
    seen.push(await say())
    writeLock(path, released(older, newer))
    seen.push(await say())
    writeLock(path, kill(splitOf(older, newer), 'greet', false))
    seen.push(await say())
    writeLock(path, kill(splitOf(older, newer), 'greet', true))
    seen.push(await say())
    expect(seen).toEqual(['Old Ada', 'New Ada', 'New Ada', 'Old Ada'])
  })
})

const splitOf = (active: Prompt, variant: Prompt): ReturnType<typeof released> => {
  const lock = released(active)
  const { versions } = released(variant).prompts['greet']!
  const greet = lock.prompts['greet']!
  return {
    version: 1,
    prompts: { greet: { ...greet, versions: { ...greet.versions, ...versions }, rollout: { experiment: 'e', salt: 's', unit: 'user', variants: [{ name: 'b', hash: variant.hash, buckets: [[0, 9999]] }] } } },
  }
}
