// Evaluates an agent twice: as it is, and after a change that makes it worse. The second run is compared with the first,
// case by case, and blocked.
import { agent, lastUserText, replyText, scripted } from 'stateloop'
import { evaluation, matches, ResultStore, runEvaluation, type Identity } from 'stateloop/eval'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const capitals = { France: 'Paris', Italy: 'Rome', Spain: 'Madrid', Peru: 'Lima', Kenya: 'Nairobi', Chile: 'Santiago' }
const questions = Object.entries(capitals).flatMap(([country, capital]) =>
  [`What is the capital of ${country}?`, `Capital of ${country}`, `${country}: capital?`].map((input, at) => ({ id: `${country} ${at}`, input, expected: capital, cluster: country })),
)

/** Stands in for a model: it knows the capitals, or is unsure when the prompt asks it to be careful. */
const model = scripted({
  rules: (request) => {
    const [, capital = 'no idea'] = Object.entries(capitals).find(([country]) => lastUserText(request).includes(country)) ?? []
    return replyText(JSON.stringify(request.messages).includes('careful') ? 'I would rather not say.' : `It is ${capital}.`)
  },
})

const geography = (prompt: string) =>
  evaluation({
    name: 'geography',
    agent: agent({ id: 'geography', model: 'scripted/small', prompt, tools: {} }),
    cases: questions,
    scorers: { names: matches(({ expected }) => new RegExp(String(expected))) },
    providers: [model],
  })

// The command `stateloop eval` finds this out by itself, from the code and the agent.
const version = (code: string): Identity => ({ code, structure: '', states: {}, unknown: [], files: [] })

const store = await ResultStore.open(await mkdtemp(join(tmpdir(), 'evals-')), 'geography')
const before = await runEvaluation(geography('Answer in one sentence.'), { store, identity: version('before') })
const base = store.standings.at(-1)
const after = await runEvaluation(geography('Be careful.'), { store, identity: version('after'), ...(base === undefined ? {} : { base }) })

for (const { ran, cases, gate } of [before, after]) {
  const passed = cases.filter(({ trials }) => trials[0]?.status === 'passed').length
  console.log(`${passed} of ${cases.length} passed in ${ran} trials: ${gate.verdict}`)
}
console.log(after.cases[0]?.trials[0]?.scores['names']?.reasons[0])

// prints:
// 18 of 18 passed in 18 trials: inconclusive
// 0 of 18 passed in 18 trials: regressed
// must match /Paris/, seen "I would rather not say."
