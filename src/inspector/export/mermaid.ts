// A machine as Mermaid's `stateDiagram-v2`, which GitHub renders in a README. Failure transitions that only lead to a final
// state are left out, as in the drawing. Invariant: no name of the machine can end a line or a quote.
import type { Chart, ChartEdge, ChartState } from '../chart/chart.ts'

/** Text that neither Mermaid nor the page around it reads as something else. */
const quote = (text: string): string => text.replaceAll(/[^\p{L}\p{N} .,|=*_()/!?+·…-]/gu, (character) => `#${character.codePointAt(0) ?? 32};`)

/** The states around a state, itself first. */
const around = (chart: Chart, path: string): readonly string[] => {
  const parent = chart.states.find(({ node }) => node.path === path)?.node.parent
  return [path, ...(parent === undefined ? [] : around(chart, parent))]
}

/** The innermost state that holds both ends of an edge. */
const holderOf = (chart: Chart, { source, target }: ChartEdge): string => {
  const outside = new Set(around(chart, target).slice(1))
  return (
    around(chart, source)
      .slice(1)
      .find((path) => outside.has(path)) ?? ''
  )
}

/** The chart as text. */
export const mermaidOf = (chart: Chart): string => {
  const ids = new Map(chart.states.map(({ node }, index) => [node.path, `s${index}`]))
  const id = (path: string): string => ids.get(path) ?? 's0'
  const holders = Map.groupBy(chart.edges, (edge) => holderOf(chart, edge))
  const inner = (state: ChartState, indent: string): readonly string[] => {
    const children = chart.states.filter(({ node }) => node.parent === state.node.path)
    return [
      ...children.flatMap((child, index) => [...(state.node.type === 'parallel' && index > 0 ? [`${indent}--`] : []), ...declare(child, indent)]),
      ...(state.node.initial === undefined ? [] : [`${indent}[*] --> ${id(state.node.initial)}`]),
      ...(holders.get(state.node.path) ?? []).map(({ source, target, text }) => `${indent}${id(source)} --> ${id(target)}${text === '' ? '' : ` : ${quote(text)}`}`),
      ...children.filter(({ node }) => node.type === 'final').map(({ node }) => `${indent}${id(node.path)} --> [*]`),
    ]
  }
  const declare = (state: ChartState, indent: string): readonly string[] => {
    const named = `${indent}state "${quote(state.name)}${state.detail === '' ? '' : ` (${quote(state.detail)})`}" as ${id(state.node.path)}`
    return state.node.children.length === 0 ? [named] : [named, `${indent}state ${id(state.node.path)} {`, ...inner(state, `${indent}  `), `${indent}}`]
  }
  const root = chart.states.find(({ node }) => node.parent === undefined)
  return ['stateDiagram-v2', ...(root === undefined ? [] : inner(root, '  '))].join('\n')
}
