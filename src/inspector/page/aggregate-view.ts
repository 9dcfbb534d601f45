// Many runs of an agent on one chart: states by heat, edges by how often they were taken, and a table of the figures.
import { ChartView, type Heat } from './chart-view.ts'
import { el, fill, pathText } from './dom.ts'
import { showCount, showMs, showUsd } from './format.ts'
import type { Aggregate, StateFigures } from './wire.ts'

const METRICS: { readonly [name: string]: { readonly of: (figures: StateFigures) => number; readonly show: (value: number) => string; readonly bad?: true } } = {
  'time, total': { of: ({ totalMs }) => totalMs, show: showMs },
  'time, p50': { of: ({ p50Ms }) => p50Ms, show: showMs },
  'time, p95': { of: ({ p95Ms }) => p95Ms, show: showMs },
  visits: { of: ({ visits }) => visits, show: (value) => `${showCount(value)}×` },
  cost: { of: ({ costUsd }) => costUsd, show: showUsd },
  'failure rate': { of: ({ failures, visits }) => (visits === 0 ? 0 : failures / visits), show: (value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`, bad: true },
}

/** The figures of an agent on the page. */
export class AggregateView {
  readonly element = el('div', { class: 'aggregate-view' })
  readonly #chart: ChartView
  readonly #table = el('div', { class: 'figures' })
  readonly #metric = el('select', { label: 'colour by' }, ...Object.keys(METRICS).map((name) => el('option', {}, name)))
  readonly #data: Aggregate

  constructor(data: Aggregate) {
    this.#data = data
    const stage = el('div', { class: 'stage' })
    const outcomes = Object.entries(data.outcomes).map(([status, count]) => el('span', { class: `status ${status}` }, `${count} ${status}`))
    this.element.append(
      el(
        'div',
        { class: 'centre' },
        el(
          'div',
          { class: 'tools' },
          el('b', {}, `${data.agent}: ${data.runs} runs`),
          ...outcomes,
          data.skipped === 0 ? undefined : el('small', {}, `${data.skipped} of another version left out`),
          el('label', { class: 'grow' }, 'colour by ', this.#metric),
          el('button', { on: { click: () => this.#chart.fit() } }, 'Fit'),
        ),
        stage,
      ),
      el('aside', { class: 'side' }, this.#table),
    )
    this.#chart = new ChartView(stage, (state) => this.#chart.point(state?.path, []))
    this.#metric.addEventListener('change', () => this.#draw())
    requestAnimationFrame(() => {
      this.#chart.draw(data.drawing)
      this.#draw()
    })
  }

  key(event: KeyboardEvent): boolean {
    if (event.key === 'f') this.#chart.fit()
    return event.key === 'f'
  }

  close(): void {
    this.element.remove()
  }

  #draw(): void {
    const metric = METRICS[this.#metric.value] ?? METRICS['visits']
    if (metric === undefined) return
    const leaves = Object.entries(this.#data.states).filter(([path]) => this.#data.drawing?.states.find((state) => state.path === path)?.group !== true)
    const most = Math.max(1e-12, ...leaves.map(([, figures]) => metric.of(figures)))
    const heat = new Map(leaves.map(([path, figures]): [string, Heat] => [path, { part: metric.of(figures) / most, caption: metric.show(metric.of(figures)), bad: metric.bad === true }]))
    this.#chart.heat(heat, Object.fromEntries(Object.entries(this.#data.edges).map(([id, { count }]) => [id, count])))
    const rows = leaves.toSorted(([, one], [, other]) => metric.of(other) - metric.of(one))
    fill(
      this.#table,
      el(
        'table',
        { class: 'sums' },
        el('tr', {}, ...['state', 'visits', 'p50', 'p95', 'failed', 'cost'].map((name) => el('th', {}, name))),
        ...rows.map(([path, figures]) =>
          el(
            'tr',
            { title: figures.codes.map(([code, count]) => `${code} ${count}×`).join(', '), on: { click: () => this.#chart.centre(path) } },
            el(
              'td',
              {},
              ...pathText(path),
              figures.codes.length === 0
                ? undefined
                : el(
                    'small',
                    { class: 'codes' },
                    figures.codes
                      .slice(0, 3)
                      .map(([code, count]) => `${code} ${count}×`)
                      .join(', '),
                  ),
            ),
            el('td', {}, showCount(figures.visits)),
            el('td', {}, showMs(figures.p50Ms)),
            el('td', {}, showMs(figures.p95Ms)),
            el('td', {}, figures.visits === 0 ? '0 %' : `${Math.round((figures.failures / figures.visits) * 100)} %`),
            el('td', {}, showUsd(figures.costUsd)),
          ),
        ),
      ),
      this.#edges(),
    )
  }

  /** Ways that were taken, most often first. */
  #edges(): HTMLElement {
    const drawn = new Map(this.#data.drawing?.edges.flatMap(({ ids, source, target, text }) => ids.map((id) => [id, { source, target, text }] as const)))
    const rows = Object.entries(this.#data.edges)
      .toSorted(([, one], [, other]) => other.count - one.count)
      .flatMap(([id, figures]) => {
        const edge = drawn.get(id)
        return edge === undefined
          ? []
          : [
              el(
                'tr',
                { on: { click: () => this.#chart.centre(edge.source) } },
                el('td', {}, ...pathText(edge.source), ' → ', ...pathText(edge.target), edge.text === '' ? undefined : el('small', { class: 'way-text' }, edge.text)),
                el('td', {}, showCount(figures.count)),
                el('td', {}, `${Math.round(figures.share * 100)} %`),
                el('td', {}, showMs(figures.p50Ms)),
                el('td', {}, showMs(figures.p95Ms)),
                el('td', {}, showUsd(figures.costUsd)),
              ),
            ]
      })
    return el('table', { class: 'sums ways' }, el('tr', {}, ...['way', 'taken', 'share', 'p50', 'p95', 'cost'].map((name) => el('th', {}, name))), ...rows)
  }
}
