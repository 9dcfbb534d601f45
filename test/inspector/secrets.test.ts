// Secrets that a journal holds, because its runtime did not know them, and one that only a prompt renders: none of them is
// in any byte that the inspector sends.
import { expect, it, onTestFinished, vi } from 'vitest'
import { inspector } from '../../src/inspector/index.ts'
import { adder, loopAgent } from '../run/harness.ts'
import { ask, opened, playedRun, withToken } from './world.ts'

const SECRETS = ['sk-live-4f0Z9q2LmXw7', 'tok"with\\quotes\nline', 'https value & more=13!', 'ghp_0123456789abcdef']
const FROM_ENVIRONMENT = 'env-key-77Aa00Bb11'
const forms = (value: string): readonly string[] => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('base64').replaceAll('=', '').slice(0, -2)]

it('no secret leaves the inspector, whatever form it has', async () => {
  vi.stubEnv('SOME_API_KEY', FROM_ENVIRONMENT)
  onTestFinished(() => void vi.unstubAllEnvs())
  const said = SECRETS.flatMap((value) => [value, encodeURIComponent(value), Buffer.from(value).toString('base64'), JSON.stringify({ inner: value })]).join(' | ')
  const agent = loopAgent({ add: adder() }, {}, { prompt: () => `The key is ${SECRETS[0]}; the other is ${FROM_ENVIRONMENT}.` })
  const { journal, run } = await playedRun(0, { agent, turns: [{ calls: [{ id: 'c', name: 'add', args: { a: said as never, b: 1 } }] }, { text: said }] })
  const door = await opened({ journal, agents: [agent], secrets: SECRETS })
  const answers: string[] = []
  for (const path of ['/api/overview', `/api/runs/${run}/stream`, '/api/aggregate?agent=loop', `/api/compare?left=${run}&right=${run}`]) answers.push((await ask(door.port, path, withToken(door))).text)
  await inspector({ journal, secrets: SECRETS, send: (frame) => void answers.push(JSON.stringify(frame)) }).follow(run, agent)
  const sent = answers.join('\n')
  expect([...SECRETS, FROM_ENVIRONMENT].filter((value) => forms(value).some((form) => sent.includes(form)))).toEqual([])
  expect(sent).toContain('The key is [secret]; the other is [secret].')
  const open = await opened({ journal, agents: [agent] })
  expect((await ask(open.port, `/api/runs/${run}/stream`, withToken(open))).text).toContain(SECRETS[3])
})
