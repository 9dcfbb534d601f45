// The event log: one row a step, of which only those in sight exist, so that ten thousand cost no more than fifty.
import { el, fill } from './dom.ts'
import { showTime } from './format.ts'
import type { RunModel } from './run-model.ts'
import type { Happening, Step } from './wire.ts'

/** Height of a row, pixels; the style sheet agrees. */
const ROW = 40
const MARGIN = 6

const leaves = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const inside = leaves(inner)
    return inside.length === 0 ? [name] : inside.map((path) => `${name}.${path}`)
  })
}

/** A machine event as people say it. */
const eventName = (event: string): string => {
  if (event === 'xstate.init') return 'start'
  const [, what, rest = ''] = /^xstate\.(done\.actor|done\.state|error\.actor|after)\.(.*)$/.exec(event) ?? []
  switch (what) {
    case 'done.actor':
      return 'done'
    case 'done.state':
      return 'complete'
    case 'error.actor':
      return 'failure'
    case 'after':
      return `after ${rest.split('.')[0] ?? ''}`
    default:
      return event
  }
}

const transitionText = ({ from, to, event, failed }: Happening): string => {
  const why = failed === undefined ? eventName(String(event)) : String(failed)
  const [before, after] = [leaves(from), leaves(to)]
  const left = before.filter((state) => !after.includes(state))
  const entered = after.filter((state) => !before.includes(state))
  return `${left.length === 0 ? '' : `${left.join(' + ')} `}→ ${(entered.length === 0 ? after : entered).join(' + ')} · ${why}`
}

/** What a step did, in a line. */
export const stepText = ({ happenings, cause, changes }: Step): string => {
  const moves = happenings.filter(({ type }) => type === 'transition.taken')
  const prefix = (actor: string): string => (actor === '' ? '' : `${changes.find(({ path }) => path === actor)?.name ?? actor}: `)
  if (moves.length > 0) return moves.map((move) => `${prefix(move.actor)}${transitionText(move)}`).join('; ')
  const attempt = happenings.find(({ type }) => type === 'attempt.ended')
  if (attempt !== undefined) return `${String(attempt['name'])} ${attempt['failure'] === undefined ? 'answered' : 'failed'}${attempt['retryInMs'] === undefined ? '' : ', tried again'}`
  const begun = happenings.find(({ type }) => type === 'effect.started')
  return begun === undefined ? cause : `${String(begun['name'])} asked, attempt ${String(begun['attempt'])}`
}

const isBad = ({ happenings }: Step): boolean => happenings.some((one) => one['failed'] !== undefined || one['failure'] !== undefined)

/** The log of a run. */
export class LogPanel {
  readonly element = el('div', { class: 'log', role: 'listbox', label: 'event log' })
  readonly #space = el('div', { class: 'space' })
  readonly #rows = el('div', { class: 'rows' })
  readonly #pick: (position: number) => void
  #model: RunModel | undefined
  #shown: readonly number[] = []
  #filter = ''
  #counted = 0
  #position = -1

  constructor(pick: (position: number) => void) {
    this.#pick = pick
    this.element.append(this.#space, this.#rows)
    this.element.addEventListener('scroll', () => this.#draw())
    new ResizeObserver(() => this.#draw()).observe(this.element)
  }

  show(model: RunModel, position: number, filter: string): void {
    if (model !== this.#model || filter !== this.#filter || model.length !== this.#counted) {
      this.#model = model
      this.#filter = filter
      this.#counted = model.length
      const all = model.steps.map((_, index) => index)
      this.#shown = filter === '' ? all : all.filter((index) => this.#matches(model.steps[index], filter))
      this.#space.style.height = `${this.#shown.length * ROW}px`
    }
    if (position !== this.#position) this.#reveal(position)
    this.#position = position
    this.#draw()
  }

  #matches(step: Step | undefined, filter: string): boolean {
    return step !== undefined && `${stepText(step)} ${step.cause} ${step.happenings.map((one) => String(one['name'] ?? '')).join(' ')}`.toLowerCase().includes(filter)
  }

  #reveal(position: number): void {
    const row = this.#shown.indexOf(position)
    if (row < 0) return
    const { scrollTop, clientHeight } = this.element
    if (row * ROW < scrollTop) this.element.scrollTop = row * ROW
    else if ((row + 1) * ROW > scrollTop + clientHeight) this.element.scrollTop = (row + 1) * ROW - clientHeight
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.element
    const from = Math.max(0, Math.floor(scrollTop / ROW) - MARGIN)
    const to = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / ROW) + MARGIN)
    this.#rows.style.transform = `translateY(${from * ROW}px)`
    fill(this.#rows, ...this.#shown.slice(from, to).map((index) => this.#row(index)))
  }

  #row(index: number): HTMLElement | undefined {
    const step = this.#model?.steps[index]
    if (step === undefined) return undefined
    const chosen = index === this.#position
    return el(
      'div',
      {
        class: `row${chosen ? ' chosen' : ''}${index > this.#position ? ' later' : ''}${isBad(step) ? ' bad' : ''}`,
        role: 'option',
        title: stepText(step),
        data: { step: String(index) },
        on: { click: () => this.#pick(index) },
      },
      el('span', { class: 'number' }, String(step.seq)),
      el('span', { class: 'words' }, el('b', {}, stepText(step)), el('small', {}, `${showTime(step.at)} · ${step.cause}`)),
    )
  }
}
