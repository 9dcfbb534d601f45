// What was said up to a response of before. Invariant: a caller goes on from runs of its own and from no others, and the
// journal is the only place where a conversation is kept.
import type { CallInput } from '../../agent/index.ts'
import { fail } from '../../failure/index.ts'
import type { Message } from '../../prompt/index.ts'
import type { Completion } from '../../run/index.ts'
import { maySee } from '../access.ts'
import type { ServerParts } from '../options.ts'
import type { ServerContext } from '../requests.ts'

const RESPONSE_ID = /^resp_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

const refuse = (id: string, why: string): never => fail('invalid_request', `Nothing can go on from the response ${JSON.stringify(id.slice(0, 100))}: ${why}`, { details: { param: 'previous_response_id' } })

/** The messages up to the end of a response, without its instructions. @throws FailureError `invalid_request` */
export const conversationOf = async ({ runtime, aliases }: ServerParts, context: ServerContext, id: string): Promise<readonly Message[]> => {
  const run = RESPONSE_ID.exec(id)?.[1]
  const row = run === undefined ? undefined : await runtime.get(run)
  if (row === undefined || !maySee(context.get('identity'), row)) return refuse(id, 'there is none here. Send the whole conversation.')
  if (!aliases.answered(row.agent)) return refuse(id, 'an agent gave it, and what an agent was told is not known in messages. Send the whole conversation.')
  if (row.status !== 'done') return refuse(id, `its run is ${row.status} and gave no answer. Send the whole conversation.`)
  const [first] = await runtime.entries(row.id)
  const outcome = await runtime.outcome(row.id)
  if (first?.body.cause.type !== 'start' || outcome.outcome !== 'done') return refuse(id, 'its run is no longer in the journal. Send the whole conversation.')
  const { messages = [], request } = first.body.cause.input as CallInput
  if (request?.embeds === true) return refuse(id, 'its run gave vectors, not words.')
  return [...messages, (outcome.output as Completion).message]
}
