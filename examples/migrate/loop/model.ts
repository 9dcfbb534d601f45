// What stands in for the model in this folder: rules that read a request and answer as a model would.
import { lastToolResults, lastUserText, replyCalls, replyOutput, textOf, type ModelRequest, type ScriptedReply } from 'stateloop'

/** Answers one request. */
export const cleanerRules = (request: ModelRequest): ScriptedReply => {
  const results = lastToolResults(request).map(({ content }) => textOf(content))
  const found = results[0]?.startsWith('[') === true ? (JSON.parse(results[0]) as readonly number[]) : []
  if (found.length > 0) return replyCalls(...found.map((account) => ({ name: 'deleteAccount', args: { account } })))
  if (results.length > 0 || lastUserText(request).includes('did not match')) {
    const said = request.messages.map(({ content }) => textOf(content)).join('\n')
    const deleted = [...said.matchAll(/Account (\d+) is deleted/g)].map(([, account]) => Number(account))
    return replyOutput({ deleted, note: said.includes('denied') ? 'A person kept some.' : 'Nothing was kept.' })
  }
  return replyCalls({ name: 'findAccounts', args: { idleDays: 365 } })
}

/** The same model, which writes only half of a report until somebody tells it. */
export const halfOfReports = (request: ModelRequest): ScriptedReply => {
  const reply = cleanerRules(request)
  const told = lastUserText(request).includes('did not match')
  return 'text' in reply && reply.text !== undefined && !told ? { ...reply, text: reply.text.slice(0, 12) } : reply
}
