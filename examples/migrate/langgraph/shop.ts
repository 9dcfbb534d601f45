// What both programs share and a migration leaves alone: the shop's data, the functions behind the tools, and how a web
// route talks to the desk. Nothing here knows of a framework.
import { z } from 'zod'

/** A page of the shop's help. */
export const Page = z.object({ id: z.string(), text: z.string() })

/** Topics that a question can have. */
export const Topic = z.object({ topic: z.enum(['order', 'howto', 'other']) })

/** What the model is told. */
export const INSTRUCTIONS = 'You are the desk of a shop for kitchen machines. Look an order up before you refund it.'

/** What the desk says to a question that is none of its business. */
export const DECLINED = 'I can only help with orders and with our machines.'

const PAGES: readonly z.infer<typeof Page>[] = [
  { id: 'kettle', text: 'Descale the kettle with two spoons of citric acid.' },
  { id: 'grinder', text: 'Clean the grinder with a dry brush.' },
]

/** The pages that have a word of the question. */
export const searchPages = (question: string): readonly z.infer<typeof Page>[] => PAGES.filter(({ id }) => question.toLowerCase().includes(id))

/** The shop's systems; `refunded` is what went out. */
export const openShop = () => {
  const prices = new Map([
    [7, 30],
    [8, 55],
  ])
  const refunded: number[] = []
  return {
    refunded,
    lookup: (order: number) => ({ order, priceUsd: prices.get(order) ?? null }),
    refund: (order: number, amountUsd: number) => {
      refunded.push(order)
      return `Order ${order}: ${amountUsd} USD paid back.`
    },
  }
}

/** The shop's systems as tools use them. */
export type Shop = ReturnType<typeof openShop>

/** Where the model is. */
export interface Endpoint {
  readonly baseURL: string
  readonly apiKey: string
  readonly defaultHeaders?: Record<string, string>
}

/** How far a question came: answered, or at a refund that a person must decide. */
export type Turn = { readonly answer: string } | { readonly toApprove: unknown }

/** The desk as a web route uses it. A conversation has one question at a time. */
export interface Desk {
  /** @param onText gets the answer as the model writes it. */
  readonly ask: (question: string, from: { readonly customer: string; readonly conversation: string }, onText?: (text: string) => void) => Promise<Turn>
  /** Decides the refund that a conversation waits for. */
  readonly decide: (conversation: string, approved: boolean) => Promise<Turn>
}
