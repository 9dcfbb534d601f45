// One run on the page: chart, log, timeline, panels and scrubber, all showing the same step. Invariant: everything on it is
// drawn from the model and one position, at most once a frame.
import type { Api } from './api.ts'
import { ChartView } from './chart-view.ts'
import { Controls } from './controls.ts'
import { el, fill } from './dom.ts'
import type { DrawnState } from './drawing.ts'
import { LivePanel } from './live-panel.ts'
import { LogPanel } from './log-panel.ts'
import { contextPanel, costPanel, failuresPanel, messagesPanel, statePanel, stepHeading, type PanelParts } from './panels.ts'
import { RunModel } from './run-model.ts'
import { Timeline } from './timeline.ts'
import type { Happening } from './wire.ts'

const PANELS = { Context: contextPanel, Messages: messagesPanel, Cost: costPanel, Failures: failuresPanel, State: statePanel } as const
type PanelName = keyof typeof PANELS
const NAMES = Object.keys(PANELS) as readonly PanelName[]

/** Milliseconds between steps while playing. */
const PLAY_MS = 350

const NONE: readonly [] = []

const edgesOf = (happenings: readonly Happening[], actor: string): readonly string[] =>
  happenings.flatMap((one) => (one.type === 'transition.taken' && one.actor === actor && Array.isArray(one['edges']) ? (one['edges'] as readonly string[]) : []))

/** A run on the page. */
export class RunView {
  readonly element = el('div', { class: 'run-view' })
  readonly model = new RunModel()
  position = -1
  readonly #chart: ChartView
  readonly #log = new LogPanel((position) => this.go(position))
  readonly #timeline = new Timeline((position) => this.go(position))
  readonly #controls: Controls
  readonly #live = new LivePanel()
  readonly #notes = el('div', { class: 'notes' })
  readonly #actors = el('div', { class: 'actors', role: 'tablist', label: 'machines' })
  readonly #panel = el('div', { class: 'panel-body' })
  readonly #tabs = el('div', { class: 'tabs', role: 'tablist' })
  readonly #heading = el('div', { class: 'heading' })
  readonly #range = el('input', { type: 'range', label: 'step' })
  readonly #place = el('output', {})
  readonly #search = el('input', { type: 'search', placeholder: 'Search states and events ( / )', label: 'search' })
  readonly #playButton = el('button', { title: 'play (space)', on: { click: () => this.play() } }, '▶')
  readonly #liveButton = el('button', { class: 'live-button', title: 'follow the newest step (l)', on: { click: () => this.follow() } }, 'Live')
  readonly #stop = new AbortController()
  readonly #control: () => boolean
  #tab: PanelName = 'Context'
  #actor = ''
  #picked: DrawnState | undefined
  #following = true
  #playing = 0
  #drawing = false
  #lost: string | undefined
  #panelKey = ''

