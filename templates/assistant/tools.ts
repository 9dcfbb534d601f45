// What the assistant can do. Cancelling cannot be undone, so a person approves exactly that call before it happens.
import { defineTool } from 'stateloop'
import { z } from 'zod'

/** Replace this with your own store. */
const orders = new Map([
  [7, { status: 'shipped', total: 40 }],
  [8, { status: 'open', total: 12 }],
])

export const findOrder = defineTool({
  description: 'Finds an order by its number.',
  input: z.object({ order: z.number() }),
  output: z.object({ order: z.number(), status: z.string(), total: z.number().optional() }),
  run: ({ order }) => ({ order, ...(orders.get(order) ?? { status: 'unknown' }) }),
})

export const cancelOrder = defineTool({
  description: 'Cancels an order that was not shipped yet.',
  input: z.object({ order: z.number() }),
  effect: 'irreversible',
  idempotent: true,
  run: ({ order }) => {
    orders.set(order, { status: 'cancelled', total: 0 })
    return { order, status: 'cancelled' }
  },
})
