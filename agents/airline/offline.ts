// What answers when there is no API key: rules, not a language model. They look the user up, then the first reservation,
// and say when it leaves; for anything else they hand over to a person.
import { lastToolResults, replyCalls, replyText, scripted, textOf, type ModelProvider, type ModelRequest, type Rule } from 'stateloop'

const saidOf = ({ messages }: ModelRequest): string => textOf(messages.findLast(({ role }) => role === 'user')?.content ?? '')

const lookUp: Rule = (request) => {
  const [user] = /[a-z]+_[a-z]+_\d{4}/.exec(saidOf(request)) ?? []
  if (lastToolResults(request).length > 0) return undefined
  return user === undefined ? replyText('Which user id do you have?') : replyCalls({ name: 'get_user_details', args: { user_id: user } })
}

const answer: Rule = (request) => {
  const [result] = lastToolResults(request)
  const text = textOf(result?.content ?? '')
  if (result?.name === 'get_user_details') {
    const { reservations = [] } = (text.startsWith('{') ? JSON.parse(text) : {}) as { readonly reservations?: readonly string[] }
    return reservations[0] === undefined ? replyText('I find no reservation of yours.') : replyCalls({ name: 'get_reservation_details', args: { reservation_id: reservations[0] } })
  }
  if (result?.name !== 'get_reservation_details' || !text.startsWith('{')) return undefined
  const { reservation_id, flights } = JSON.parse(text) as { readonly reservation_id: string; readonly flights: readonly { readonly flight_number: string; readonly date: string; readonly destination: string }[] }
  return replyText(`Reservation ${reservation_id}: ${flights.map((flight) => `${flight.flight_number} to ${flight.destination} on ${flight.date}`).join(', then ')}.`)
}

const handOver: Rule = (request) => replyCalls({ name: 'transfer_to_human_agents', args: { summary: saidOf(request).slice(0, 200) } })

/** The provider for trying the agent without a key. It stands in for `openai` and charges nothing. */
export const offline: ModelProvider = scripted({ id: 'openai', rules: [lookUp, answer, handOver], price: { inputUsd: 0, outputUsd: 0 } })
