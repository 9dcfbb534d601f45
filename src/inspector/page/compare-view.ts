// Two runs side by side, step by step, with the first difference marked. Choosing a line shows that step in both.
import type { Api } from './api.ts'
import { el, fill } from './dom.ts'
import { showMs, showUsd } from './format.ts'
import { RunView } from './run-view.ts'
import type { Comparison, Pair, RunSummary } from './wire.ts'

/** Lines shown around what is looked at. */
const MOST = 400

const heading = (run: RunSummary): HTMLElement =>
  el(
    'div',
    { class: 'compared' },
    el('b', {}, run.id.slice(-12)),
    el('span', { class: `status ${run.status}` }, run.status),
    el('small', {}, `${run.steps} steps · ${showMs(run.updatedAt - run.startedAt)} · ${showUsd(run.costUsd)}`),
  )

/** Two runs on the page. */
export class CompareView {
  readonly element = el('div', { class: 'compare-view' })
  readonly #views: readonly [RunView, RunView]
  readonly #list = el('div', { class: 'pairs', role: 'listbox', label: 'steps of both runs' })
  readonly #data: Comparison
  #chosen: number

  constructor(api: Api, data: Comparison) {
    this.#data = data
    this.#chosen = Math.max(0, data.first)
    this.#views = [new RunView(api, data.left.id, () => false, true), new RunView(api, data.right.id, () => false, true)]
    this.element.append(
      el(
        'div',
        { class: 'verdict', title: data.says },
        data.first < 0 ? el('b', { class: 'same' }, 'No difference') : el('button', { class: 'primary', title: 'n', on: { click: () => this.#choose(data.first) } }, 'First difference'),
        data.parts < 0 || data.parts === data.first ? undefined : el('button', { title: 'p', on: { click: () => this.#choose(data.parts) } }, 'Where the ways part'),
        el('span', {}, data.says),
      ),
      el('div', { class: 'halves' }, ...[data.left, data.right].map((run, index) => el('div', { class: 'half' }, heading(run), this.#views[index]?.element))),
      this.#list,
    )
    this.#draw()
    // The views have their steps a moment later.
    const wait = setInterval(() => {
      if (this.#views.some(({ model, element }) => model.length === 0 && element.isConnected)) return
      clearInterval(wait)
      this.#choose(this.#chosen)
    }, 50)
  }

  key(event: KeyboardEvent): boolean {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
    if (by !== undefined) this.#choose(this.#chosen + by)
    else if (event.key === 'n') this.#choose(this.#data.first)
    else if (event.key === 'p') this.#choose(this.#data.parts)
    else return false
    return true
  }

  close(): void {
    for (const view of this.#views) view.close()
  }

  #choose(index: number): void {
    const { pairs } = this.#data
    this.#chosen = Math.max(0, Math.min(pairs.length - 1, index))
    const before = pairs.slice(0, this.#chosen + 1)
    this.#views[0].go(before.findLast(({ left }) => left !== undefined)?.left ?? 0)
    this.#views[1].go(before.findLast(({ right }) => right !== undefined)?.right ?? 0)
    this.#draw()
  }

  #draw(): void {
    const from = Math.max(0, this.#chosen - MOST / 2)
    fill(this.#list, ...this.#data.pairs.slice(from, from + MOST).map((pair, offset) => this.#row(pair, from + offset)))
    this.#list.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' })
  }

  #row({ left, right, differs, text }: Pair, index: number): HTMLElement {
    const side = left === undefined ? 'only-right' : right === undefined ? 'only-left' : differs.length > 0 ? 'differs' : 'same'
    return el(
      'div',
      { class: `pair ${side}${index === this.#chosen ? ' chosen' : ''}${index === this.#data.first ? ' first' : ''}`, role: 'option', on: { click: () => this.#choose(index) } },
      el('span', { class: 'number' }, left === undefined ? '' : String(left)),
      el('span', { class: 'number' }, right === undefined ? '' : String(right)),
      el('span', { class: 'words' }, text),
      el('span', { class: 'differs-in' }, side === 'only-left' ? 'left only' : side === 'only-right' ? 'right only' : differs.join(', ')),
    )
  }
}
