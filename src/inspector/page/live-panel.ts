// What a model is writing at this moment: its words as they come, the output as far as it can be read, and attempts that were
// discarded, struck through. Invariant: it shows only what was told last, and nothing once the call is over.
import { el, fill } from './dom.ts'
import { jsonTree } from './json-view.ts'
import type { LiveAttempt, LiveCall } from './wire.ts'

/** Its words, or what can be read of its output. */
const written = ({ text, partial, discarded }: LiveAttempt): HTMLElement => {
  if (discarded) return el('del', {}, text)
  if (partial !== undefined) return jsonTree(partial)
  return text === '' ? el('p', { class: 'nothing' }, 'No words yet.') : el('pre', {}, text)
}

const attempt = (one: LiveAttempt): HTMLElement =>
  el('div', { class: `attempt${one.discarded ? ' discarded' : ''}` }, one.number > 1 || one.discarded ? el('small', {}, `attempt ${one.number}${one.discarded ? ', discarded' : ''}`) : undefined, written(one))

/** The calls under way. */
export class LivePanel {
  readonly element = el('div', { class: 'writing empty', role: 'log', label: 'what the model is writing' })
  #shown: readonly LiveCall[] = []

  /** @param calls none when the page looks at an earlier step. */
  show(calls: readonly LiveCall[]): void {
    if (calls === this.#shown) return
    this.#shown = calls
    this.element.classList.toggle('empty', calls.length === 0)
    fill(this.element, ...calls.map(({ state, name, attempts }) => el('article', {}, el('header', {}, el('b', {}, state), el('span', {}, name), el('i', { class: 'pulse' })), ...attempts.map(attempt))))
    for (const text of this.element.querySelectorAll('pre')) text.scrollTop = text.scrollHeight
  }
}
