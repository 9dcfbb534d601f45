// What a person may do to a waiting run, when the inspector was started for it. Invariant: a decision names the hash of
// exactly the call that is shown, and nothing is sent without a click.
import type { Api } from './api.ts'
import { el, fill } from './dom.ts'
import { jsonTree } from './json-view.ts'
import type { PendingCall, RunSummary, Wait } from './wire.ts'

/** Decided with a hash or a key, not as plain events. */
const OWN = new Set(['APPROVE', 'EDIT', 'REJECT', 'RESOLVE'])

/** The card of a waiting run. */
export class Controls {
  readonly element = el('div', { class: 'controls' })
  readonly #api: Api
  #shown = ''

  constructor(api: Api) {
    this.#api = api
  }

  show(run: RunSummary | undefined, allowed: boolean): void {
    const waiting = run?.waiting ?? []
    const open = run !== undefined && run.from === 'run' && !['done', 'failed', 'limited', 'cancelled'].includes(run.status)
    const key = JSON.stringify([run?.id, run?.status, waiting, allowed])
    if (key === this.#shown) return
    this.#shown = key
    this.element.classList.toggle('empty', !open || (waiting.length === 0 && !allowed))
    if (!open) return fill(this.element)
    fill(
      this.element,
      ...waiting.map((wait) => this.#wait(run.id, wait, allowed)),
      waiting.length > 0 && !allowed ? el('p', { class: 'nothing' }, 'Start the inspector with --allow-control to answer here.') : undefined,
      allowed ? this.#cancel(run.id) : undefined,
    )
  }

  #wait(run: string, wait: Wait, allowed: boolean): HTMLElement {
    const plain = wait.accepts.filter((type) => !OWN.has(type))
    return el(
      'div',
      { class: 'wait' },
      el('h3', {}, `${wait.state} waits for ${wait.for === 'in_doubt' ? 'a decision about what may have happened' : wait.for === 'approval' ? 'an approval' : wait.for === 'timer' ? 'its timer' : 'an event'}`),
      wait.show === undefined ? undefined : jsonTree(wait.show),
      wait.dueAt === undefined ? undefined : el('small', {}, `until ${new Date(wait.dueAt).toLocaleString()}`),
      ...(wait.calls ?? []).map((call) => this.#call(run, call, allowed)),
      ...(allowed ? (wait.keys ?? []).map((key) => this.#doubt(run, key)) : []),
      allowed && plain.length > 0 ? this.#event(run, plain) : undefined,
    )
  }

  #call(run: string, { hash, name, args }: PendingCall, allowed: boolean): HTMLElement {
    return el(
      'div',
      { class: 'pending' },
      el('div', { class: 'call' }, el('span', { class: 'tool-name' }, name), jsonTree(args)),
      allowed
        ? this.#buttons(run, [
            ['Approve', { type: 'APPROVE', hashes: [hash] }],
            ['Reject', { type: 'REJECT', hashes: [hash] }],
          ])
        : undefined,
    )
  }

  #doubt(run: string, key: string): HTMLElement {
    return el(
      'div',
      { class: 'pending' },
      el('code', {}, key),
      this.#buttons(run, [
        ['It did not happen: try again', { type: 'RESOLVE', key, action: 'retry' }],
        ['Treat as failed', { type: 'RESOLVE', key, action: 'fail' }],
      ]),
    )
  }

  #buttons(run: string, events: readonly (readonly [string, object])[]): HTMLElement {
    const said = el('span', { class: 'said' })
    return el(
      'div',
      { class: 'buttons' },
      ...events.map(([name, event], index) => el('button', { class: index === 0 ? 'primary' : '', on: { click: () => void this.#send(said, () => this.#api.post(run, 'send', { event })) } }, name)),
      said,
    )
  }

  #event(run: string, types: readonly string[]): HTMLElement {
    const choice = el('select', { label: 'event type' }, ...types.map((type) => el('option', {}, type)))
    const payload = el('textarea', { placeholder: 'payload as JSON, such as {"amount": 3}', label: 'payload' })
    const said = el('span', { class: 'said' })
    const send = (): Promise<void> => {
      const fields = payload.value.trim() === '' ? {} : (JSON.parse(payload.value) as object)
      return this.#api.post(run, 'send', { event: { ...fields, type: choice.value } })
    }
    return el('div', { class: 'send' }, choice, payload, el('div', { class: 'buttons' }, el('button', { class: 'primary', on: { click: () => void this.#send(said, send) } }, 'Send'), said))
  }

  #cancel(run: string): HTMLElement {
    const said = el('span', { class: 'said' })
    const button = el('button', { class: 'danger' }, 'Cancel run')
    let sure = false
    button.addEventListener('click', () => {
      if (sure) return void this.#send(said, () => this.#api.post(run, 'cancel', { reason: 'cancelled in the inspector' }))
      sure = true
      button.textContent = 'Really cancel?'
    })
    return el('div', { class: 'buttons' }, button, said)
  }

  async #send(said: HTMLElement, act: () => Promise<void>): Promise<void> {
    said.textContent = 'sending…'
    try {
      await act()
      said.textContent = 'sent'
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error)
    }
  }
}
