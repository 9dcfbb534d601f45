// What all programs of this folder share and a migration leaves alone: the accounts, the functions behind the tools, and
// what the caller gets. Only `Job` knows of a framework.
import type { Runtime } from 'stateloop'
import { z } from 'zod'

/** What the model is told. */
export const INSTRUCTIONS = 'You clean up trial accounts. Find them first, delete only what was asked for, then report as JSON: { "deleted": number[], "note": string }.'

/** What a clean-up comes to. */
export const Report = z.object({ deleted: z.array(z.number()), note: z.string() })

/** The arguments of the tools. */
export const FindArgs = z.object({ idleDays: z.number() })
export const DeleteArgs = z.object({ account: z.number() })

/** The accounts; `deleted` is what is gone. */
export const openAccounts = () => {
  const idle = new Map([
    [11, 400],
    [12, 90],
    [13, 700],
  ])
  const deleted: number[] = []
  return {
    deleted,
    find: (idleDays: number) => [...idle].filter(([, days]) => days >= idleDays).map(([account]) => account),
    remove: (account: number) => {
      idle.delete(account)
      deleted.push(account)
      return `Account ${account} is deleted.`
    },
  }
}

/** The accounts as tools use them. */
export type Accounts = ReturnType<typeof openAccounts>

/** What a clean-up works with. */
export interface Work {
  readonly endpoint: { readonly baseURL: string; readonly apiKey: string }
  readonly accounts: Accounts
  /** Asks a person. */
  readonly confirm: (question: string) => Promise<boolean>
}

/** Which job it is, for whom, and who remembers it: what a loop by hand does not know. */
export interface Job {
  readonly runtime: Runtime
  readonly key: string
  readonly user: string
  readonly route: string
}
