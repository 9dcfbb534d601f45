// The page: the list of runs beside one view, which shows a run, many runs of an agent, or two runs side by side.
// Invariant: one view at a time; the one before it is closed with its connections.
import { AggregateView } from './aggregate-view.ts'
import { Api, takeToken } from './api.ts'
import { CompareView } from './compare-view.ts'
import { el, fill } from './dom.ts'
import { showAgo, showUsd } from './format.ts'
import { RunView } from './run-view.ts'
import type { Overview, RunSummary } from './wire.ts'

interface View {
  readonly element: HTMLElement
  readonly key: (event: KeyboardEvent) => boolean
  readonly close: () => void
}

/** How often the list is asked for, milliseconds. */
const LIST_MS = 1_500

class Page {
  readonly #api = new Api(takeToken())
  readonly #list = el('div', { class: 'list', role: 'listbox', label: 'runs' })
  readonly #agents = el('div', { class: 'agents' })
  readonly #filter = el('input', { type: 'search', placeholder: 'Filter runs', label: 'filter runs' })
  readonly #main = el('main', {})
  readonly #message = el('p', { class: 'nothing' })
  #overview: Overview | undefined
  #view: View | undefined
  #shown: readonly string[] = []
  #started = false
  #newest = 0

  start(): void {
    const theme = el('button', { class: 'theme', title: 'light or dark (t)', on: { click: () => this.#theme() } }, '◐')
    const help = 'Keys: ← → step, shift for ten, space plays, f shows all, + and − zoom, / searches, 1–5 panels, l follows, t light or dark. Shift-click a run to compare.'
    document.body.append(el('nav', {}, el('header', {}, el('h1', {}, 'stateloop'), el('span', { class: 'help', title: help }, '?'), theme), this.#filter, this.#agents, this.#list, this.#message), this.#main)
    this.#filter.addEventListener('input', () => this.#drawList())
    document.addEventListener('keydown', (event) => this.#key(event))
    const chosen = localStorage.getItem('stateloop.inspector.theme')
    if (chosen !== null) document.documentElement.dataset['theme'] = chosen
    void this.#poll()
  }

  async #poll(): Promise<void> {
    try {
      this.#overview = await this.#api.overview()
      this.#message.textContent = this.#overview.runs.length === 0 ? 'No runs yet.' : ''
      if (!this.#started) this.#begin(this.#overview)
      else if (this.#overview.live) this.#openNewest(this.#overview)
      this.#drawList()
    } catch (error) {
      this.#message.textContent = error instanceof Error ? error.message : String(error)
    }
    setTimeout(() => void this.#poll(), LIST_MS)
  }

  #begin({ open, runs }: Overview): void {
    const [one, other] = open
    if (one?.startsWith('agent:') === true) void this.#aggregate(one.slice(6))
    else if (one !== undefined && other !== undefined) void this.#compare(one, other)
    else if (one !== undefined || runs[0] !== undefined) this.#open(one ?? runs[0]?.id ?? '')
    else return
    this.#newest = Math.max(0, ...runs.map(({ startedAt }) => startedAt))
    this.#started = true
  }

  /** Opens a run that started after the newest one that was seen. */
  #openNewest({ runs }: Overview): void {
    const newest = runs.reduce<RunSummary | undefined>((latest, run) => (latest === undefined || run.startedAt > latest.startedAt ? run : latest), undefined)
    if (newest === undefined || newest.startedAt <= this.#newest) return
    this.#newest = newest.startedAt
    this.#open(newest.id)
  }

  #show(view: View, shown: readonly string[]): void {
    this.#view?.close()
    this.#view = view
    this.#shown = shown
    this.#started = true
    fill(this.#main, view.element)
    this.#drawList()
  }

  #open(run: string): void {
    this.#show(new RunView(this.#api, run, () => this.#overview?.control === true), [run])
  }

  async #compare(left: string, right: string): Promise<void> {
    await this.#try(async () => this.#show(new CompareView(this.#api, await this.#api.compare(left, right)), [left, right]))
  }

  async #aggregate(agent: string): Promise<void> {
    await this.#try(async () => this.#show(new AggregateView(await this.#api.aggregate(agent)), [`agent ${agent}`]))
  }

  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#message.textContent = error instanceof Error ? error.message : String(error)
    }
  }

  #drawList(): void {
    const { runs = [], agents = [] } = this.#overview ?? {}
    const wanted = this.#filter.value.trim().toLowerCase()
    const now = Date.now()
    const kept = wanted === '' ? runs : runs.filter((run) => JSON.stringify([run.id, run.agent, run.status, run.state, run.user, run.route, run.failureCode]).toLowerCase().includes(wanted))
    fill(
      this.#agents,
      ...agents.map((agent) => el('button', { class: this.#shown[0] === `agent ${agent}` ? 'chosen' : '', title: `all runs of ${agent} on one chart`, on: { click: () => void this.#aggregate(agent) } }, agent)),
    )
    const top = this.#list.scrollTop
    fill(this.#list, ...kept.map((run) => this.#row(run, now)))
    this.#list.scrollTop = top
  }

  #row(run: RunSummary, now: number): HTMLElement {
    const [first] = this.#shown
    const pick = ({ shiftKey }: MouseEvent): void => {
      if (shiftKey && first !== undefined && first !== run.id && !first.startsWith('agent ')) void this.#compare(first, run.id)
      else this.#open(run.id)
    }
    return el(
      'div',
      { class: `run${this.#shown.includes(run.id) ? ' chosen' : ''}`, role: 'option', data: { run: run.id }, on: { click: pick } },
      el('div', { class: 'top' }, el('b', {}, run.agent), el('span', { class: `status ${run.status}` }, run.status)),
      el('div', { class: 'where' }, run.failureCode ?? run.state),
      el(
        'div',
        { class: 'under' },
        el('code', {}, run.id.slice(-8)),
        el('span', {}, `${run.steps} ${run.steps === 1 ? 'step' : 'steps'}`),
        run.from === 'run' ? el('span', {}, showUsd(run.costUsd)) : el('span', {}, 'xstate'),
        el('span', { title: `changed ${new Date(run.updatedAt).toLocaleString()}` }, showAgo(run.updatedAt, now)),
        first !== undefined && first !== run.id && !first.startsWith('agent ')
          ? el('button', { class: 'compare', title: 'compare with the open run (shift-click)', on: { click: (event) => (event.stopPropagation(), void this.#compare(first, run.id)) } }, '⇄')
          : undefined,
      ),
    )
  }

  #theme(): void {
    const root = document.documentElement
    const dark = root.dataset['theme'] === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : root.dataset['theme'] === 'dark'
    root.dataset['theme'] = dark ? 'light' : 'dark'
    localStorage.setItem('stateloop.inspector.theme', root.dataset['theme'])
  }

  #key(event: KeyboardEvent): void {
    const { target } = event
    const typing = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== 'range')
    if (typing) return void (event.key === 'Escape' && target.blur())
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 't') return this.#theme()
    if (this.#view?.key(event) === true) event.preventDefault()
  }
}

new Page().start()
