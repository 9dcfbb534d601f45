// The script of the chat page, as text. Invariant: what agents, models and people said reaches the page as text nodes only.

/** Plain JavaScript for browsers. Backslashes are doubled because it stands in a template. */
export const SCRIPT = `
const $ = (id) => document.getElementById(id)
const el = (tag, className, text) => Object.assign(document.createElement(tag), { className: className ?? '', textContent: text ?? '' })
const base = location.pathname.replace(/\\/$/, '')
const fromHash = new URLSearchParams(location.hash.slice(1)).get('token')
if (fromHash) {
  sessionStorage.setItem('stateloop-token', fromHash)
  history.replaceState(null, '', location.pathname)
}
const token = () => sessionStorage.getItem('stateloop-token') ?? ''

const request = async (path, { body, ...init } = {}) => {
  const headers = { authorization: 'Bearer ' + token(), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...init.headers }
  const response = await fetch(base + path, { method: body === undefined ? 'GET' : 'POST', ...init, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  if (response.ok) return response
  const problem = await response.json().catch(() => ({}))
  throw Object.assign(new Error(problem.detail ?? 'The server answered ' + response.status + '.'), { status: response.status })
}

const note = (text) => {
  $('log').append(el('p', 'note', text))
  scroll()
}
const scroll = () => $('log').scrollTo(0, $('log').scrollHeight)

async function* eventsOf(run) {
  let last = ''
  for (let failures = 0; ; failures++) {
    try {
      const response = await request('/v1/runs/' + run + '/events', last === '' ? {} : { headers: { 'last-event-id': last } })
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        text += piece.value
        for (let end = text.indexOf('\\n\\n'); end >= 0; end = text.indexOf('\\n\\n')) {
          const lines = text.slice(0, end).split('\\n')
          text = text.slice(end + 2)
          const data = lines.find((line) => line.startsWith('data: '))
          last = lines.find((line) => line.startsWith('id: '))?.slice(4) ?? last
          if (data === undefined) continue
          failures = 0
          const event = JSON.parse(data.slice(6))
          yield event
          if (event.type === 'run.ended') return
        }
      }
    } catch (error) {
      if (error.status !== undefined && error.status < 500 && error.status !== 429) throw error
    }
    yield { type: 'stream.broken' }
    await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 500 * 2 ** failures)))
  }
}

const decide = async (run, hash, what, card) => {
  for (const button of card.querySelectorAll('button')) button.disabled = true
  try {
    await request('/v1/runs/' + run + '/' + what, { body: { hashes: [hash] } })
    card.append(el('p', 'note', what === 'approve' ? 'approved' : 'rejected'))
  } catch (error) {
    card.append(el('p', 'note', error.message))
  }
}

const questionCard = (run, call) => {
  const card = el('section', 'card')
  card.dataset.call = call.name
  card.append(el('h2', '', 'May ' + call.name + ' run?'), el('pre', '', JSON.stringify(call.args, null, 2)))
  const approve = Object.assign(el('button', 'yes', 'Approve'), { onclick: () => decide(run, call.hash, 'approve', card) })
  const reject = Object.assign(el('button', 'no', 'Reject'), { onclick: () => decide(run, call.hash, 'reject', card) })
  card.append(approve, reject)
  return card
}

const eventCard = (run, wait) => {
  const card = el('section', 'card')
  const field = Object.assign(el('textarea'), { value: JSON.stringify({ type: wait.accepts[0] }) })
  field.setAttribute('aria-label', 'event as JSON')
  const submit = async () => {
    try {
      await request('/v1/runs/' + run + '/events', { body: JSON.parse(field.value) })
      card.remove()
    } catch (error) {
      card.append(el('p', 'note', error.message))
    }
  }
  card.append(el('h2', '', 'Waiting for ' + wait.accepts.join(' or ')))
  if (wait.show !== undefined) card.append(el('pre', '', JSON.stringify(wait.show, null, 2)))
  card.append(field, Object.assign(el('button', 'yes', 'Send'), { onclick: submit }))
  return card
}

const textOf = (output) => (typeof output === 'string' ? output : JSON.stringify(output, null, 2))

const follow = async (run) => {
  const path = el('p', 'path')
  const bubble = el('article', 'agent')
  $('log').append(path, bubble)
  let speaking = ''
  for await (const event of eventsOf(run)) {
    if (event.type === 'state.entered' && event.actor === '') path.append(el('span', 'state', event.state))
    else if (event.type === 'token.delta') {
      if (event.key !== speaking) bubble.textContent = ''
      speaking = event.key
      bubble.append(event.text)
    } else if (event.type === 'attempt.discarded' || event.type === 'stream.broken') {
      bubble.textContent = ''
      speaking = ''
    } else if (event.type === 'run.waiting') {
      for (const wait of event.waiting) {
        if (wait.calls !== undefined) $('log').append(...wait.calls.map((call) => questionCard(run, call)))
        else if (wait.accepts.length > 0) $('log').append(eventCard(run, wait))
      }
    } else if (event.type === 'run.ended') {
      bubble.textContent = event.output === undefined ? '' : textOf(event.output)
      bubble.dataset.outcome = event.outcome
      $('log').append(bubble)
      if (event.outcome !== 'done') note(event.outcome + (event.failure === undefined ? '' : ': ' + event.failure.message))
    }
    scroll()
  }
}

const agents = new Map()
const chosen = () => agents.get($('agent').value)

const ask = async () => {
  const text = $('text').value.trim()
  if (text === '') return
  $('text').value = ''
  $('send').disabled = true
  $('log').append(el('article', 'user', text))
  try {
    const input = chosen().input.type === 'string' ? text : JSON.parse(text)
    const { run } = await (await request('/v1/agents/' + chosen().id + '/runs', { body: { input } })).json()
    await follow(run)
  } catch (error) {
    note(error.message)
  }
  $('send').disabled = false
}

const open = async () => {
  try {
    const listed = await (await request('/v1/agents')).json()
    agents.clear()
    for (const agent of listed.agents) agents.set(agent.id, agent)
    $('agent').replaceChildren(...[...agents.keys()].map((id) => Object.assign(el('option', '', id), { value: id })))
    $('door').hidden = true
    $('chat').hidden = false
    hint()
  } catch (error) {
    $('door').hidden = false
    $('chat').hidden = true
    $('refused').textContent = token() === '' ? '' : error.message
  }
}
const hint = () => ($('text').placeholder = chosen()?.input.type === 'string' ? 'Ask something' : 'Input as JSON')

$('agent').onchange = hint
$('enter').onclick = () => {
  sessionStorage.setItem('stateloop-token', $('token').value.trim())
  open()
}
$('send').onclick = ask
$('text').onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey) return
  event.preventDefault()
  if (!$('send').disabled) ask()
}
open()
`
