// The programs of the guide from a loop by hand, over the same wire: equal while all is well, and what differs when it is
// not. The last step, `stateloop eject`, is played as well.
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryJournal, replyCalls, replyFailure, replyRefusal, reportCosts, scripted, type Journal, type ModelRequest, type RunOutcome, type ScriptedReply } from 'stateloop'
import { scriptedServer, type ScriptedCall } from 'stateloop/testing'
import { openAccounts, type Job, type Work } from '../../examples/migrate/loop/accounts.ts'
import * as after from '../../examples/migrate/loop/after.ts'
import * as before from '../../examples/migrate/loop/before.ts'
import ejected from '../../examples/migrate/loop/ejected.ts'
import { cleanerRules, halfOfReports } from '../../examples/migrate/loop/model.ts'
import { openRuntime } from '../../examples/migrate/loop/parts.ts'
import * as recorded from '../../examples/migrate/loop/recorded.ts'
import { ejectAgent } from '../../src/agent/index.ts'
import { copyPrefix } from '../run/harness.ts'

type Rules = (request: ModelRequest) => ScriptedReply

const REQUEST = 'Delete the trial accounts that nobody used for a year.'
const endpointFor = async (rules: Rules): Promise<Work['endpoint']> => {
  const server = await scriptedServer({ provider: scripted({ rules }) })
  onTestFinished(() => server.close())
  return { baseURL: server.url, apiKey: 'none' }
}
const jobFor = (work: Work, { journal = memoryJournal() as Journal, ...job }: { readonly journal?: Journal; readonly key?: string; readonly user?: string } = {}): Job => {
  const runtime = openRuntime(work, journal)
  onTestFinished(() => runtime.close(0))
  return { runtime, key: 'november', user: 'ada', route: '/clean-up', ...job }
}

/** A person who lets these accounts go, and what they were asked. */
const person = (...gone: readonly number[]): { readonly asked: string[]; readonly confirm: Work['confirm'] } => {
  const asked: string[] = []
  const confirm: Work['confirm'] = async (question) => {
    asked.push(question)
    return Promise.resolve(gone.some((account) => question.includes(String(account))))
  }
  return { asked, confirm }
}

const logged: string[] = []
beforeEach(() => void vi.spyOn(console, 'log').mockImplementation((line: string) => void logged.push(line)))
afterEach(() => {
  vi.restoreAllMocks()
  logged.length = 0
})

const programs: { readonly [name: string]: (work: Work) => Promise<unknown> } = {
  'the loop': (work) => before.cleanUp(REQUEST, work),
  'the recorded loop': async (work) => outputOf(await recorded.cleanUp(REQUEST, work, jobFor(work))),
  'the agent': async (work) => outputOf(await after.cleanUp(REQUEST, work, jobFor(work))),
  'the ejected agent': async (work) => outputOf(await after.cleanUp(REQUEST, work, jobFor(work), ejected)),
}
const outputOf = (outcome: RunOutcome): unknown => (outcome.outcome === 'done' ? outcome.output : outcome)

describe('while all is well', () => {
  test.for(Object.entries(programs))('%s finds, asks, deletes and reports the same', async ([, cleanUp]) => {
    for (const [gone, note] of [
      [[11, 13], 'Nothing was kept.'],
      [[11], 'A person kept some.'],
      [[], 'A person kept some.'],
    ] as const) {
      const [accounts, { asked, confirm }] = [openAccounts(), person(...gone)]
      expect(await cleanUp({ endpoint: await endpointFor(cleanerRules), accounts, confirm })).toEqual({ deleted: gone, note })
      expect(asked).toEqual(['Delete account 11?', 'Delete account 13?'])
      expect(accounts.deleted).toEqual(gone)
    }
  })

  test('the loop knows what it cost, and the others also for whom', async () => {
    const endpoint = await endpointFor(cleanerRules)
    const work = (): Work => ({ endpoint, accounts: openAccounts(), confirm: person(11).confirm })
    const journal = memoryJournal()
    await before.cleanUp(REQUEST, work())
    await recorded.cleanUp(REQUEST, work(), jobFor(work(), { journal, key: 'one', user: 'ben' }))
    await after.cleanUp(REQUEST, work(), jobFor(work(), { journal, key: 'two' }))
    expect(logged).toEqual([expect.stringMatching(/^cost 0\.000\d+ USD$/)])
    const { groups } = await reportCosts(journal.ledger!, { by: ['user'], sinceMs: 0, untilMs: Date.now() })
    expect(groups.map(({ key, calls }) => [key.user, calls]).toSorted()).toEqual([
      ['ada', 3],
      ['ben', 3],
    ])
  })

  test('what eject prints is the agent, so that a run which waits goes on with it', async () => {
    expect(ejectAgent(after.default)).toContain("answering: t.model('model', {")
    expect(ejected.hash).toBe(after.default.hash)
    const work = { endpoint: await endpointFor(cleanerRules), accounts: openAccounts(), confirm: person(11, 13).confirm }
    const journal = memoryJournal()
    const first = await jobFor(work, { journal }).runtime.start(after.default, REQUEST, { key: 'november' })
    expect((await first.outcome()).outcome).toBe('waiting')
    expect(await after.cleanUp(REQUEST, work, jobFor(work, { journal }), ejected)).toMatchObject({ run: first.id, outcome: 'done', output: { deleted: [11, 13] } })
  })
})

