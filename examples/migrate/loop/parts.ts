// What every step from here on uses: the runtime, the tools and what a report must be. The accounts come from the runtime.
import { createRuntime, defineTool, openai, type Journal, type Runtime, type Services } from 'stateloop'
import { DeleteArgs, FindArgs, Report, type Accounts, type Work } from './accounts.ts'

/** One for the whole process. @param journal remembers the jobs; another process with the same one goes on with them. */
export const openRuntime = ({ endpoint, accounts }: Work, journal: Journal): Runtime => createRuntime({ journal, providers: [openai(endpoint)], services: { accounts } })

const accountsOf = (services: Services): Accounts => services['accounts'] as Accounts

export const findAccounts = defineTool({ description: 'Finds accounts that were not used for so many days.', input: FindArgs, run: ({ idleDays }, { services }) => accountsOf(services).find(idleDays) })

export const deleteAccount = defineTool({
  description: 'Deletes an account for good.',
  input: DeleteArgs,
  effect: 'irreversible',
  run: ({ account }, { services }) => accountsOf(services).remove(account),
})

export const output = Report
