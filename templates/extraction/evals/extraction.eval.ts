// Letters with the invoice that is in them. Run them with: npx stateloop eval
import { evaluation, jsonSubset, within } from 'stateloop/eval'
import extraction from '../agent.ts'

export { offline } from '../offline.ts'

interface Expected {
  readonly vendor: string
  readonly total: number
}

export default evaluation({
  name: 'extraction',
  agent: extraction,
  cases: [
    { id: 'lamps', input: { letter: 'An invoice from Lamp House, with a total of 129.50 EUR, due on 2027-01-31.' }, expected: { vendor: 'Lamp House', total: 129.5 } as Expected },
    { id: 'paper', input: { letter: 'Enclosed the invoice from Paper Mill, a total of 12 EUR.' }, expected: { vendor: 'Paper Mill', total: 12 } },
  ],
  scorers: { invoice: jsonSubset({ tolerance: { absolute: 0.005 } }), bounds: within({ modelCalls: 3, costUsd: 0.02 }) },
})
