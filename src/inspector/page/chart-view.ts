// A statechart on the page: drawn once, then only marked. Pans by dragging, zooms by wheel or keys, and shows what is
// active, what was just taken, what was found, and the heat of many runs.
import { fill, svgElement, svgRoot } from './dom.ts'
import type { DrawnState, Drawing } from './drawing.ts'
import { shapesOf } from './shapes.ts'

/** What to mark. */
export interface Marks {
  readonly active: readonly string[]
  /** Ids of the transitions that were just taken. */
  readonly taken: readonly string[]
  /** States that failed up to here and did not get over it. */
  readonly failed: ReadonlySet<string>
  /** True while the run is at work: active states glow. */
  readonly live: boolean
}

/** Heat of a state: 0 to 1, with a caption. */
export interface Heat {
  readonly part: number
  readonly caption: string
  readonly bad: boolean
}

interface View {
  x: number
  y: number
  scale: number
}

const SMALLEST = 0.08
const LARGEST = 4

/** A chart in an element. */
export class ChartView {
  readonly element: HTMLElement
  drawing: Drawing | undefined
  readonly #svg = svgRoot()
  readonly #world: SVGElement
  readonly #states = new Map<string, SVGElement>()
  readonly #edges: SVGElement[][] = []
  readonly #edgeOf = new Map<string, number>()
  readonly #marks = new Map<string, Element>()
  #view: View = { x: 0, y: 0, scale: 1 }
  #marked: Element[] = []
  #fitted = true

