// Reserve, then spend: calls at work at the same time cannot overspend a run's cap together.
import { failure } from '../failure/index.ts'
import type { Acting } from './effect.ts'

/** Keeps what the calls in flight could cost at worst, by run. */
export const reservations = (): Acting['reserve'] => {
  const reserved = new Map<string, number>()
  return (run, capNano, spentNano, worstNano) => {
    const held = reserved.get(run) ?? 0
    if (spentNano + held + worstNano > capNano) {
      const usd = (nano: number): string => (nano / 1e9).toFixed(6)
      return failure(
        'budget_exceeded',
        `The call could cost up to ${usd(worstNano)} USD, but of the run's ${usd(capNano)} USD only ${usd(Math.max(0, capNano - spentNano - held))} are left, so it was not sent. Raise limits.costUsd, lower maxOutputTokens, or route budget_exceeded.`,
        {
          details: { scope: 'run', limit: 'costUsd', value: capNano / 1e9, spent: spentNano / 1e9, reserved: held / 1e9, worstCase: worstNano / 1e9 },
        },
      )
    }
    reserved.set(run, held + worstNano)
    return () => {
      const left = (reserved.get(run) ?? 0) - worstNano
      if (left <= 0) reserved.delete(run)
      else reserved.set(run, left)
    }
  }
}
