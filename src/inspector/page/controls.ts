// What a person may do to a waiting run, when the inspector was started for it. Invariant: a decision names the hash of
// exactly the call that is shown, and nothing is sent without a click.
import { Refused, type Api } from './api.ts'
import { el, fill } from './dom.ts'
import { Form } from './form.ts'
import { jsonTree } from './json-view.ts'
import type { Json, PendingCall, Problem, RunSummary, Wait } from './wire.ts'

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
      allowed && plain.length > 0 ? this.#event(run, plain, wait.payloads) : undefined,
    )
  }

  #call(run: string, call: PendingCall, allowed: boolean): HTMLElement {
    const { hash, name, args, editable } = call
    const element = el('div', { class: 'pending' })
    const shown = (): readonly (HTMLElement | undefined)[] => [el('div', { class: 'call' }, el('span', { class: 'tool-name' }, name), jsonTree(args)), allowed ? decide() : undefined]
    const decide = (): HTMLElement => {
      const open = (): void =>
        fill(
          element,
          this.#edit(run, call, () => fill(element, ...shown())),
        )
      const edit = editable ? el('button', { on: { click: open } }, 'Edit…') : el('small', {}, 'Too long to be edited here.')
      const [approve, reject] = (['APPROVE', 'REJECT'] as const).map((type) => ({ type, hashes: [hash] }))
      return this.#buttons(
        run,
        [
          ['Approve', approve ?? {}],
          ['Reject', reject ?? {}],
        ],
        edit,
      )
    }
    fill(element, ...shown())
    return element
  }

  /** Arguments to be changed before the call is approved. The decision is bound to the call that was shown, and to what is sent. */
  #edit(run: string, { hash, name, args, schema }: PendingCall, back: () => void): HTMLElement {
    const form = new Form(schema ?? {}, args)
    const said = el('span', { class: 'said', role: 'status' })
    const approve = (): Promise<void> => this.#submit(said, form, (changed) => this.#api.post(run, 'send', { event: { type: 'EDIT', hash, args: changed } }))
    return el(
      'form',
      { class: 'edit', on: { submit: (event) => (event.preventDefault(), void approve()) } },
      el('div', { class: 'call' }, el('span', { class: 'tool-name' }, name)),
      form.element,
      el('div', { class: 'buttons' }, el('button', { class: 'primary', type: 'submit' }, 'Approve these arguments'), el('button', { type: 'button', on: { click: back } }, 'Back'), said),
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

  #buttons(run: string, events: readonly (readonly [string, object])[], between?: HTMLElement): HTMLElement {
    const said = el('span', { class: 'said', role: 'status' })
    const [first, ...others] = events.map(([name, event], index) => el('button', { class: index === 0 ? 'primary' : '', on: { click: () => void this.#send(said, () => this.#api.post(run, 'send', { event })) } }, name))
    return el('div', { class: 'buttons' }, first, between, ...others, said)
  }

  /** An event to be sent: its type, and a form for its payload. */
  #event(run: string, types: readonly string[], payloads: Wait['payloads'] = {}): HTMLElement {
    const choice = el('select', { label: 'event' }, ...types.map((type) => el('option', {}, type)))
    const place = el('div', {})
    const said = el('span', { class: 'said', role: 'status' })
    let form = new Form({}, undefined)
    const choose = (): void => {
      const schema = Object.hasOwn(payloads, choice.value) ? payloads[choice.value] : undefined
      form = new Form(schema ?? {}, schema === undefined ? {} : undefined)
      said.textContent = ''
      fill(place, form.element)
    }
    choice.addEventListener('change', choose)
    choose()
    const send = (): Promise<void> => this.#submit(said, form, (payload) => this.#api.post(run, 'send', { event: { ...(payload as object), type: choice.value } }))
    return el(
      'form',
      { class: 'send', on: { submit: (event) => (event.preventDefault(), void send()) } },
      types.length === 1 ? el('b', { class: 'event-name' }, types[0]) : choice,
      place,
      el('div', { class: 'buttons' }, el('button', { class: 'primary', type: 'submit' }, types.length === 1 ? `Send ${types[0] ?? ''}` : 'Send'), said),
    )
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

  /** Sends what a form holds; what the server finds wrong is shown at its field. */
  async #submit(said: HTMLElement, form: Form, post: (value: Json) => Promise<void>): Promise<void> {
    const value = form.read()
    if (value === undefined) return void (said.textContent = 'Something is missing above.')
    await this.#send(
      said,
      () => post(value),
      (problems) => form.show(problems),
    )
  }

  async #send(said: HTMLElement, act: () => Promise<void>, wrong: (problems: readonly Problem[]) => void = () => {}): Promise<void> {
    said.textContent = 'sending…'
    try {
      await act()
      said.textContent = 'sent'
    } catch (error) {
      const problems = error instanceof Refused ? error.problems : []
      said.textContent = problems.length > 0 ? 'Not sent: see above.' : error instanceof Error ? error.message : String(error)
      wrong(problems)
    }
  }
}