  /** @param onPick is told which state was clicked; undefined for none. */
  constructor(element: HTMLElement, onPick: (state: DrawnState | undefined) => void) {
    this.element = element
    this.#world = svgElement({ tag: 'g', attributes: { class: 'world' } })
    this.#svg.setAttribute('class', 'chart canvas')
    this.#svg.append(this.#world)
    element.append(this.#svg)
    this.#listen(onPick)
    new ResizeObserver(() => this.#fitted && this.fit()).observe(element)
  }

  /** Draws a machine. The same drawing again changes nothing. */
  draw(drawing: Drawing | undefined): void {
    if (drawing === this.drawing) return
    this.drawing = drawing
    this.#states.clear()
    this.#edges.length = 0
    this.#edgeOf.clear()
    this.#marks.clear()
    this.#marked = []
    fill(this.#world)
    if (drawing === undefined) return
    this.#world.append(...shapesOf(drawing).map(svgElement))
    for (const element of this.#world.querySelectorAll<SVGElement>('[data-state]')) this.#states.set(element.dataset['state'] ?? '', element)
    for (const element of this.#world.querySelectorAll<SVGElement>('[data-edge]')) (this.#edges[Number(element.dataset['edge'])] ??= []).push(element)
    for (const element of this.#world.querySelectorAll<SVGElement>('.mark')) for (const id of JSON.parse(element.dataset['edges'] ?? '[]') as readonly string[]) this.#marks.set(id, element)
    drawing.edges.forEach(({ ids }, index) => ids.forEach((id) => this.#edgeOf.set(id, index)))
    this.fit()
  }

  mark({ active, taken, failed, live }: Marks): void {
    for (const element of this.#marked) element.classList.remove('on', 'taken', 'live', 'hurt')
    const hurt = [...failed].flatMap((path) => this.#states.get(path) ?? [])
    for (const element of hurt) element.classList.add('hurt')
    const on = active.flatMap((path) => this.#states.get(path) ?? [])
    const lines = taken.flatMap((id) => this.#edges[this.#edgeOf.get(id) ?? -1] ?? [])
    const marks = taken.flatMap((id) => this.#marks.get(id) ?? [])
    for (const element of on) element.classList.add('on')
    if (live) for (const element of on) element.classList.add('live')
    for (const element of [...lines, ...marks]) element.classList.add('taken')
    this.#marked = [...on, ...lines, ...marks, ...hurt]
  }

  /** Marks one state as chosen, states as found. */
  point(chosen: string | undefined, found: readonly string[]): void {
    for (const [path, element] of this.#states) {
      element.classList.toggle('chosen', path === chosen)
      element.classList.toggle('found', found.includes(path))
    }
  }

  /** Colours states by heat and widens edges by how often they were taken; undefined takes both off. */
  heat(states: ReadonlyMap<string, Heat> | undefined, edges: { readonly [id: string]: number } = {}): void {
    for (const old of this.#world.querySelectorAll('.caption')) old.remove()
    for (const [path, element] of this.#states) {
      const heat = states?.get(path)
      const state = this.drawing?.states.find((one) => one.path === path)
      element.classList.toggle('hot', heat !== undefined)
      element.classList.toggle('cold', states !== undefined && heat === undefined && state?.group === false)
      element.classList.toggle('bad', heat?.bad === true)
      element.style.setProperty('--heat', `${Math.round((heat?.part ?? 0) * 62)}%`)
      if (heat !== undefined && state !== undefined)
        element.append(
          svgElement({
            tag: 'text',
            attributes: {
              class: 'caption',
              x: state.group ? state.x + state.width - 12 : state.x + state.width / 2,
              y: state.group ? state.y + 24 : state.y + state.height + 13,
              'text-anchor': state.group ? 'end' : 'middle',
            },
            text: heat.caption,
          }),
        )
    }
    const counts = this.drawing?.edges.map(({ ids }) => ids.reduce((sum, id) => sum + (edges[id] ?? 0), 0)) ?? []
    const most = Math.max(1, ...counts)
    counts.forEach((count, index) => {
      for (const element of this.#edges[index] ?? []) {
        element.classList.toggle('unused', states !== undefined && count === 0 && this.drawing?.edges[index]?.cause !== 'initial')
        element.style.setProperty('--width', String(states === undefined ? 1.5 : 1 + (4 * count) / most))
      }
    })
  }

  /** Shows the whole drawing. */
  fit(): void {
    const { drawing } = this
    if (drawing === undefined) return
    const { clientWidth, clientHeight } = this.element
    const scale = Math.min(1.35, (clientWidth - 32) / drawing.width, (clientHeight - 32) / drawing.height)
    this.#show({ scale: Math.max(SMALLEST, scale), x: (clientWidth - drawing.width * scale) / 2, y: Math.max(12, (clientHeight - drawing.height * scale) / 2) })
    this.#fitted = true
  }

  /** Zooms around a point of the element; the middle by default. */
  zoom(by: number, x = this.element.clientWidth / 2, y = this.element.clientHeight / 2): void {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.#view.scale * by))
    const ratio = scale / this.#view.scale
    this.#fitted = false
    this.#show({ scale, x: x - (x - this.#view.x) * ratio, y: y - (y - this.#view.y) * ratio })
  }

  /** Brings a state into the middle. */
  centre(path: string): void {
    const state = this.drawing?.states.find((one) => one.path === path)
    if (state === undefined) return
    const scale = Math.max(0.8, this.#view.scale)
    this.#fitted = false
    this.#show({ scale, x: this.element.clientWidth / 2 - (state.x + state.width / 2) * scale, y: this.element.clientHeight / 2 - (state.y + state.height / 2) * scale })
  }

  pan(dx: number, dy: number): void {
    this.#fitted = false
    this.#show({ ...this.#view, x: this.#view.x + dx, y: this.#view.y + dy })
  }

  #show(view: View): void {
    this.#view = view
    this.#world.setAttribute('transform', `translate(${view.x},${view.y}) scale(${view.scale})`)
  }

  #listen(onPick: (state: DrawnState | undefined) => void): void {
    let from: { readonly x: number; readonly y: number } | undefined
    let moved = 0
    this.element.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault()
        const { left, top } = this.element.getBoundingClientRect()
        if (event.ctrlKey || event.metaKey || !event.shiftKey) this.zoom(Math.exp(-event.deltaY / 500), event.clientX - left, event.clientY - top)
        else this.pan(-event.deltaX, -event.deltaY)
      },
      { passive: false },
    )
    this.element.addEventListener('pointerdown', ({ clientX: x, clientY: y }) => {
      from = { x, y }
      moved = 0
    })
    this.element.addEventListener('pointermove', ({ clientX: x, clientY: y, buttons, pointerId }) => {
      if (from === undefined || buttons !== 1) return
      moved += Math.abs(x - from.x) + Math.abs(y - from.y)
      if (moved > 4) this.element.setPointerCapture(pointerId)
      this.pan(x - from.x, y - from.y)
      from = { x, y }
    })
    this.element.addEventListener('pointerup', ({ target }) => {
      from = undefined
      if (moved > 4) return
      const path = target instanceof Element ? target.closest<SVGElement>('[data-state]')?.dataset['state'] : undefined
      onPick(path === undefined || path === '' ? undefined : this.drawing?.states.find((state) => state.path === path))
    })
  }
}
