// What a drawing looks like, as plain SVG elements: the page makes nodes of them, `--svg` makes text of them.
// Invariant: names and texts of the machine only ever become text or the value of an attribute.
import type { Box, DrawnEdge, DrawnState, Drawing, Point } from './drawing.ts'

/** An SVG element. */
export interface Shape {
  readonly tag: 'g' | 'path' | 'rect' | 'circle' | 'text' | 'title'
  readonly attributes: { readonly [name: string]: string | number }
  readonly text?: string
  readonly children?: readonly Shape[]
}

const round = (value: number): number => Math.round(value * 10) / 10

const polygon = (points: readonly (readonly [number, number])[]): string => `M${points.map(([x, y]) => `${round(x)},${round(y)}`).join('L')}Z`

const rounded = ({ x, y, width: w, height: h }: Box, radius: number): string => {
  const r = Math.min(radius, w / 2, h / 2)
  return `M${x + r},${y}h${w - 2 * r}a${r},${r} 0 0 1 ${r},${r}v${h - 2 * r}a${r},${r} 0 0 1 ${-r},${r}h${-(w - 2 * r)}a${r},${r} 0 0 1 ${-r},${-r}v${-(h - 2 * r)}a${r},${r} 0 0 1 ${r},${-r}Z`
}

/** Corners cut off: tools. */
const cut = ({ x, y, width: w, height: h }: Box, by: number): string =>
  polygon([
    [x + by, y],
    [x + w - by, y],
    [x + w, y + by],
    [x + w, y + h - by],
    [x + w - by, y + h],
    [x + by, y + h],
    [x, y + h - by],
    [x, y + by],
  ])

/** Pointed sides: choices. */
const pointed = ({ x, y, width: w, height: h }: Box, by: number): string =>
  polygon([
    [x + by, y],
    [x + w - by, y],
    [x + w, y + h / 2],
    [x + w - by, y + h],
    [x + by, y + h],
    [x, y + h / 2],
  ])

/** A drum: what is looked up. */
const drum = ({ x, y, width: w, height: h }: Box): string => `M${x},${y + 5}a${w / 2},5 0 0 1 ${w},0v${h - 10}a${w / 2},5 0 0 1 ${-w},0Z`

/** A page with a folded corner: code. */
const folded = ({ x, y, width: w, height: h }: Box): string => `M${x},${y}h${w - 12}l12,12v${h - 12}h${-w}Z`

/** Slanted sides: people. */
const slanted = ({ x, y, width: w, height: h }: Box, by: number): string =>
  polygon([
    [x + by, y],
    [x + w, y],
    [x + w - by, y + h],
    [x, y + h],
  ])

const outline = (state: DrawnState): string => {
  if (state.type === 'final') return rounded(state, state.height / 2)
  if (state.group) return rounded(state, 12)
  switch (state.kind) {
    case 'tools':
    case 'tool':
      return cut(state, 10)
    case 'choose':
    case 'decide':
      return pointed(state, 14)
    case 'retrieve':
    case 'rerank':
      return drum(state)
    case 'approve':
    case 'human':
      return slanted(state, 12)
    case 'code':
      return folded(state)
    case 'wait':
      return rounded(state, state.height / 2)
    default:
      return rounded(state, 9)
  }
}

/** Colour families of kinds; anything else is `plain`. */
const FAMILY: { readonly [kind: string]: string } = {
  model: 'model',
  decide: 'model',
  tools: 'tool',
  tool: 'tool',
  retrieve: 'lookup',
  rerank: 'lookup',
  approve: 'person',
  human: 'person',
  fallback: 'fallback',
  value: 'fallback',
  wait: 'fallback',
  agent: 'child',
  each: 'child',
  code: 'code',
}

/** The colour family of a kind of state. */
export const familyOf = (kind: string): string => (Object.hasOwn(FAMILY, kind) ? (FAMILY[kind] ?? 'plain') : 'plain')

const text = (content: string, x: number, y: number, name: string, anchor = 'middle'): Shape => ({ tag: 'text', attributes: { x: round(x), y: round(y), class: name, 'text-anchor': anchor }, text: content })

const labels = (state: DrawnState): readonly Shape[] => {
  const { x, y, width, group, name, detail, inside = [] } = state
  if (group)
    return [text(name, x + 16, y + 24, 'name', 'start'), ...(state.type === 'parallel' ? [text('parallel', x + 16, y + 39, 'detail', 'start')] : detail === '' ? [] : [text(detail, x + 16, y + 39, 'detail', 'start')])]
  const middle = x + width / 2
  return [
    text(name, middle, y + (detail === '' ? 24 : 23), 'name'),
    ...(detail === '' ? [] : [text(detail, middle, y + 40, 'detail')]),
    ...inside.map((event, index) => text(`⟲ ${event}`, middle, y + (detail === '' ? 40 : 56) + index * 15, 'detail')),
  ]
}

const tip = (content: string): readonly Shape[] => (content === '' ? [] : [{ tag: 'title', attributes: {}, text: content }])

