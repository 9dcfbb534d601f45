// The files of a new project that are not an agent: how it is installed, checked and run. Invariant: `npm install && npm
// test` in a project just written passes, offline and without a key.
import { CI_WORKFLOW, WORKFLOW_PATH } from '../eval/ci-workflow.ts'

/** Templates of agents, with what each is for. */
export const TEMPLATES = {
  assistant: 'an assistant that works with tools, and asks a person before what cannot be undone',
  documents: 'answers to questions from your documents, with their sources',
  extraction: 'structured data out of text, with repair and a person for what cannot be read',
} as const

/** The name of a template. */
export type Template = keyof typeof TEMPLATES

/** What versions a new project begins with. */
export interface Versions {
  /** What to install as `stateloop`: a range, or the path of a package. */
  readonly stateloop: string
  readonly zod: string
  readonly typescript: string
  readonly node: string
}

const manifest = (name: string, template: Template, versions: Versions): string =>
  `${JSON.stringify(
    {
      name,
      version: '0.1.0',
      private: true,
      type: 'module',
      engines: { node: '>=22.19.0' },
      scripts: {
        start: `stateloop run ${template}`,
        test: 'npm run check && npm run test:agents && npm run eval',
        check: 'tsc --project .',
        'test:agents': 'node --test "agents/**/*.test.ts"',
        eval: 'stateloop eval',
        inspect: 'stateloop inspect',
      },
      dependencies: { stateloop: versions.stateloop, zod: versions.zod },
      devDependencies: { '@types/node': versions.node, typescript: versions.typescript },
    },
    null,
    2,
  )}\n`

const TSCONFIG = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
    },
    include: ['agents'],
  },
  null,
  2,
)}\n`

const TESTS_PATH = '.github/workflows/tests.yml'

const TESTS = `name: tests

on:
  push:
    branches: [main]
  pull_request:

jobs:
  tests:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-node@v6
        with:
          node-version: 24
          cache: npm
      - run: npm ci
      - run: npm test
`

const readme = (name: string, template: Template): string => `# ${name}

An agent made with [Stateloop](https://www.npmjs.com/package/stateloop): ${TEMPLATES[template]}.

\`\`\`sh
npm install
npm start        # runs the agent's example; rules answer until OPENAI_API_KEY is set
npm test         # types, tests, recordings and evaluations, offline
npm run inspect  # the statechart, and every step of each run, in the browser
\`\`\`

- \`agents/${template}/agent.ts\` is the agent as a state machine, \`prompts.ts\` what its models are told.
- \`agents/${template}/recordings\` holds runs that must go the same way again. \`npx stateloop record <run> -o agents/${template}/recordings/name.jsonl\` adds one.
- \`agents/${template}/evals\` says what a good answer is. \`.github/workflows/evals.yml\` compares each change with main.
- After a change of a prompt, \`npx stateloop replay agents/${template}/recordings\` shows the first step that differs.
`

/** Those files, by path from the project's root. */
export const projectFiles = (name: string, template: Template, versions: Versions): { readonly [path: string]: string } => ({
  'package.json': manifest(name, template, versions),
  'tsconfig.json': TSCONFIG,
  'README.md': readme(name, template),
  '.gitignore': 'node_modules\n.stateloop\n',
  [TESTS_PATH]: TESTS,
  [WORKFLOW_PATH]: CI_WORKFLOW,
})
