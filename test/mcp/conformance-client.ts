// The client that the conformance suite starts: it takes the tools of the server at the address it is given and calls the first.
import { mcpTools } from 'stateloop/mcp'

const url = process.argv.at(-1) ?? ''
await using server = await mcpTools({ name: 'conformance', server: { url }, tools: { effect: 'none' } })
const [tool] = Object.values(server.tools)
await tool?.run({ a: 5, b: 3 }, { signal: new AbortController().signal, services: {}, key: 'k', log: () => {}, addCost: () => {} } as never)
