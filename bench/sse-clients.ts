// A thousand clients read the events of runs that stream tokens, half of them slowly, while the memory of the server is
// watched. `npm run soak:server -- --clients 1000 --seconds 60`. Fails when memory grows, when a client lost an event, or when no slow client was let go.
import { fork } from 'node:child_process'
import { get } from 'node:http'
import { parseArgs } from 'node:util'
import { agent, createRuntime, type ModelProvider } from 'stateloop'
import { createServer, listen } from 'stateloop/server'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '20' },
    role: { type: 'string', default: 'server' },
    url: { type: 'string' },
  },
})
const CLIENTS = Number(values.clients)
const SECONDS = Number(values.seconds)
const RUNS = Number(values.runs)
const TOKEN = 'a token for the soak test'
const TOKEN_MS = 100
const TOKEN_BYTES = 2_000
/** Tokens of the runs that slow clients watch, for a third of the time: so large that what they leave unread is more than a socket takes, bytes. */
const LOUD_BYTES = 50_000
/** How long a slow client reads nothing after each piece, milliseconds: longer than the server waits. */
const SLOW_MS = 15_000
/** Growth of the resident set from the first third to the end that still counts as flat, bytes. */
const FLAT_BYTES = 60_000_000

interface Report {
  readonly complete: number
  readonly reconnections: number
  readonly outOfOrder: number
  readonly megabytes: number
}

/** Reads one run to its end, coming back as often as it is let go. A slow client reads nothing for a while after each piece. */
const readRun = (url: string, run: string, slow: boolean, report: { complete: number; reconnections: number; outOfOrder: number; megabytes: number }): Promise<void> =>
  new Promise((resolve) => {
    let last = ''
    let ended = false
    const open = (): void => {
      let rest = ''
      let answered = false
      const headers = { authorization: `Bearer ${TOKEN}`, ...(last === '' ? {} : { 'last-event-id': last }) }
      const again = (): void => {
        if (ended) return resolve()
        report.reconnections += 1
        setTimeout(open, 500 + Math.random() * 1_000)
      }
      const request = get(`${url}/v1/runs/${run}/events`, { headers, agent: false }, (response) => {
        answered = true
        if (response.statusCode !== 200) throw new Error(`The server answered ${response.statusCode}.`)
        response.on('data', (piece: Buffer) => {
          report.megabytes += piece.length / 1e6
          rest = take(rest + piece.toString())
          if (!slow || performance.now() > SECONDS * 1_000) return
          response.pause()
          setTimeout(() => response.resume(), SLOW_MS)
        })
        response.on('close', again)
      })
      request.on('error', () => {})
      request.on('close', () => answered || again())
    }
    const take = (text: string): string => {
      const blocks = text.split('\n\n')
      for (const block of blocks.slice(0, -1)) {
        const id = /^id: (\d+)\.(\d+)$/m.exec(block)
        if (id === null) continue
        const [before = -1, place = -1] = last.split('.').map(Number)
        if (last !== '' && !(Number(id[1]) > before || (Number(id[1]) === before && Number(id[2]) === place + 1))) report.outOfOrder += 1
        last = `${id[1]}.${id[2]}`
        if (block.includes('"type":"run.ended"')) {
          ended = true
          report.complete += 1
        }
      }
      return blocks.at(-1) ?? ''
    }
    open()
  })

const clients = async (): Promise<void> => {
  const report = { complete: 0, reconnections: 0, outOfOrder: 0, megabytes: 0 }
  const ids = await new Promise<readonly string[]>((resolve) => {
    process.once('message', (message) => resolve(message as readonly string[]))
    process.send?.('ready')
  })
  await Promise.all(Array.from({ length: CLIENTS }, (_, at) => readRun(values.url ?? '', ids[at % ids.length] ?? '', at % 2 === 1, report)))
  process.send?.(report satisfies Report)
}

/** Says tokens for the whole time, then answers. */
const talker: ModelProvider = {
  id: 'talker',
  call: async ({ messages }, { onDelta }) => {
    const until = Date.now() + SECONDS * 1_000
    const loudUntil = JSON.stringify(messages).includes('Shout.') ? Date.now() + SECONDS * 333 : 0
    const [text, loud] = ['x'.repeat(TOKEN_BYTES), 'x'.repeat(LOUD_BYTES)]
    while (Date.now() < until) {
      onDelta?.({ type: 'text', text: Date.now() < loudUntil ? loud : text })
      await new Promise((resolve) => setTimeout(resolve, TOKEN_MS))
    }
    return { message: { role: 'assistant', content: 'done' }, finish: 'stop', usage: null, model: 'talker' }
  },
}

const memory = (): number => {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

const serve = async (): Promise<void> => {
  const timeout = { totalMs: SECONDS * 2_000, idleMs: 60_000, firstTokenMs: 60_000 }
  const speaker = agent({ id: 'speaker', model: 'talker/talker', prompt: 'Talk.', timeout })
  const runtime = createRuntime({ providers: [talker], agents: [speaker], limiter: false })
  const server = createServer({ runtime, agents: [speaker], token: TOKEN, limits: { streams: CLIENTS * 2, requestsPerMinute: 1_000_000, stalledMs: 10_000 } })
  const listening = await listen(server, { port: 0 })
  const child = fork(import.meta.filename, ['--role', 'clients', '--url', listening.url, '--clients', String(CLIENTS), '--seconds', String(SECONDS)], { execArgv: process.execArgv })
  await new Promise((resolve) => child.once('message', resolve))
  // Every second client is slow, and every second run is loud.
  const runs = await Promise.all(Array.from({ length: RUNS }, (_, at) => runtime.start(speaker, at % 2 === 1 ? 'Shout.' : 'Talk.', { stream: true })))
  child.send(runs.map(({ id }) => id))
  const samples: number[] = []
  const sampling = setInterval(() => samples.push(memory()), 2_000)
  const report = await new Promise<Report>((resolve) => child.once('message', (message) => resolve(message as Report)))
  clearInterval(sampling)
  const warm = samples[Math.floor(samples.length / 3)] ?? 0
  const grown = Math.max(...samples.slice(Math.floor(samples.length / 3))) - warm
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
  console.log(`${CLIENTS} clients of ${RUNS} runs, half of them slow, ${SECONDS} s of tokens`)
  console.log(`  to the end    ${report.complete} clients, ${report.outOfOrder} events out of order`)
  console.log(`  let go        ${report.reconnections} times; each came back with the id of its last event`)
  console.log(`  delivered     ${Math.round(report.megabytes)} MB`)
  console.log(`  server memory ${mb(warm)} after a third of the time, ${mb(grown)} more at most, ${mb(samples.at(-1) ?? 0)} at the end`)
  await listening.close(100)
  await runtime.close(100)
  process.exit(report.complete === CLIENTS && report.outOfOrder === 0 && report.reconnections > 0 && grown < FLAT_BYTES ? 0 : 1)
}

await (values.role === 'clients' ? clients() : serve())