const mark = ({ x, width, y, caught }: DrawnState): readonly Shape[] =>
  caught === undefined
    ? []
    : [
        {
          tag: 'g',
          attributes: { class: 'mark', 'data-edges': JSON.stringify(caught.edges) },
          children: [
            ...tip(`${caught.codes} → ${caught.target}`),
            { tag: 'circle', attributes: { cx: round(x + width - 3), cy: round(y + 3), r: 8 } },
            { tag: 'path', attributes: { d: `M${round(x + width - 6)},${round(y)}l6,6m0,-6l-6,6` } },
          ],
        },
      ]

/** A state with everything that belongs to it. */
const stateShape = (state: DrawnState): Shape => {
  const extra =
    state.type === 'final' && !state.group
      ? [{ tag: 'path' as const, attributes: { d: rounded({ x: state.x + 3, y: state.y + 3, width: state.width - 6, height: state.height - 6 }, state.height / 2), class: 'inner' } }]
      : []
  const stacked = state.kind === 'each' || state.kind === 'agent' ? [{ tag: 'path' as const, attributes: { d: rounded({ ...state, x: state.x + 4, y: state.y + 4 }, 9), class: 'shadow' } }] : []
  const ends = state.type === 'final' ? ` final ends-${state.outcome ?? 'done'}` : ''
  return {
    tag: 'g',
    attributes: { class: `state ${state.group ? 'group' : 'leaf'} family-${state.path === '' ? 'plain' : familyOf(state.kind)}${state.region ? ' region' : ''}${ends}`, 'data-state': state.path },
    children: [...tip(state.description ?? ''), ...(state.group ? [] : stacked), { tag: 'path', attributes: { d: outline(state), class: 'outline' } }, ...extra, ...labels(state), ...mark(state)],
  }
}

/** Radius of an edge's corners, pixels. */
const CORNER = 8

/** A line with round corners. */
const pathOf = (points: readonly Point[]): string => {
  const [first] = points
  if (first === undefined) return ''
  let path = `M${round(first.x)},${round(first.y)}`
  for (let at = 1; at < points.length; at++) {
    const [before, here, next] = [points[at - 1] ?? first, points[at] ?? first, points[at + 1]]
    if (next === undefined) return `${path}L${round(here.x)},${round(here.y)}`
    const [enter, leave] = [Math.hypot(before.x - here.x, before.y - here.y), Math.hypot(next.x - here.x, next.y - here.y)]
    const radius = Math.min(CORNER, enter / 2, leave / 2)
    const towards = (to: Point, distance: number): string => `${round(here.x + ((to.x - here.x) / (distance || 1)) * radius)},${round(here.y + ((to.y - here.y) / (distance || 1)) * radius)}`
    path += `L${towards(before, enter)}Q${round(here.x)},${round(here.y)} ${towards(next, leave)}`
  }
  return path
}

const arrow = (points: readonly Point[]): string => {
  const end = points.at(-1)
  const before = points.at(-2)
  if (end === undefined || before === undefined) return ''
  const length = Math.hypot(end.x - before.x, end.y - before.y) || 1
  const [ux, uy] = [(end.x - before.x) / length, (end.y - before.y) / length]
  return polygon([
    [end.x, end.y],
    [end.x - ux * 8 - uy * 4, end.y - uy * 8 + ux * 4],
    [end.x - ux * 8 + uy * 4, end.y - uy * 8 - ux * 4],
  ])
}

const edgeShape = (edge: DrawnEdge, index: number): Shape => ({
  tag: 'g',
  attributes: { class: `edge cause-${edge.cause}`, 'data-edge': index },
  children: [
    ...tip(edge.text),
    ...edge.lines.flatMap((line, at): readonly Shape[] => {
      const [start] = line
      const dot: readonly Shape[] = edge.cause === 'initial' && start !== undefined ? [{ tag: 'circle', attributes: { cx: start.x, cy: start.y - 5, r: 5, class: 'dot' } }] : []
      const head: readonly Shape[] = at === edge.lines.length - 1 ? [{ tag: 'path', attributes: { d: arrow(line), class: 'head' } }] : []
      return [...dot, { tag: 'path', attributes: { d: pathOf(line), class: 'line' } }, ...head]
    }),
  ],
})

const labelShape = (edge: DrawnEdge, index: number): readonly Shape[] => {
  const { label } = edge
  if (label === undefined) return []
  return [
    {
      tag: 'g',
      attributes: { class: `label cause-${edge.cause}`, 'data-edge': index },
      children: [
        { tag: 'rect', attributes: { x: round(label.x), y: round(label.y), width: round(label.width), height: round(label.height), rx: 5 } },
        text(edge.text, label.x + label.width / 2, label.y + label.height - 5.5, 'event'),
      ],
    },
  ]
}

/** A drawing as shapes: groups lie under edges, edges under the states they lead to. */
export const shapesOf = (drawing: Drawing): readonly Shape[] => [
  ...drawing.states.filter((state) => state.group).map(stateShape),
  ...drawing.edges.map(edgeShape),
  ...drawing.states.filter((state) => !state.group).map(stateShape),
  ...drawing.edges.flatMap(labelShape),
]
