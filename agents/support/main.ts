// What `npm start` runs: the support agent through the command line, with a question to begin with when none is given.
const FIRST_QUESTION = 'What is Stateloop, and what happens to a run after a crash?'

const args = process.argv.slice(2)
const asked = args.some((arg) => arg.startsWith('--question') || arg.startsWith('--input'))
process.argv.splice(2, args.length, 'run', 'support', ...(asked ? [] : ['--question', FIRST_QUESTION]), ...args)
void import('../../src/cli/main.ts')