describe('when the model fails', () => {
  const calling =
    (call: ScriptedCall): Rules =>
    (request) =>
      request.messages.some(({ role }) => role === 'tool') ? cleanerRules(request) : replyCalls(call)
  const report = { deleted: [11], note: 'A person kept some.' }

  test.for<readonly [mood: string, rules: Rules, before: RegExp, after: unknown]>([
    ['calls are limited', () => replyFailure('rate_limited', { provider: { status: 429 } }), /^429/, 'rate_limited'],
    ['a completion holds no choice', () => replyFailure('empty_response'), /undefined/, 'empty_response'],
    ['a report is half a JSON', halfOfReports, /^not a report/, report],
    ['the model refuses', () => replyRefusal(), /^not a report/, 'refused'],
    ['arguments are half a JSON', calling({ name: 'findAccounts', args: null, raw: '{"idleDays":' }), /JSON/, { deleted: [], note: 'Nothing was kept.' }],
    ['arguments do not fit', calling({ name: 'findAccounts', args: { idleDays: 'a year' } }), /expected number/, { deleted: [], note: 'Nothing was kept.' }],
    ['the model asks the same for ever', () => replyCalls({ name: 'findAccounts', args: { idleDays: 365 } }), /^too many turns/, 'no_progress'],
  ])('%s', async ([, rules, threw, expected]) => {
    const endpoint = await endpointFor(rules)
    const work = (): Work => ({ endpoint, accounts: openAccounts(), confirm: person(11).confirm })
    await expect(before.cleanUp(REQUEST, work())).rejects.toThrow(threw)
    expect(await recorded.cleanUp(REQUEST, work(), jobFor(work()))).toMatchObject({ outcome: 'failed', failure: { code: 'code_failed' } })
    const outcome = await after.cleanUp(REQUEST, work(), jobFor(work()))
    expect('failure' in outcome ? outcome.failure.code : outputOf(outcome)).toEqual(expected)
  })
})

describe('when the process dies between two answers of a person', () => {
  /** A person who lets account 11 go and says nothing to the next question. */
  const silent = () => {
    const { promise: askedTwice, resolve } = Promise.withResolvers<void>()
    const confirm: Work['confirm'] = (question) => (question.includes('11') ? Promise.resolve(true) : (resolve(), new Promise(() => undefined)))
    return { askedTwice, confirm }
  }

  test('the loop begins again: it pays for the same calls and asks the same questions', async () => {
    let calls = 0
    const [endpoint, accounts, first, second] = [await endpointFor((request) => (calls++, cleanerRules(request))), openAccounts(), silent(), person(11, 13)]
    void before.cleanUp(REQUEST, { endpoint, accounts, confirm: first.confirm })
    await first.askedTwice
    expect(await before.cleanUp(REQUEST, { endpoint, accounts, confirm: second.confirm })).toEqual({ deleted: [13], note: 'Nothing was kept.' })
    expect({ calls, deleted: accounts.deleted }).toEqual({ calls: 5, deleted: [11, 13] })
  })

  /** The journal as a killed process leaves it: with the entries so far, and nobody at work. */
  const leftBehind = async (journal: Journal): Promise<Journal> => {
    const left = memoryJournal()
    for (const { id } of await journal.list({})) await copyPrefix(journal, left, id, Infinity)
    return left
  }

  test.for([
    // A loop is at work while it waits; an agent that waits for a person is at rest, and its journal is free.
    ['recorded loop', recorded.cleanUp, leftBehind],
    ['agent', after.cleanUp, (journal: Journal) => journal],
  ] as const)('the %s goes on with the question that is open', async ([, cleanUp, journalAfter]) => {
    let calls = 0
    const [endpoint, accounts, first, second] = [await endpointFor((request) => (calls++, cleanerRules(request))), openAccounts(), silent(), person(11, 13)]
    const work = { endpoint, accounts, confirm: first.confirm }
    const journal = memoryJournal()
    void cleanUp(REQUEST, work, jobFor(work, { journal })).catch(() => undefined)
    await first.askedTwice
    const outcome = await cleanUp(REQUEST, { confirm: second.confirm }, jobFor(work, { journal: await journalAfter(journal) }))
    expect(outcome).toMatchObject({ outcome: 'done', output: { deleted: [11, 13], note: 'Nothing was kept.' } })
    expect({ calls, asked: second.asked, deleted: accounts.deleted }).toEqual({ calls: 3, asked: ['Delete account 13?'], deleted: [11, 13] })
  })
})
