// The world of an evaluated run: tickets in memory, a person who decides as the case says, and what is left afterwards.
import type { OutsideEvent, Waiting } from 'stateloop'
import { openTickets, type Tickets } from '../tools.ts'

/** Tickets that exist for one trial only. */
export const services = (): { readonly tickets: Tickets } => ({ tickets: openTickets(':memory:') })

/** Decides held-back calls as the case says; a case that says nothing leaves them waiting. */
export const respond = (waiting: Waiting, { metadata }: { readonly metadata?: { readonly [name: string]: unknown } }): OutsideEvent | undefined => {
  const decision = metadata?.['decision']
  if (waiting.for !== 'approval' || typeof decision !== 'string') return undefined
  return { type: decision === 'approve' ? 'APPROVE' : 'REJECT', hashes: (waiting.calls ?? []).map(({ hash }) => hash) }
}

/** The tickets that were filed. */
export const capture = ({ services: { tickets } }: { readonly services: { readonly [name: string]: unknown } }): unknown => {
  const all = (tickets as Tickets).all()
  ;(tickets as Tickets).close()
  return { tickets: all }
}
