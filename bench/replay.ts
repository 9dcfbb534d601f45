// How fast recorded runs replay, and how large they are: `npm run bench:replay`. The 200 recorded conversations of the
// tau-bench airline domain are imported once, then replayed at level `recorded`, which is what tests and gates do.
import { gzipSync } from 'node:zlib'
import { airlineAgent } from '../agents/airline/agent.ts'
import type { Agent } from '../src/agent/index.ts'
import { formatRecording, parseRecording, replay } from '../src/replay/index.ts'
import { importAll, tauPolicy, tauRuns, withoutTau } from '../test/agents/tau-bench.ts'

const ROUNDS = 5

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

if (withoutTau !== undefined) {
  console.log(withoutTau)
  process.exit(0)
}
const runs = tauRuns()
const agent = airlineAgent({ policy: tauPolicy(runs) }) as Agent
const imported = await importAll(agent, runs)
const shared = new Map<string, string>()
const texts = imported.map(({ recording }) => formatRecording(recording, (hash, line) => void shared.set(hash, line)))
const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) + [...shared.values()].reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
const zipped = gzipSync(texts.join('') + [...shared.values()].join('\n')).length

const times: number[] = []
let steps = 0
for (let round = 0; round < ROUNDS; round++) {
  const before = cpuMs()
  steps = 0
  for (const text of texts) {
    const report = await replay(
      agent,
      parseRecording(text, 'bench', (hash) => shared.get(hash)),
    )
    if (report.status !== 'same') throw new Error(`A run does not replay: ${report.status}`)
    steps += report.steps
  }
  times.push(cpuMs() - before)
}
const best = Math.min(...times)
console.log(`${imported.length} runs, ${steps} steps, parsed and replayed in ${(best / 1000).toFixed(2)} s of CPU (best of ${ROUNDS}; first ${((times[0] ?? 0) / 1000).toFixed(2)} s)`)
console.log(`${Math.round(imported.length / (best / 1000))} runs/s, ${Math.round(steps / (best / 1000))} steps/s`)
console.log(`${(bytes / imported.length / 1024).toFixed(1)} KiB (${Math.round(bytes / imported.length)} bytes) a run with what they share, ${(zipped / imported.length / 1024).toFixed(1)} KiB compressed`)
