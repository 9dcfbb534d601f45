// The ledger of a process that may forget, on maps. Invariant: adding a charge costs the same however many came before.
import type { Charge, ChargeKey } from './charge.ts'
import { addCharge, addTotal, emptyTotal, hourOf, hoursOf, HOUR_MS, isWhere, keyOf, keyText, type Amounts, type DearRun, type DearRunQuery, type LedgerQuery, type LedgerRow, type Total } from './ledger.ts'

/** A ledger in memory. */
export interface MemoryLedger {
  /** As `LedgerStore.read`, at once. */
  read(query: LedgerQuery): readonly LedgerRow[]
  add(charges: readonly Charge[]): void
  /** Takes a user's name out of the keys; sums stay. */
  forget(user: string, tenant?: string): void
}

const onlySums = (total: Total, only: readonly (keyof Amounts)[]): Total => ({ ...emptyTotal(), ...Object.fromEntries(only.map((name) => [name, total[name]])), firstAt: total.firstAt, lastAt: total.lastAt })

const pick = (key: ChargeKey, by: readonly (keyof ChargeKey)[]): Partial<ChargeKey> => Object.fromEntries(by.flatMap((field) => (key[field] === undefined ? [] : [[field, key[field]]])))

/** Makes an empty one. */
export const memoryLedger = (): MemoryLedger => {
  const keys = new Map<string, { readonly key: ChargeKey; readonly hours: Map<number, Total> }>()
  let forgotten = 0
  return {
    add(charges) {
      for (const charge of charges) {
        const id = keyText(charge)
        const entry = keys.get(id) ?? { key: keyOf(charge), hours: new Map<number, Total>() }
        keys.set(id, entry)
        const hour = hourOf(charge.at)
        const total = entry.hours.get(hour) ?? emptyTotal()
        entry.hours.set(hour, total)
        addCharge(total, charge)
      }
    },
    forget(user, tenant) {
      for (const [id, { key, hours }] of keys) {
        if (key.user !== user || (tenant !== undefined && key.tenant !== tenant)) continue
        const { user: _user, ...rest } = key
        keys.delete(id)
        keys.set(`forgotten ${++forgotten}`, { key: rest, hours })
      }
    },
    read(query) {
      const { first, end, width } = hoursOf(query)
      const rows = new Map<string, LedgerRow>()
      for (const { key: full, hours } of keys.values()) {
        if (!isWhere(full, query.where)) continue
        const key = query.by === undefined ? full : pick(full, query.by)
        for (const [hour, total] of hours) {
          if (hour < first || hour >= end) continue
          const windowMs = (first + Math.floor((hour - first) / width) * width) * HOUR_MS
          const id = `${keyText(key)} ${windowMs}`
          const row = rows.get(id) ?? { key, windowMs, total: emptyTotal() }
          rows.set(id, row)
          addTotal(row.total, query.only === undefined ? total : onlySums(total, query.only))
        }
      }
      return [...rows.values()]
    },
  }
}

/** The dearest of these runs, as `LedgerStore.dearest` gives them. */
export const rankRuns = (runs: readonly (Omit<DearRun, 'run'> & { readonly id: string })[], { sinceMs, untilMs, where = {}, limit }: DearRunQuery): readonly DearRun[] =>
  runs
    .filter((run) => run.costNano > 0 && run.startedAt >= sinceMs && run.startedAt < untilMs && (['user', 'route', 'tenant', 'agent'] as const).every((field) => where[field] === undefined || where[field] === run[field]))
    .toSorted((a, b) => b.costNano - a.costNano)
    .slice(0, limit)
    .map(({ id, agent, user, route, tenant, startedAt, costNano, modelCalls }) => ({
      run: id,
      agent,
      ...(user === undefined ? {} : { user }),
      ...(route === undefined ? {} : { route }),
      ...(tenant === undefined ? {} : { tenant }),
      startedAt,
      costNano,
      modelCalls,
    }))
