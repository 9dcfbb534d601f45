// The door for pages that use the AI SDK's `useChat`. A message starts a run; a decision about a call goes to the run that
// asked. Invariant: what the page sends back can decide calls of the caller's own runs and nothing else.
import type { RunRow } from '../../journal/index.ts'
import { maySee } from '../access.ts'
import { readBody } from '../body.ts'
import type { ServerParts } from '../options.ts'
import { refuse } from '../problem.ts'
import { refuseWhenDraining, type ServerContext } from '../requests.ts'
import { failureFor } from '../openai/error.ts'
import { optionsOf, startRun } from '../routes/runs.ts'
import { EVENT_STREAM_HEADERS, pulledBody } from '../sse.ts'
import { chatOf, type ChatAgent } from './chat-agent.ts'
import { narrate, type Narration } from './narrate.ts'
import { UiStream, type UiChunk } from './ui-stream.ts'
import { decisionsIn, messagesOf, uiShape, type UiDecision } from './ui-wire.ts'

/** What says to the AI SDK which stream this is. */
const UI_HEADERS = { ...EVENT_STREAM_HEADERS, 'x-vercel-ai-ui-message-stream': 'v1' } as const

const encoder = new TextEncoder()
const DONE = encoder.encode('data: [DONE]\n\n')
const encode = (chunks: readonly UiChunk[]): Uint8Array => encoder.encode(chunks.length === 0 ? ':\n\n' : chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''))

const findChat = ({ chats }: ServerParts, name: string): ChatAgent =>
  chats.get(name) ??
  refuse('agent_not_found', `No chat agent is called ${JSON.stringify(name.slice(0, 100))}. There are: ${[...chats.keys()].join(', ') || 'none'}. An agent that does not take text needs chatAgent(agent, { input }).`)

/** Sends decisions to their run. @returns where the run stood before. */
const decide = async (parts: ServerParts, context: ServerContext, chat: ChatAgent, decisions: readonly UiDecision[]): Promise<RunRow> => {
  refuseWhenDraining(parts)
  const identity = context.get('identity')
  const run = decisions[0]?.run ?? ''
  const row = await parts.runtime.get(run)
  if (row === undefined || row.agent !== chat.agent.id || !maySee(identity, row) || decisions.some((decision) => decision.run !== run))
    return refuse('run_not_found', `There is no run ${JSON.stringify(run.slice(0, 100))} here that asked for this decision.`)
  const open = new Set((row.waiting ?? []).flatMap((waiting) => waiting.calls ?? []).map(({ hash }) => hash))
  for (const { hash, approved, reason } of decisions.filter((decision) => open.has(decision.hash))) {
    const event = { type: approved ? 'APPROVE' : 'REJECT', hash, ...(reason === undefined ? {} : { reason }) }
    await parts.work.begin(
      () => parts.runtime.send(run, event, identity.user),
      () => run,
    )
  }
  return row
}

interface Opened {
  readonly run: string
  readonly narration: Narration
}

const open = async (parts: ServerParts, context: ServerContext, chat: ChatAgent, body: ReturnType<typeof uiShape.parse>, decisions: readonly UiDecision[]): Promise<Opened> => {
  const tokens = (state: string): boolean => chat.tokens.includes(state)
  if (decisions.length > 0) {
    const { id, seq } = await decide(parts, context, chat, decisions)
    return { run: id, narration: await narrate(parts, id, chat.agent, tokens, { seq, index: Number.MAX_SAFE_INTEGER }) }
  }
  const input = chat.input(chatOf(messagesOf(body.messages)))
  const { id } = await startRun(parts, chat.agent, input, { ...optionsOf(context), stream: true })
  return { run: id, narration: await narrate(parts, id, chat.agent, tokens) }
}

/** Answers `POST /v1/chat/{agent}`. @param report reports a defect and gives the id it is reported under. */
export const uiMessages = async (parts: ServerParts, context: ServerContext, report: (error: unknown) => string): Promise<Response> => {
  const chat = findChat(parts, context.req.param('agent') ?? '')
  const body = await readBody(context.req.raw, parts.limits.bodyBytes, uiShape)
  const decisions = decisionsIn(body.messages)
  if (decisions.length === 0 && body.messages.at(-1)?.role !== 'user') refuse('usage', 'The last message is neither from the user nor a decision about a call, so there is nothing to answer.')
  const release = parts.streams.take(context.get('identity'))
  try {
    const { run, narration } = await open(parts, context, chat, body, decisions)
    const last = body.messages.at(-1)
    const messageId = decisions.length > 0 && last?.id !== undefined ? last.id : `message-${run}`
    const stream = new UiStream({ parts, run, chat, narration, messageId, decisions })
    let done = false
    const next = async (): Promise<Uint8Array | undefined> => {
      if (done) return undefined
      const chunks = await stream.next().catch((error: unknown) => {
        done = true
        return [{ type: 'error', errorText: failureFor(error, report).message }]
      })
      if (chunks !== undefined) return encode(chunks)
      done = true
      return DONE
    }
    const onClose = (): void => {
      release()
      narration.close()
    }
    const response = pulledBody(next, { clock: parts.clock, stalledMs: parts.limits.stalledMs, onClose, abandon: context.env?.abandon, signal: context.req.raw.signal })
    return new Response(response, { headers: { ...UI_HEADERS, 'x-stateloop-run': run } })
  } catch (error) {
    release()
    throw error
  }
}
