// The timeline: one lane for each machine and each parallel region, drawn on a canvas so that long runs stay quick.
// Invariant: it shows stays by their time, and a click anywhere chooses the step that was current then.
import { el } from './dom.ts'
import { showMs } from './format.ts'
import type { RunModel, Stay } from './run-model.ts'
import { familyOf } from './shapes.ts'

const LANE = 26
const TOP = 6
const NAMES = 130
const MOST_LANES = 24

/** A lane in a few characters: the region, or the state that a child runs in. */
const laneName = (lane: string, agent: string): string => {
  const [actor = '', region] = lane.split(' ')
  if (region !== undefined) return region
  return actor === '' ? agent : (actor.split(/[/.]/).at(-1) ?? actor)
}

/** A timeline in an element. */
export class Timeline {
  readonly element = el('div', { class: 'timeline', role: 'img', label: 'timeline' })
  readonly #canvas = el('canvas', {})
  /** Where the step that is looked at lies; it moves without drawing the lanes again. */
  readonly #cursor = el('i', { class: 'cursor' })
  #drawn = -1
  #model: RunModel | undefined
  #position = -1
  #lanes: readonly string[] = []
  #from = 0
  #to = 1

  /** @param pick is told which step a click means. */
  constructor(pick: (position: number) => void) {
    this.element.append(this.#canvas, this.#cursor)
    const choose = (event: PointerEvent): void => {
      const at = this.#timeAt(event.offsetX)
      if (this.#model !== undefined && event.offsetX > NAMES) pick(this.#stepAt(at))
    }
    this.#canvas.addEventListener('pointerdown', (event) => {
      this.#canvas.setPointerCapture(event.pointerId)
      choose(event)
    })
    this.#canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) choose(event)
      this.#canvas.title = this.#tip(event.offsetX, event.offsetY)
    })
    new ResizeObserver(() => this.#draw()).observe(this.element)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw())
  }

  show(model: RunModel, position: number): void {
    const news = model !== this.#model || model.length !== this.#drawn
    this.#model = model
    this.#position = position
    if (news) this.#draw()
    else this.#point()
  }

  #point(): void {
    const now = this.#model?.steps[this.#position]?.at
    this.#cursor.hidden = now === undefined
    if (now !== undefined) this.#cursor.style.transform = `translateX(${this.#x(now) - 1}px)`
  }

  /** Names of the lanes, in order. */
  get lanes(): readonly string[] {
    return this.#lanes
  }

  #timeAt(x: number): number {
    return this.#from + ((x - NAMES) / Math.max(1, this.element.clientWidth - NAMES - 8)) * (this.#to - this.#from)
  }

  #x(at: number): number {
    return NAMES + ((at - this.#from) / (this.#to - this.#from)) * (this.element.clientWidth - NAMES - 8)
  }

  #stepAt(time: number): number {
    const steps = this.#model?.steps ?? []
    let [low, high] = [0, steps.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((steps[middle]?.at ?? 0) <= time) low = middle
      else high = middle - 1
    }
    return low
  }

  #stayAt(x: number, y: number): Stay | undefined {
    const lane = this.#lanes[Math.floor((y - TOP) / LANE)]
    const time = this.#timeAt(x)
    return this.#model?.stays.findLast((stay) => stay.lane === lane && stay.from <= time && (stay.to ?? this.#to) >= time)
  }

  #tip(x: number, y: number): string {
    const stay = this.#stayAt(x, y)
    return stay === undefined ? '' : `${stay.state} · ${showMs((stay.to ?? this.#to) - stay.from)}${stay.failed ? ' · failed' : stay.retried ? ' · tried again' : ''}`
  }

  #draw(): void {
    const model = this.#model
    const pen = this.#canvas.getContext('2d')
    if (model === undefined || pen === null) return
    const style = getComputedStyle(this.element)
    const colour = (name: string): string => style.getPropertyValue(`--${name}`)
    this.#lanes = [...new Set(model.stays.map(({ lane }) => lane))].slice(0, MOST_LANES)
    this.#from = model.steps[0]?.at ?? 0
    this.#to = Math.max(this.#from + 1, model.steps.at(-1)?.at ?? 0, ...model.stays.slice(-50).map(({ to }) => to ?? 0))
    const width = this.element.clientWidth
    const height = TOP * 2 + Math.max(1, this.#lanes.length) * LANE
    const ratio = devicePixelRatio || 1
    this.#canvas.width = width * ratio
    this.#canvas.height = height * ratio
    this.#canvas.style.width = `${width}px`
    this.#canvas.style.height = `${height}px`
    pen.scale(ratio, ratio)
    pen.font = '11px ui-sans-serif, system-ui, sans-serif'
    pen.textBaseline = 'middle'
    this.#lanes.forEach((lane, index) => {
      pen.fillStyle = colour('soft')
      pen.fillText(laneName(lane, model.run?.agent ?? 'run'), 8, TOP + index * LANE + LANE / 2, NAMES - 16)
      pen.fillStyle = colour('track')
      pen.fillRect(NAMES, TOP + index * LANE + LANE - 1, width - NAMES, 1)
    })
    const kinds = new Map(model.drawings.flatMap(({ states }) => states.filter((state) => !state.group).map((state) => [state.path, state.kind] as const)))
    const drawn = new Map<string, number>()
    for (const stay of model.stays) this.#stay(pen, stay, kinds, colour, drawn)
    this.#cursor.style.height = `${height}px`
    this.#drawn = model.length
    this.#point()
  }

  /** Draws a stay unless it would fall on the same pixel as the one before it. */
  #stay(pen: CanvasRenderingContext2D, stay: Stay, kinds: ReadonlyMap<string, string>, colour: (name: string) => string, drawn: Map<string, number>): void {
    const lane = this.#lanes.indexOf(stay.lane)
    const kind = kinds.get(stay.state)
    if (lane < 0 || (kind === undefined && kinds.size > 0)) return
    const x = this.#x(stay.from)
    const end = this.#x(stay.to ?? this.#to)
    if (!stay.failed && end < (drawn.get(stay.lane) ?? -1) + 0.5) return
    drawn.set(stay.lane, end)
    const wide = Math.max(2, end - x - 1)
    pen.globalAlpha = 0.85
    pen.fillStyle = stay.failed ? colour('failed') : colour(familyOf(kind ?? stay.kind))
    pen.fillRect(x, TOP + lane * LANE + 3, wide, LANE - 8)
    // A stay that got over its failures is only underlined.
    if (stay.retried && !stay.failed) {
      pen.fillStyle = colour('failed')
      pen.fillRect(x, TOP + lane * LANE + LANE - 8, wide, 3)
    }
    pen.globalAlpha = 1
    if (wide > 40) {
      pen.fillStyle = colour('paper')
      pen.save()
      pen.beginPath()
      pen.rect(x, TOP + lane * LANE, wide - 4, LANE)
      pen.clip()
      pen.fillText(stay.state.slice(stay.state.lastIndexOf('.') + 1), x + 6, TOP + lane * LANE + LANE / 2 - 1)
      pen.restore()
    }
  }
}