  /** @param control tells whether sending is allowed. */
  constructor(api: Api, run: string, control: () => boolean, compact = false) {
    this.#control = control
    this.#controls = new Controls(api)
    const stage = el('div', { class: 'stage' })
    this.#chart = new ChartView(stage, (state) => this.pick(state))
    this.#range.addEventListener('input', () => this.go(Number(this.#range.value)))
    this.#search.addEventListener('input', () => this.refresh())
    this.#search.addEventListener('keydown', ({ key }) => key === 'Enter' && this.#toFound())
    const tools = el(
      'div',
      { class: 'tools' },
      this.#search,
      el('button', { title: 'show all (f)', on: { click: () => this.#chart.fit() } }, 'Fit'),
      el('button', { title: 'closer (+)', on: { click: () => this.#chart.zoom(1.25) } }, '+'),
      el('button', { title: 'farther (-)', on: { click: () => this.#chart.zoom(0.8) } }, '−'),
    )
    const scrubber = el(
      'div',
      { class: 'scrubber' },
      el('button', { title: 'step back (←)', on: { click: () => this.move(-1) } }, '‹'),
      this.#playButton,
      el('button', { title: 'step on (→)', on: { click: () => this.move(1) } }, '›'),
      this.#range,
      this.#place,
      this.#liveButton,
    )
    const side = el('aside', { class: 'side' }, this.#controls.element, this.#live.element, this.#tabs, this.#heading, this.#panel)
    this.element.classList.toggle('compact', compact)
    this.element.append(
      el('div', { class: 'centre' }, tools, this.#actors, this.#notes, stage),
      ...(compact ? [] : [el('div', { class: 'log-column' }, el('h2', {}, 'Event log'), this.#log.element), side]),
      el('footer', {}, scrubber, ...(compact ? [] : [this.#timeline.element])),
    )
    void api.follow(
      run,
      this.#stop.signal,
      (message) => {
        this.model.take(message)
        this.refresh()
      },
      (reason) => {
        this.#lost = reason
        this.refresh()
      },
    )
  }

  close(): void {
    this.#stop.abort()
    clearInterval(this.#playing)
  }

  /** Looks at a step, and no longer at the newest. */
  go(position: number): void {
    this.#following = position >= this.model.length - 1 && !this.model.ended
    this.position = Math.max(0, Math.min(this.model.length - 1, position))
    this.refresh()
  }

  move(by: number): void {
    this.go(this.position + by)
  }

  follow(): void {
    this.#following = true
    this.refresh()
  }

  play(): void {
    const playing = this.#playing !== 0
    clearInterval(this.#playing)
    this.#playing = 0
    if (!playing) {
      if (this.position >= this.model.length - 1) this.go(0)
      this.#playing = setInterval(() => (this.position >= this.model.length - 1 ? this.play() : this.move(1)), PLAY_MS)
    }
    this.#playButton.textContent = playing ? '▶' : '❚❚'
  }

  pick(state: DrawnState | undefined): void {
    this.#picked = state
    if (state !== undefined) this.#tab = 'State'
    this.refresh()
  }

  /** Performs a key. @returns false when it means nothing here. */
  key(event: KeyboardEvent): boolean {
    const far = event.shiftKey ? 10 : 1
    const tab = NAMES[Number(event.key) - 1]
    const acts: { readonly [key: string]: () => void } = {
      ArrowRight: () => this.move(far),
      ArrowLeft: () => this.move(-far),
      Home: () => this.go(0),
      End: () => this.go(this.model.length - 1),
      ' ': () => this.play(),
      f: () => this.#chart.fit(),
      '+': () => this.#chart.zoom(1.25),
      '=': () => this.#chart.zoom(1.25),
      '-': () => this.#chart.zoom(0.8),
      l: () => this.follow(),
      '/': () => this.#search.focus(),
      Escape: () => this.pick(undefined),
      ArrowUp: () => this.#chart.pan(0, 60),
      ArrowDown: () => this.#chart.pan(0, -60),
    }
    const act = tab === undefined ? acts[event.key] : () => this.#choose(tab)
    act?.()
    return act !== undefined
  }

  /** Draws what is new with the next frame. */
  refresh(): void {
    if (this.#drawing) return
    this.#drawing = true
    requestAnimationFrame(() => {
      this.#drawing = false
      this.#draw()
    })
  }

  #choose(tab: PanelName): void {
    this.#tab = tab
    this.refresh()
  }

  #toFound(): void {
    const [found] = this.#found()
    if (found !== undefined) this.#chart.centre(found)
  }

  #found(): readonly string[] {
    const wanted = this.#search.value.trim().toLowerCase()
    if (wanted === '') return []
    return (this.#chart.drawing?.states ?? []).filter((state) => state.path !== '' && `${state.path} ${state.kind} ${state.detail}`.toLowerCase().includes(wanted)).map(({ path }) => path)
  }

  #draw(): void {
    const { model } = this
    if (this.#following) this.position = model.length - 1
    const standing = model.at(this.position)
    if (!standing.has(this.#actor) && this.#actor !== '') this.#actor = ''
    const now = standing.get(this.#actor)
    const step = model.steps[this.position]
    const ended = ['done', 'failed', 'limited', 'cancelled'].includes(model.run?.status ?? '')
    this.#chart.draw(model.drawings[now?.drawing ?? 0] ?? model.drawings[0])
    this.#chart.mark({ active: now?.active ?? [], taken: edgesOf(step?.happenings ?? [], this.#actor), failed: model.failedBy(this.position, this.#actor), live: !ended && this.position === model.length - 1 })
    this.#chart.point(this.#picked?.path, this.#found())
    this.#drawActors([...standing.values()].map(({ path, name }) => ({ path, name })))
    const notes = [...model.notes, ...(this.#lost === undefined ? [] : [this.#lost]), ...(model.first > 0 ? [`Steps before ${model.first} are no longer kept.`] : [])]
    fill(this.#notes, ...notes.map((note) => el('p', {}, note)))
    this.#range.max = String(Math.max(0, model.length - 1))
    this.#range.value = String(this.position)
    this.#place.textContent = `${this.position < 0 ? 0 : model.first + this.position} / ${Math.max(0, model.first + model.length - 1)}`
    this.#liveButton.classList.toggle('on', this.#following && !ended)
    this.#liveButton.textContent = ended ? (model.run?.status ?? '') : 'Live'
    this.element.dataset['position'] = String(this.position)
    this.#log.show(model, this.position, this.#search.value.trim().toLowerCase())
    this.#timeline.show(model, this.position)
    this.#controls.show(model.run, this.#control())
    this.#live.show(this.position === model.length - 1 ? model.live : NONE)
    this.#drawPanel()
  }

  #drawActors(actors: readonly { readonly path: string; readonly name: string }[]): void {
    this.#actors.classList.toggle('empty', actors.length < 2)
    if (actors.length < 2) return fill(this.#actors)
    fill(
      this.#actors,
      ...actors.map(({ path, name }) =>
        el('button', { class: path === this.#actor ? 'chosen' : '', role: 'tab', on: { click: () => this.#look(path) } }, path === '' ? name : `${name} ${path.slice(path.lastIndexOf('/'))}`),
      ),
    )
  }

  #look(actor: string): void {
    this.#actor = actor
    this.refresh()
  }

  #drawPanel(): void {
    const parts: PanelParts = { model: this.model, position: this.position, actor: this.#actor, picked: this.#picked, go: (position) => this.go(position) }
    const key = JSON.stringify([this.#tab, this.position, this.#actor, this.#picked?.path, this.#tab === 'Failures' || this.#tab === 'State' ? this.model.length : 0])
    if (key === this.#panelKey) return
    this.#panelKey = key
    const failures = this.model.failures.length
    fill(
      this.#tabs,
      ...NAMES.map((name) =>
        el(
          'button',
          { class: name === this.#tab ? 'chosen' : '', role: 'tab', on: { click: () => this.#choose(name) } },
          name,
          name === 'Failures' && failures > 0 ? el('span', { class: 'badge' }, String(failures)) : undefined,
        ),
      ),
    )
    fill(this.#heading, stepHeading(parts))
    fill(this.#panel, PANELS[this.#tab](parts))
  }
}
