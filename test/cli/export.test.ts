import { expect, it } from 'vitest'
import { testProject } from './project.ts'

it('an agent is printed in each format that other tools read', async () => {
  await using project = await testProject()
  const { code, out } = await project.stateloop(['export', 'desk', '--stately'])
  expect(code).toBe(0)
  expect(out).toMatch(/^import \{ createMachine \} from 'xstate'\n\nexport const machine = createMachine\(\{\n {2}"id": "desk"/)
  expect((await project.stateloop(['export', 'desk', '--mermaid'])).out).toMatch(/^stateDiagram-v2\n {2}state "/)
  expect((await project.stateloop(['export', 'desk', '--svg'])).out).toMatch(/^<svg [^]*<\/svg>\n$/)
  expect(JSON.parse((await project.stateloop(['export', 'desk', '--json'])).out)).toMatchObject({ agent: 'desk', version: '2.1.0', nodes: expect.any(Array), edges: expect.any(Array) })
})

it('no format, or two, is a usage error that names them', async () => {
  await using project = await testProject()
  expect(await project.stateloop(['export', 'desk'])).toMatchObject({ code: 2, err: expect.stringContaining('--stately, --mermaid, --svg, --json') })
  expect((await project.stateloop(['export', 'desk', '--svg', '--mermaid'])).code).toBe(2)
})

it('what cannot be inspected is refused before anything is served', async () => {
  await using project = await testProject()
  expect(await project.stateloop(['inspect', 'nobody'])).toMatchObject({ code: 2, err: expect.stringContaining('neither a run in this database, nor an agent, nor a recording') })
  expect((await project.stateloop(['inspect', 'one', 'two'])).err).toContain('There is no run one')
  expect((await project.stateloop(['inspect', '--port', 'x'])).code).toBe(2)
  expect((await project.stateloop(['inspect', 'gone.jsonl'])).err).toContain('gone.jsonl')
})
