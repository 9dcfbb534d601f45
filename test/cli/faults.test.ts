import { expect, it } from 'vitest'
import { fixture, testProject } from './project.ts'

it('run --faults shows the agent surviving a limit and a cut reply, a refusal, and an outage that opens the circuit', async () => {
  await using project = await testProject()
  const { code, out } = await project.stateloop(['run', fixture('calm'), '--faults'])
  expect(code).toBe(0)
  expect(out).toContain('not a language model')
  const [limited = '', refused = '', outage = ''] = out.split(/^\d\. /m).slice(1)
  expect(limited).toContain('thinking: rate_limited, trying again in 700 ms')
  expect(limited).toMatch(/answering.*(stream_truncated|malformed_response), trying again/)
  expect(limited).toContain('All is well')
  expect(refused).toContain('Ask me later.')
  expect(refused).toContain('refused')
  expect(outage).toContain('quota_exhausted')
  expect(outage).toContain('circuit_open')
  expect(outage).toContain('Ask me later.')
})

it('run --faults says what is missing where the agent has no offline model, or where one document was asked for', async () => {
  await using project = await testProject()
  expect(await project.stateloop(['run', fixture('weather'), '--faults'])).toMatchObject({ code: 2, err: expect.stringContaining('export const offline') })
  expect(await project.stateloop(['run', fixture('calm'), '--faults', '--json'])).toMatchObject({ code: 2, out: expect.stringContaining('leave out --json') })
})
