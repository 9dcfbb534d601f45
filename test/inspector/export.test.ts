import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AnyStateMachine } from 'xstate'
import support from '../../agents/support/agent.ts'
import { graphOf } from '../../src/agent/index.ts'
import { chartOf } from '../../src/inspector/chart/chart.ts'
import { layout } from '../../src/inspector/chart/layout.ts'
import { svgOf } from '../../src/inspector/chart/svg.ts'
import { mermaidOf } from '../../src/inspector/export/mermaid.ts'
import { statelyOf } from '../../src/inspector/export/stately.ts'
import { exportJson, exportSvg } from '../../src/inspector/index.ts'
import { loopAgent } from '../run/harness.ts'
import { hostileMachine, largeMachine, orchestra } from './machines.ts'

const machines: readonly (readonly [string, AnyStateMachine])[] = [
  ['the support agent', support.machine],
  ['nested and parallel states', orchestra()],
  ['plain XState with our sources', loopAgent({}).machine],
  ['two hundred states', largeMachine(200)],
]

/** What a transition is, apart from functions, which have no name outside of the machine. */
const shapeOf = (machine: AnyStateMachine) => {
  const { nodes, edges } = graphOf(machine)
  return {
    nodes: nodes.map(({ path, type, initial, children }) => ({ path, type, initial, children })),
    edges: edges.map(({ id, source, targets, event, label, params }) => ({ id, source, targets, event, label, params })),
  }
}

/** The machine that a printed module exports. */
const evaluate = async (source: string): Promise<AnyStateMachine> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-export-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'machine.mjs')
  await writeFile(file, source.replace("from 'xstate'", `from ${JSON.stringify(import.meta.resolve('xstate'))}`))
  return ((await import(/* @vite-ignore */ pathToFileURL(file).href)) as { readonly machine: AnyStateMachine }).machine
}

describe.each(machines)('%s', (_name, machine) => {
  it('comes back from its literal createMachine() with every state and transition', async () => {
    const source = statelyOf(machine)
    expect(source).not.toMatch(/=>|function/)
    expect(shapeOf(await evaluate(source))).toEqual(shapeOf(machine))
  })

  it('is drawn with every state once, and every transition in one line, mark or list', async () => {
    const graph = graphOf(machine)
    const drawing = await layout(chartOf(machine))
    expect(drawing.states.map(({ path }) => path)).toEqual(graph.nodes.map(({ path }) => path))
    const drawn = [...drawing.edges.flatMap(({ ids }) => ids), ...drawing.states.flatMap(({ caught }) => caught?.edges ?? [])]
    const leaving = graph.edges.flatMap(({ id, targets }) => targets.map(() => id))
    expect(drawn.toSorted()).toEqual(leaving.toSorted())
    expect(drawing.edges.filter(({ lines }) => lines.length === 0)).toEqual([])
  })

  it('has no two states on top of each other, and every state inside the one around it', async () => {
    const { states } = await layout(chartOf(machine))
    const parentOf = new Map(graphOf(machine).nodes.map(({ path, parent }) => [path, parent]))
    for (const one of states) {
      const outer = states.find(({ path }) => path === parentOf.get(one.path))
      if (outer !== undefined) expect([one.x >= outer.x, one.y >= outer.y, one.x + one.width <= outer.x + outer.width, one.y + one.height <= outer.y + outer.height]).toEqual([true, true, true, true])
      const siblings = states.filter((other) => other !== one && parentOf.get(other.path) === parentOf.get(one.path))
      expect(siblings.filter((other) => one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height)).toEqual([])
    }
  })

  it('has every state and edge in its Mermaid text', () => {
    const chart = chartOf(machine)
    const lines = mermaidOf(chart).split('\n')
    expect(lines.filter((line) => / as s\d+$/.test(line))).toHaveLength(chart.states.length - 1)
    expect(lines.filter((line) => /^\s*s\d+ --> s\d+/.test(line))).toHaveLength(chart.edges.length)
  })
})

it('merges transitions between the same two states, failures apart from success', () => {
  const { edges, states } = chartOf(support.machine)
  const from = (source: string) => edges.filter((edge) => edge.source === source).map(({ target, cause, text }) => `${cause} ${target}: ${text}`)
  expect(from('triaging')).toEqual(['done searching: intent = howto | ticket', 'done refused: intent = abuse', 'failure refused: refused, content_filtered', 'failure searching: *'])
  expect(states.find(({ node }) => node.path === 'approving')?.caught).toMatchObject({ target: 'failed', codes: 'expired, *' })
})

it('tells kinds of state apart by colour and by shape', async () => {
  const svg = await exportSvg(support)
  const outlines = Object.fromEntries(
    [...svg.matchAll(/family-(\w+)(?: [^"]*)?" data-state="([^"]+)">(?:<title>[^<]*<\/title>)?<path d="([^"]+)" class="outline"/g)].map(([, family, state, path]) => [
      state,
      `${family} ${path?.replaceAll(/[\d.,-]+/g, '')}`,
    ]),
  )
  expect(new Set(['triaging', 'searching', 'approving', 'acting', 'sent'].map((state) => outlines[state])).size).toBe(5)
})

it.each(['</title><script>alert(1)</script>', '"\'><img src=x onerror=alert(1)>', ']]>\u0000\u0001\uFFFF', 'a\nb --> [*]', '-->', '"] %% {'])('a state named %j stays text', async (name) => {
  const machine = hostileMachine(name)
  const svg = svgOf(await layout(chartOf(machine)))
  expect(svg).not.toMatch(/<script|<img|[\u0000-\u0008\uFFFF]/)
  expect(svg.match(/<(?!\/?(svg|style|g|path|rect|circle|text|title)\b)/g)).toBeNull()
  expect(
    mermaidOf(chartOf(machine))
      .split('\n')
      .filter((line) => !/^(stateDiagram-v2| {2}state "[^"\n]*" as s\d+| {2}(s\d+|\[\*\]) --> (s\d+|\[\*\])( : [^"\n<>]*)?)$/.test(line)),
  ).toEqual([])
  expect(shapeOf(await evaluate(statelyOf(machine)))).toEqual(shapeOf(machine))
})

it('gives the graph as JSON', () => {
  expect(JSON.parse(exportJson(support))).toMatchObject({ agent: 'support', version: '1.0.0', hash: support.hash, nodes: { length: 14 }, edges: { length: 25 } })
})

it('is the picture in the README of the support agent', async () => {
  expect(readFileSync(new URL('../../agents/support/statechart.svg', import.meta.url), 'utf8').replaceAll('\r\n', '\n')).toBe(await exportSvg(support))
})
