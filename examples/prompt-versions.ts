// A prompt with versions: released, changed, compared, given to half of the users, and rolled back, while one runtime goes
// on. The commands are those that a team types; WORDING stands for two states of the code.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agent, createRuntime, definePrompt, lastUserText, promptLock, replyText, scripted } from 'stateloop'
import { z } from 'zod'

const vars = z.object({ input: z.string() })
const messages = process.env['WORDING'] === 'short' ? 'Explain {{input}} in one sentence.' : 'Explain {{input}} at length.'
const explainer = agent({ id: 'explainer', model: 'scripted/fast', prompt: definePrompt({ id: 'explain', vars, messages }) })
export default explainer

const main = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-'))
  const path = join(folder, 'prompts.lock.json')
  const places = ['--lock', path, '--db', join(folder, 'runs.db'), '--agent', import.meta.filename]
  const cli = fileURLToPath(import.meta.resolve('stateloop')).replace(/index\.(ts|js)$/, 'cli/main.$1')
  const prompts = (wording: 'long' | 'short', ...args: readonly string[]): void => {
    const said = execFileSync(process.execPath, [...process.execArgv, cli, 'prompts', ...args, ...places], { encoding: 'utf8', env: { ...process.env, WORDING: wording } })
    console.log(`$ stateloop prompts ${args.join(' ')}\n${said.split('\nexample')[0]?.trimEnd()}`)
  }
  prompts('long', 'release')
  // The model says how it was asked.
  const model = scripted({ rules: (request) => replyText(lastUserText(request)) })
  await using runtime = createRuntime({ providers: [model], prompts: promptLock({ path, watch: true }) })
  const ask = async (user: string): Promise<void> => {
    const outcome = await (await runtime.start(explainer, 'tides', { user })).outcome()
    console.log(`${user}: ${outcome.outcome === 'done' ? outcome.output : outcome.outcome}`)
  }
  prompts('short', 'diff', 'explain')
  prompts('short', 'rollout', 'explain', '--percent', '50', '--variant', 'brief')
  for (const user of ['cleo', 'dan']) await ask(user)
  prompts('short', 'release', 'explain')
  await ask('dan')
  prompts('short', 'rollback', 'explain')
  await ask('cleo')
  await rm(folder, { recursive: true })
}
if (process.argv[1] === import.meta.filename) await main()

// prints:
// $ stateloop prompts release
// explain: everybody has ae20e9119487
// $ stateloop prompts diff explain
// explain ae20e9119487 → explain@code efb9b23272cd
// ~ user
//     Explain {{input}} [-at-]{+in+} [-length-]{+one sentence+}.
// $ stateloop prompts rollout explain --percent 50 --variant brief
// explain: brief has 50 %, by user in experiment explain; all others have the active version
// cleo: Explain tides in one sentence.
// dan: Explain tides at length.
// $ stateloop prompts release explain
// explain: everybody has efb9b23272cd instead of ae20e9119487; its rollout ended
// dan: Explain tides in one sentence.
// $ stateloop prompts rollback explain
// explain: everybody has ae20e9119487 instead of efb9b23272cd
// cleo: Explain tides at length.
