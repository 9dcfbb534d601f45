// What the inspector costs: laying out a machine of two hundred states, reading a run of ten thousand steps, and scrubbing
// through it in a real browser. `node --conditions=stateloop-source bench/inspector.ts`.
import { chartOf } from '../src/inspector/chart/chart.ts'
import { layout } from '../src/inspector/chart/layout.ts'
import { RunFeed } from '../src/inspector/feed/run-feed.ts'
import { startInspector } from '../src/inspector/index.ts'
import { openPage, startBrowser } from '../test/inspector/browser.ts'
import { largeMachine } from '../test/inspector/machines.ts'
import { adder, listModel, loopAgent } from '../test/run/harness.ts'
import { createRuntime, memoryJournal } from '../src/index.ts'

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
const timed = async (act: () => Promise<unknown>): Promise<number> => {
  const before = performance.now()
  await act()
  return performance.now() - before
}
/** Milliseconds of this process's CPU, which other processes on the machine do not change much. */
const worked = async (act: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
const print = (what: string, value: string): void => void process.stdout.write(`${what.padEnd(58)} ${value}\n`)

const machine = largeMachine(200)
const chart = chartOf(machine)
print(`layout of ${chart.states.length} states and ${chart.edges.length} edges, first`, `${Math.round(await worked(() => layout(chart)))} ms CPU`)
const again: number[] = []
for (let round = 0; round < 5; round++) again.push(await worked(() => layout(chart)))
print('the same again, median of 5', `${Math.round(median(again))} ms CPU`)

const CALLS = 5_000
const journal = memoryJournal()
const agent = loopAgent({ add: adder() }, { limits: { transitions: 100_000, modelCalls: 100_000, toolCalls: 100_000, repeat: 100_000 } })
const turns = [...Array.from({ length: CALLS }, (_, index) => ({ calls: [{ id: `c${index}`, name: 'add', args: { a: index, b: 1 } }] })), { text: 'done' }]
const runtime = createRuntime({ journal, providers: [listModel(turns)] })
const run = await runtime.start(agent, 'x')
await run.outcome()
const row = await runtime.get(run.id)
if (row === undefined) throw new Error('the run is gone')
const feed = new RunFeed(journal, row, agent)
print(`reading a run of ${row.seq + 1} steps`, `${Math.round(await worked(() => feed.refresh()))} ms CPU`)
print('its steps on the wire', `${(JSON.stringify(feed.steps).length / 1e6).toFixed(1)} MB`)

const browser = await startBrowser()
await using inspector = await startInspector({ journal, agents: [agent] })
const { page, problems } = await openPage(browser, inspector)
const loading = await timed(async () => {
  await page.reload()
  await page.waitForSelector(`.run-view[data-position="${row.seq}"]`, { timeout: 60_000 })
})
print('opening it, from an empty page to its last step', `${Math.round(loading)} ms`)

/** Milliseconds of work for each jump of the slider, measured in the page: input, then everything drawn. */
const SCRUB = `new Promise((resolve) => {
  const range = document.querySelector('.scrubber input')
  const took = []
  let at = 0
  const next = () => {
    if (took.length === 120) return resolve(took)
    at = (at + 3797) % ${row.seq}
    const before = performance.now()
    range.value = String(at)
    range.dispatchEvent(new Event('input'))
    requestAnimationFrame(() => { document.body.getBoundingClientRect(); took.push(performance.now() - before); setTimeout(next) })
  }
  next()
})`
for (const tab of ['Context', 'Messages', 'Cost']) {
  await page.click(`.tabs button:has-text("${tab}")`)
  const took = (await page.evaluate(SCRUB)) as readonly number[]
  const sorted = took.toSorted((one, other) => one - other)
  print(`a jump of the slider with ${tab} open, p50 and p95 of ${took.length}`, `${median(took).toFixed(1)} ms, ${(sorted[Math.floor(took.length * 0.95)] ?? 0).toFixed(1)} ms`)
}
if (problems.length > 0) throw new Error(problems.join('\n'))
await browser.close()
await runtime.close()
