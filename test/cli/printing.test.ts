import { describe, expect, it } from 'vitest'
import { showDuration, showUsd } from '../../src/cli/amounts.ts'
import { chooseProviders } from '../../src/cli/providers.ts'
import { showOutput } from '../../src/cli/result.ts'
import { commandLine } from '../../src/cli/shell.ts'
import { replyText, scripted } from '../../src/model/index.ts'

describe('amounts', () => {
  it('read well at every size', () => {
    expect([0, 999, 1_000, 59_949, 59_951, 3_599_400, 7_500_000].map(showDuration)).toEqual(['0 ms', '999 ms', '1.0 s', '59.9 s', '1 min 0 s', '59 min 59 s', '2 h 5 min'])
    expect([null, 0, 0.000_000_4, 0.000_012, 1.5].map(showUsd)).toEqual(['price unknown', '$0', '<$0.000001', '$0.000012', '$1.5000'])
  })
})

describe('a command line', () => {
  it('survives the shell of each platform', () => {
    const args = ['send', 'id', '{"type":"IT\'S"}']
    expect(commandLine(args, { platform: 'linux', program: 'stateloop' })).toBe(`stateloop send id '{"type":"IT'\\''S"}'`)
    expect(commandLine(args, { platform: 'win32', program: 'npx stateloop' })).toBe(`npx stateloop send id "{\\"type\\":\\"IT'S\\"}"`)
  })
})

describe('an output', () => {
  it('is text where it is text, an answer with sources, or else JSON', () => {
    expect(showOutput('hi\u001b[2J')).toBe('hi[2J')
    expect(showOutput({ answer: 'yes', sources: [] })).toBe('yes')
    expect(showOutput({ answer: 'yes', sources: ['a.md', 'b.md'] })).toBe('yes\n\nSources:\n  a.md\n  b.md')
    expect(showOutput({ answer: 'yes', score: 1 })).toBe('{\n  "answer": "yes",\n  "score": 1\n}')
  })
})

describe('providers', () => {
  const named = (id: string) => scripted({ id, rules: () => replyText('') })

  it('use offline rules only where there is no key, and say so', () => {
    const offline = named('openai')
    expect(chooseProviders({}, { offline }, {})).toMatchObject({ providers: [offline], notes: [expect.stringContaining('not a language model')] })
    const real = chooseProviders({}, { offline }, { OPENAI_API_KEY: 'sk-test' })
    expect(real.notes).toEqual([])
    expect(real.providers).not.toContain(offline)
  })

  it('prefer the settings to the module, and the module to the offline rules', () => {
    const [first, second, third] = [named('a'), named('a'), named('a')]
    expect(chooseProviders({ providers: [first] }, { providers: [second], offline: third }, {}).providers.filter(({ id }) => id === 'a')).toEqual([first])
    expect(chooseProviders({}, { providers: [second], offline: third }, {})).toMatchObject({ notes: [] })
  })

  it('refuse exports of another shape', () => {
    expect(() => chooseProviders({}, { providers: {} }, {})).toThrow('must be a list')
    expect(() => chooseProviders({}, { offline: 'rules' }, {})).toThrow('must be a model provider')
  })
})
