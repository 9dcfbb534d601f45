// Gives everything in a chart its place, with ELK in this process, so that the page needs no layout engine. ELK is loaded
// with the first chart. Invariant: the same chart gives the same drawing.
import type { ELK as Engine, ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js'
import type { Box, Drawing, DrawnEdge, DrawnState, Point } from '../page/drawing.ts'
import type { Chart, ChartEdge, ChartState } from './chart.ts'

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.feedbackEdges': 'true',
  'elk.layered.spacing.nodeNodeBetweenLayers': '36',
  'elk.layered.spacing.edgeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '14',
  'elk.spacing.nodeNode': '40',
  'elk.spacing.edgeNode': '20',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.edgeLabels.inline': 'true',
} as const

const GROUP = { 'elk.padding': '[top=48,left=22,bottom=22,right=22]' } as const

/** For a final state that only marks lead to: without an edge it would stand at the top. */
const LAST = { 'elk.layered.layering.layerConstraint': 'LAST' } as const

/** Pixels of a character, on the wide side, since fonts differ. */
const NAME_WIDTH = 8
const DETAIL_WIDTH = 6.5
const LABEL_WIDTH = 6.4
const LABEL_HEIGHT = 18
const INITIAL = 10

const sizeOf = ({ name, detail, inside }: ChartState): { readonly width: number; readonly height: number } => ({
  width: Math.max(104, Math.ceil(Math.max(name.length * NAME_WIDTH, detail.length * DETAIL_WIDTH, ...inside.map((text) => text.length * DETAIL_WIDTH)) + 40)),
  height: (detail === '' ? 38 : 52) + inside.length * 15,
})

const idOf = (path: string): string => `state:${path}`
const initialOf = (path: string): string => `initial:${path}`

const nodeFor = (chart: Chart, state: ChartState): ElkNode => {
  const { node } = state
  const alone = node.type === 'final' && !chart.edges.some(({ target }) => target === node.path)
  if (node.children.length === 0) return { id: idOf(node.path), ...sizeOf(state), ...(alone ? { layoutOptions: LAST } : {}) }
  const inner = chart.states.filter((other) => other.node.parent === node.path).map((child) => nodeFor(chart, child))
  const dot = node.initial === undefined ? [] : [{ id: initialOf(node.path), width: INITIAL, height: INITIAL }]
  return { id: idOf(node.path), children: [...dot, ...inner], layoutOptions: GROUP }
}

const edgesFor = (chart: Chart): ElkExtendedEdge[] => [
  ...chart.states.flatMap(({ node }) => (node.initial === undefined ? [] : [{ id: initialOf(node.path), sources: [initialOf(node.path)], targets: [idOf(node.initial)] }])),
  ...chart.edges.map(({ source, target, text }, index) => ({
    id: `edge:${index}`,
    sources: [idOf(source)],
    targets: [idOf(target)],
    labels: text === '' ? [] : [{ text, width: Math.ceil(text.length * LABEL_WIDTH) + 14, height: LABEL_HEIGHT }],
  })),
]

let engine: Promise<Engine> | undefined

const loadEngine = async (): Promise<Engine> => {
  const { default: elk } = (await import('elkjs/lib/elk.bundled.js')) as unknown as { readonly default: new () => Engine }
  return new elk()
}

const boxOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box => ({ x, y, width, height })

const flatten = (node: ElkNode): readonly ElkNode[] => [node, ...(node.children ?? []).flatMap(flatten)]

const stateFor = (chart: Chart, { node, name, detail, caught, inside }: ChartState, box: Box): DrawnState => ({
  ...box,
  path: node.path,
  name,
  kind: node.kind,
  type: node.type,
  detail,
  group: node.children.length > 0,
  region: node.parent !== undefined && chart.states.find((other) => other.node.path === node.parent)?.node.type === 'parallel',
  ...(node.outcome === undefined ? {} : { outcome: node.outcome }),
  ...(caught === undefined ? {} : { caught }),
  ...(inside.length === 0 ? {} : { inside }),
  ...(node.description === undefined ? {} : { description: node.description }),
})

const linesOf = (edge: ElkExtendedEdge | undefined): readonly (readonly Point[])[] =>
  (edge?.sections ?? []).map(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint].map(({ x, y }) => ({ x, y })))

const edgeFor = ({ ids, source, target, cause, text }: ChartEdge, placed: ElkExtendedEdge | undefined): DrawnEdge => {
  const [label] = placed?.labels ?? []
  return { ids, source, target, cause, text, lines: linesOf(placed), ...(label === undefined ? {} : { label: boxOf(label as Partial<Box>) }) }
}

/** Lays a chart out. Takes a few hundred milliseconds the first time, while ELK loads. */
export const layout = async (chart: Chart): Promise<Drawing> => {
  engine ??= loadEngine()
  const root = chart.states.find(({ node }) => node.parent === undefined)
  if (root === undefined) return { id: chart.id, width: 0, height: 0, states: [], edges: [] }
  const input: ElkNode = { id: 'chart', layoutOptions: OPTIONS, children: [nodeFor(chart, root)], edges: edgesFor(chart) }
  const placed: ElkNode = await (await engine).layout(input)
  const nodes = flatten(placed)
  const boxes = new Map(nodes.map((node) => [node.id, boxOf(node as Partial<Box>)]))
  const edges = new Map(nodes.flatMap((node) => node.edges ?? []).map((edge) => [edge.id, edge]))
  const initial = chart.states.flatMap(({ node }): readonly DrawnEdge[] =>
    node.initial === undefined ? [] : [{ ids: [], source: node.path, target: node.initial, cause: 'initial', text: '', lines: linesOf(edges.get(initialOf(node.path))) }],
  )
  return {
    id: chart.id,
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    states: chart.states.map((state) => stateFor(chart, state, boxes.get(idOf(state.node.path)) ?? boxOf({}))),
    edges: [...initial, ...chart.edges.map((edge, index) => edgeFor(edge, edges.get(`edge:${index}`)))],
  }
}
