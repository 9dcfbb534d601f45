// What is wrong with an agent. Checks collect problems instead of throwing, so that an author sees all of them at once.
import { fail } from '../failure/index.ts'

/** One thing that is wrong, and what to do about it. */
export interface Problem {
  /** State path; empty for the agent itself. */
  readonly state: string
  readonly problem: string
}

/** Refuses an agent that has problems. @throws FailureError `agent_invalid`, listing every problem with its state. */
export const refuseProblems = (id: string, problems: readonly Problem[]): void => {
  if (problems.length === 0) return
  const unique = [...new Map(problems.map((found) => [`${found.state}\n${found.problem}`, found])).values()]
  const lines = unique.map(({ state, problem }) => `  - ${state === '' ? '(agent)' : state}: ${problem}`)
  fail('agent_invalid', `The agent '${id}' cannot be created. ${unique.length === 1 ? 'One problem was' : `${unique.length} problems were`} found; fix ${unique.length === 1 ? 'it' : 'each'}:\n${lines.join('\n')}`, {
    details: { agent: id, problems: unique.map(({ state, problem }) => ({ state, problem })) },
  })
}
