import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture, testProject, type TestProject } from './project.ts'

let project: TestProject

beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

const error = (code: string, ...parts: readonly string[]): unknown => ({ error: { code, message: expect.stringMatching(parts.join('.*')) as string } })

describe('a command that cannot be performed ends with 2 and says why', () => {
  it.each([
    ['an agent by a misspelt name', ['run', 'dek'], error('agent_not_found', "Did you mean 'desk'")],
    ['an agent by a misspelt folder', ['run', 'forcast'], error('agent_not_found', "Did you mean 'forecast'")],
    ['a misspelt file', ['run', fixture('wether')], error('agent_not_found', "Did you mean 'weather.ts'")],
    ['a file whose default export is no agent', ['run', './stateloop.config.mjs'], error('agent_invalid', 'something else as its default')],
    ['a file that does not load', ['run', './broken.mjs'], error('agent_invalid', 'broken.mjs failed: oh no')],
    ['input that is not JSON', ['run', 'desk', '--input', 'hello'], error('usage', '--input is not JSON')],
    ['input from a file that is not there', ['run', 'desk', '--input', '@nothing.json'], error('usage', 'nothing.json')],
    ['input that the agent does not take', ['run', 'desk', '--input', '{"question":3}'], error('invalid_input', 'question')],
    ['two inputs', ['run', 'desk', '--input', '{}', '--question', 'x'], error('usage', 'not both')],
    ['a run that is not there', ['show', '0190'], error('run_not_found', '0190')],
    ['an event for a run that is not there', ['send', '0190', '{"type":"PAID"}'], error('run_not_found', '0190')],
    ['an event that is not JSON', ['send', '0190', '{type:PAID}'], error('usage', 'not JSON')],
    ['an option that is not there', ['run', 'desk', '--usr', 'x'], error('usage', '--usr')],
    ['a command that is not there', ['rnus'], error('usage', 'rnus')],
    ['an argument that is missing', ['show'], error('usage', 'run')],
    ['ejecting a machine of its own', ['eject', 'desk'], error('usage', 'desk')],
  ])('%s', async (_what, args, expected) => {
    await project.write('broken.mjs', "throw new Error('oh no')")
    expect(await project.json(...args)).toMatchObject({ code: 2, value: expected })
  })

  it('makes no database to find nothing in', async () => {
    const { code, out } = await project.stateloop(['runs', '--db', 'absent/x.db'])
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('no database at') as string })
    expect(existsSync(join(project.folder, 'absent'))).toBe(false)
  })

  it('prints errors for people on standard error only', async () => {
    const { code, out, err } = await project.stateloop(['run', 'dek'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^agent_not_found: There is no agent "dek"/)
  })

  it('ends with 3 when the database is not one', async () => {
    await project.write('text.db', 'this is not a database, however long it may be')
    expect(await project.json('runs', '--db', 'text.db')).toMatchObject({ code: 3 })
  })

  it('says what to set when no provider has a key', async () => {
    await project.write('keyless.mjs', `import agent from ${JSON.stringify(new URL('../fixtures/cli/desk.ts', import.meta.url).href)}\nexport default agent`)
    expect(await project.json('run', './keyless.mjs', '--question', 'hi')).toMatchObject({
      code: 1,
      value: { outcome: 'failed', failure: { code: 'auth_failed', message: expect.stringContaining('OPENAI_API_KEY') as string } },
    })
  })
})

describe('help', () => {
  it('shows the commands and the exit codes', async () => {
    const { code, out } = await project.stateloop(['--help'])
    expect(code).toBe(0)
    for (const name of ['run', 'send', 'approve', 'reject', 'resume', 'cancel', 'runs', 'show', 'eject']) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(out).toContain('Exit codes:')
  })

  it('ejects a one-shot agent as builder source', async () => {
    const { code, out } = await project.stateloop(['eject', 'forecast', '--from', './tools.ts'])
    expect(code).toBe(0)
    expect(out).toContain("from './tools.ts'")
    expect(out).toContain('export default t.createAgent({')
  })
})
