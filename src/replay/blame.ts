// Finds the change behind a difference: in the prompt, the model, a schema, a limit, or the machine. Invariant: it blames
// only what it can show to have changed, and says so when nothing it can see has.
import { promptsOf, type Agent } from '../agent/index.ts'
import type { Json } from '../failure/index.ts'
import { diffJson, diffPrompts, formatPromptDiff, type JsonChange, type PromptDocument } from '../prompt/index.ts'
import { hashesOf, stepDocument, type CallHashes, type ModelAsk } from '../run/index.ts'
import { canonical, toJson } from '../schema/index.ts'
import { policyOf } from './agent-facts.ts'
import { isObject, type Fields } from './data.ts'
import type { Blame } from './difference.ts'
import { changeLines } from './place.ts'
import type { Recording } from './recording.ts'

/** A model call as it was recorded. */
export interface AskedCall extends Partial<CallHashes> {
  /** `provider/model`. */
  readonly name: string
}

const SHOWN = 12
const short = (hash: string): string => hash.slice(0, SHOWN)

/** A document among a recording's contents, by the beginning of its hash. */
const contentOf = ({ contents }: Recording, kind: string, hash: string | undefined): Json | undefined => {
  if (hash === undefined) return undefined
  for (const [full, content] of contents) if (content.kind === kind && full.startsWith(hash)) return JSON.parse(content.text) as Json
  return undefined
}

