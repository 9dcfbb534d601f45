// What is shown beside the chart about one step: context and how it changed, messages, cost, failures, and the state that
// was clicked. Each panel is made anew from the model and a position; none keeps anything.
import { el } from './dom.ts'
import type { DrawnState } from './drawing.ts'
import { showCount, showMs, showTime, showUsd } from './format.ts'
import { differenceLines, differencesOf, jsonTree } from './json-view.ts'
import { stepText } from './log-panel.ts'
import type { RunModel, Standing } from './run-model.ts'
import type { Json, ShownMessage } from './wire.ts'

/** What panels are made from. */
export interface PanelParts {
  readonly model: RunModel
  /** The step that is looked at. */
  readonly position: number
  /** The machine that is looked at. */
  readonly actor: string
  readonly picked: DrawnState | undefined
  readonly go: (position: number) => void
}

const nothing = (text: string): HTMLElement => el('p', { class: 'nothing' }, text)

const section = (title: string, ...children: readonly (Node | undefined)[]): HTMLElement => el('section', {}, el('h3', {}, title), ...children)

const facts = (rows: readonly (readonly [string, string])[]): HTMLElement => el('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))

/** Context of a machine, with what the step changed on top. */
export const contextPanel = ({ model, position, actor }: PanelParts): HTMLElement => {
  const now = model.at(position).get(actor)
  const before = model.at(position - 1).get(actor)
  const step = model.steps[position]
  const differences = differencesOf((before?.context ?? {}) as Json, (now?.context ?? {}) as Json)
  return el(
    'div',
    { class: 'panel context' },
    section('Changed in this step', differences.length === 0 ? nothing('The context did not change.') : differenceLines(differences)),
    section('Context', now === undefined ? nothing('This machine is not running.') : Object.keys(now.context).length === 0 ? nothing('There is no context to show.') : jsonTree(now.context)),
    step?.outcome === undefined ? undefined : section('What came in', jsonTree(step.outcome)),
  )
}

/** Messages shown at once. */
const MOST_MESSAGES = 120

const bubble = (message: ShownMessage, fresh: boolean): HTMLElement =>
  el(
    'article',
    { class: `message ${message.role}${fresh ? ' fresh' : ''}${message.failed === undefined ? '' : ' bad'}` },
    el('header', {}, message.role === 'tool' ? `result of ${message.name ?? ''}` : message.role, message.failed === undefined ? undefined : el('span', { class: 'code' }, message.failed)),
    message.text === '' ? undefined : el('pre', {}, message.text),
    ...(message.calls ?? []).map(({ name, args }) => el('div', { class: 'call' }, el('span', { class: 'tool-name' }, name), jsonTree(args))),
  )

const thread = ({ model, position }: PanelParts, now: Standing, before: Standing | undefined, id: string, name: string, length: number): HTMLElement => {
  const messages = model.messages(now.path, id).slice(0, length)
  const seen = position < 0 ? 0 : (before?.threads.get(id)?.length ?? 0)
  const from = Math.max(0, messages.length - MOST_MESSAGES)
  return section(
    `${name} · ${messages.length} messages`,
    from === 0 ? undefined : nothing(`${from} earlier messages are left out; scrub back to see them.`),
    ...messages.slice(from).map((message, index) => bubble(message, from + index >= seen)),
  )
}

/** Conversations of a machine up to the step. */
export const messagesPanel = (parts: PanelParts): HTMLElement => {
  const now = parts.model.at(parts.position).get(parts.actor)
  const before = parts.model.at(parts.position - 1).get(parts.actor)
  const threads = [...(now?.threads ?? [])].toReversed()
  return el('div', { class: 'panel messages' }, ...(now === undefined || threads.length === 0 ? [nothing('No messages yet.')] : threads.map(([id, { name, length }]) => thread(parts, now, before, id, name, length))))
}

interface Sum {
  calls: number
  tokens: number
  costUsd: number
  latencyMs: number
  cached: number
}

const sumBy = ({ model, position }: PanelParts, keyOf: (name: string, state: string) => string): readonly (readonly [string, Sum])[] => {
  const sums = new Map<string, Sum>()
  for (const { calls = [], happenings } of model.steps.slice(0, position + 1)) {
    const state = String(happenings.find(({ type }) => type === 'attempt.ended')?.['state'] ?? '')
    for (const call of calls) {
      const key = keyOf(call.model, state)
      const sum = sums.get(key) ?? { calls: 0, tokens: 0, costUsd: 0, latencyMs: 0, cached: 0 }
      sums.set(key, sum)
      sum.calls += 1
      sum.tokens += call.inputTokens + call.outputTokens
      sum.costUsd += call.costUsd ?? 0
      sum.latencyMs += call.latencyMs
      sum.cached += call.cached === true ? 1 : 0
    }
  }
  return [...sums].toSorted(([, one], [, other]) => other.costUsd - one.costUsd || other.tokens - one.tokens)
}

const bar = (part: number): HTMLElement => {
  const inner = el('i', {})
  inner.style.width = `${Math.max(1, Math.round(part * 100))}%`
  return el('span', { class: 'bar' }, inner)
}

const sums = (rows: readonly (readonly [string, Sum])[]): HTMLElement => {
  const most = Math.max(1e-12, ...rows.map(([, { costUsd, tokens }]) => costUsd || tokens / 1e9))
  return el(
    'table',
    { class: 'sums' },
    el('tr', {}, ...['', 'calls', 'tokens', 'time', 'cost'].map((name) => el('th', {}, name))),
    ...rows.map(([name, sum]) =>
      el(
        'tr',
        {},
        el('td', {}, name, bar((sum.costUsd || sum.tokens / 1e9) / most)),
        el('td', {}, `${sum.calls}${sum.cached === 0 ? '' : ` (${sum.cached} cached)`}`),
        el('td', {}, showCount(sum.tokens)),
        el('td', {}, showMs(sum.latencyMs)),
        el('td', {}, showUsd(sum.costUsd)),
      ),
    ),
  )
}

/** Tokens, time and money up to the step. */
export const costPanel = (parts: PanelParts): HTMLElement => {
  const spent = parts.model.spentAt(parts.position)
  const byState = sumBy(parts, (_, state) => state)
  return el(
    'div',
    { class: 'panel cost' },
    el(
      'div',
      { class: 'tiles' },
      ...(
        [
          ['cost', `${showUsd(spent.costUsd)}${spent.unknown ? ' + ?' : ''}`],
          ['model calls', String(spent.calls)],
          ['tokens in', showCount(spent.inputTokens)],
          ['tokens out', showCount(spent.outputTokens)],
        ] as const
      ).map(([name, value]) => el('div', { class: 'tile' }, el('b', {}, value), el('small', {}, name))),
    ),
    byState.length === 0 ? nothing('No calls yet.') : section('By state', sums(byState)),
    byState.length === 0 ? undefined : section('By model', sums(sumBy(parts, (model) => model))),
  )
}

/** Failures of the whole run; a click goes there. */
export const failuresPanel = ({ model, position, go }: PanelParts): HTMLElement => {
  const ending = model.ended ? model.steps.at(-1)?.happenings.find(({ type }) => type === 'run.ended')?.['failure'] : undefined
  const list = model.failures.map(({ step, state, code, message, retried }) =>
    el(
      'button',
      { class: `failure${step > position ? ' later' : ''}`, on: { click: () => go(step) } },
      el('span', { class: 'code' }, code),
      el('b', {}, state),
      retried ? el('span', { class: 'tag' }, 'tried again') : undefined,
      el('span', { class: 'when' }, `step ${model.first + step} · ${showTime(model.steps[step]?.at ?? 0)}`),
      message === '' ? undefined : el('p', {}, message),
    ),
  )
  return el(
    'div',
    { class: 'panel failures' },
    ...(list.length === 0 ? [nothing('Nothing has failed.')] : list),
    typeof ending === 'object' && ending !== null ? section('The run ended with', jsonTree(ending)) : undefined,
  )
}

const durationsOf = ({ model, position }: PanelParts, state: string): readonly number[] => {
  const now = model.steps[position]?.at ?? 0
  return model.stays.filter((stay) => stay.state === state && stay.step <= position).map((stay) => Math.min(stay.to ?? now, now) - stay.from)
}

/** Everything about the state that was clicked. */
export const statePanel = (parts: PanelParts): HTMLElement => {
  const { model, picked, actor, position, go } = parts
  const drawing = model.drawings[model.at(position).get(actor)?.drawing ?? 0] ?? model.drawings[0]
  if (picked === undefined) return el('div', { class: 'panel state-panel' }, nothing('Click a state in the chart.'))
  const durations = durationsOf(parts, picked.path)
  const edges = drawing?.edges.filter((edge) => edge.source === picked.path && edge.cause !== 'initial') ?? []
  const visits = model.stays.filter((stay) => stay.state === picked.path)
  return el(
    'div',
    { class: 'panel state-panel' },
    section(
      picked.path,
      picked.description === undefined ? undefined : el('p', {}, picked.description),
      facts([
        ['kind', picked.kind],
        ['calls', picked.detail === '' ? '—' : picked.detail],
        ['visits so far', String(durations.length)],
        ['time so far', showMs(durations.reduce((sum, ms) => sum + ms, 0))],
        ['other failures', picked.caught === undefined ? '—' : `${picked.caught.codes} → ${picked.caught.target}`],
        ['taken inside', picked.inside?.join(', ') ?? '—'],
      ]),
    ),
    section(
      'Leads to',
      ...(edges.length === 0
        ? [nothing('Nothing leads out.')]
        : edges.map((edge) => el('div', { class: `way cause-${edge.cause}` }, el('span', {}, edge.text === '' ? edge.cause : edge.text), el('b', {}, `→ ${edge.target}`)))),
    ),
    section(
      'Visits',
      ...(visits.length === 0
        ? [nothing('Not entered in this run.')]
        : visits
            .slice(-100)
            .map((stay) =>
              el(
                'button',
                { class: 'visit', on: { click: () => go(stay.step) } },
                `step ${model.first + stay.step}`,
                el('span', {}, stay.to === undefined ? 'still here' : showMs(stay.to - stay.from)),
                stay.failed ? el('span', { class: 'code' }, 'failed') : undefined,
              ),
            )),
    ),
  )
}

/** One step in words and data. */
export const stepHeading = ({ model, position }: PanelParts): HTMLElement => {
  const step = model.steps[position]
  return el(
    'div',
    { class: 'step-heading' },
    step === undefined ? 'No steps yet.' : el('b', {}, stepText(step)),
    step === undefined ? undefined : el('small', {}, `step ${step.seq} · ${showTime(step.at)} · ${step.cause}`),
  )
}