/** Text as lines of a report, each paragraph of unchanged text cut where it is long. */
const diffLines = (text: string): readonly string[] => {
  const marked = text.split('\n').filter((line) => /\[-|\{\+|^[~+-] /.test(line))
  return marked.length > 0 ? marked : text.split('\n')
}

const blamePrompt = (recording: Recording, agent: Agent, ask: ModelAsk, was: string): Blame => {
  const before = contentOf(recording, 'prompt', was)
  const after = promptsOf(agent).find(({ hash }) => hash === ask.prompt.hash)?.document
  const changes = before === undefined || after === undefined ? ['the recording does not hold the old text'] : diffLines(formatPromptDiff(diffPrompts(before as unknown as PromptDocument, after)))
  return { what: 'prompt', name: ask.prompt.id, before: short(was), after: short(ask.prompt.hash), changes }
}

/** Which part of a step a change belongs to. */
const partOf = (path: string): Blame['what'] => {
  if (path.startsWith('tools')) return 'tool schema'
  return path.startsWith('output') ? 'output schema' : 'model'
}

/** Tools by name, so that a change is told by the tool and not by its position. */
const toolsByName = (step: Fields): Fields => {
  const tools = step['tools']
  return Array.isArray(tools) ? { ...step, tools: Object.fromEntries(tools.map((tool) => [String((tool as Fields)['name']), tool as Json])) } : step
}

const blameStepHash = (recording: Recording, ask: ModelAsk, recorded: AskedCall): Blame => {
  const after = toolsByName(toJson(stepDocument(ask)) as Fields)
  const old = contentOf(recording, 'step', recorded.stepHash)
  const hashes = { before: short(recorded.stepHash ?? ''), after: short(hashesOf(ask).stepHash) }
  const model = `${ask.model.provider}/${ask.model.model}`
  if (!isObject(old)) {
    const changed = recorded.name === model ? 'parameters, tools or the output schema changed; the recording does not hold the old ones' : `${recorded.name} → ${model}`
    return { what: 'model', name: model, ...hashes, changes: [changed] }
  }
  const { prompt: _before, ...before } = toolsByName(old)
  const { prompt: _after, ...now } = after
  const changes = diffJson(before, now)
  const what = partOf(changes[0]?.path ?? '')
  const name = what === 'tool schema' ? (/^tools\.([^.[]+)/.exec(changes[0]?.path ?? '')?.[1] ?? ask.state) : what === 'model' ? model : ask.state
  return { what, name, ...hashes, changes: changeLines(changes) }
}

/** What changed in a request whose step is not the recorded one. */
export const blameRequest = (recording: Recording, agent: Agent, ask: ModelAsk, recorded: AskedCall): Blame => {
  const now = hashesOf(ask)
  return recorded.promptHash !== undefined && recorded.promptHash !== now.promptHash ? blamePrompt(recording, agent, ask, recorded.promptHash) : blameStepHash(recording, ask, recorded)
}

const renamed = (states: Fields, now: Fields): readonly (readonly [before: string, after: string])[] => {
  const gone = Object.keys(states).filter((name) => !Object.hasOwn(now, name))
  const came = Object.keys(now).filter((name) => !Object.hasOwn(states, name))
  return gone.flatMap((name) => {
    const pattern = canonical(states[name]).replaceAll(JSON.stringify(name).slice(1, -1), '')
    const match = came.find((other) => canonical(now[other]).replaceAll(JSON.stringify(other).slice(1, -1), '') === pattern)
    return match === undefined ? [] : [[name, match] as const]
  })
}

const structureChanges = (before: Json, after: Json, near: readonly string[]): readonly JsonChange[] => {
  const changes = diffJson(before, after)
  const close = ({ path }: JsonChange): number => (near.some((state) => path.includes(`.${state}`)) ? 0 : 1)
  return changes.toSorted((a, b) => close(a) - close(b))
}

const statesOf = (definition: Json): Fields => {
  const machine = isObject(definition) ? definition['machine'] : undefined
  const states = isObject(machine) ? machine['states'] : undefined
  return isObject(states) ? states : {}
}

/** What changed in the structure, if something did. @param near states that the difference is about. */
const blameStructure = ({ recording, agent }: Suspects, near: readonly string[]): Blame | undefined => {
  const was = recording.row.agentHash
  if (was === agent.hash) return undefined
  const start = recording.entries[0]?.body.cause
  const before = contentOf(recording, 'agent', start?.type === 'start' ? start.agent.definition : undefined)
  const after = toJson(agent.definition) ?? null
  const hashes = { before: short(was), after: short(agent.hash) }
  if (before === undefined) return { what: 'machine', name: agent.id, ...hashes, changes: ['the recording does not hold the old structure'] }
  const changes = structureChanges(before, after, near)
  const tools = changes.filter(({ path }) => path.startsWith('tools.'))
  if (tools.length === changes.length) return { what: 'tool schema', name: /^tools\.([^.[]+)/.exec(tools[0]?.path ?? '')?.[1] ?? agent.id, ...hashes, changes: changeLines(tools) }
  const names = renamed(statesOf(before), statesOf(after))
  const lines = names.map(([old, now]) => `state ${old} is now called ${now}`)
  return { what: 'machine', name: agent.id, ...hashes, changes: lines.length > 0 ? lines : changeLines(changes) }
}

/** What may be to blame for a step that went another way. */
export interface Suspects {
  readonly recording: Recording
  readonly agent: Agent
}

const blamePolicy = ({ recording, agent }: Suspects): Blame | undefined => {
  const before = contentOf(recording, 'policy', '')
  const changes = before === undefined ? [] : diffJson(before, policyOf(agent))
  return changes.length === 0 ? undefined : { what: 'policy', name: agent.id, changes: changeLines(changes) }
}

/**
 * What changed so that a step led elsewhere.
 * @param near states that the difference is about.
 * @param limited true when a limit was reached then or now.
 */
export const blameStep = (suspects: Suspects, near: readonly string[], limited: boolean): Blame => {
  const policy = blamePolicy(suspects)
  if (limited && policy !== undefined) return policy
  return (
    blameStructure(suspects, near) ??
    policy ?? {
      what: 'machine',
      name: suspects.agent.id,
      changes: [`the structure is the same, so a function decides otherwise now: look at the guards, arguments, save and output of ${near.join(', ') || 'the machine'}`],
    }
  )
}
