import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { environmentSecrets, REDACTED, scrubber } from '../../src/trace/index.ts'

const SECRET = 'sk-live/7+Q "x"\\9'
const { text, data, stream } = scrubber([{ value: SECRET, replacement: REDACTED }])

const FORMS: readonly (readonly [string, string])[] = [
  ['as it is', SECRET],
  ['in JSON', JSON.stringify({ key: SECRET })],
  ['in JSON in JSON', JSON.stringify({ args: JSON.stringify({ key: SECRET }) })],
  ['in a URL', `https://x.test/?key=${encodeURIComponent(SECRET)}&a=b`],
  ['in a form', new URLSearchParams({ key: SECRET.replace('"x"', '"x"') }).toString()],
  ['in base64', Buffer.from(SECRET).toString('base64')],
  ['in base64 for URLs', Buffer.from(SECRET).toString('base64url')],
  ['in basic authentication', `Basic ${Buffer.from(`ada:${SECRET}`).toString('base64')}`],
  ['inside of longer base64', Buffer.from(`{"a":"${'x'.repeat(4)}${SECRET}","b":1}`).toString('base64')],
]

/** Everything that a reader could decode a text to. */
const decoded = (given: string): string => {
  const base64 = [...given.matchAll(/[A-Za-z0-9+/_-]{8,}/g)].flatMap(([run]) => [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip).replaceAll('-', '+').replaceAll('_', '/'), 'base64').toString()))
  let url = given
  try {
    url = decodeURIComponent(given.replaceAll('+', ' '))
  } catch {
    // Not a URL.
  }
  return [given, url, given.replaceAll('\\"', '"').replaceAll('\\\\', '\\'), given.replaceAll('\\\\\\"', '"').replaceAll('\\\\\\\\', '\\'), ...base64].join('\n')
}

describe('a scrubber', () => {
  it.each(FORMS)('finds a secret %s', (_how, given) => {
    expect(decoded(given)).toContain(SECRET)
    const clean = text(given)
    expect(decoded(clean)).not.toContain(SECRET)
    expect(clean).toContain(REDACTED)
  })

  it('gives back the same object when there is nothing to take out', () => {
    const value = { a: [1, 'text', { b: null }], c: 'sk-live' }
    expect(data(value)).toBe(value)
  })

  it('cleans keys and values of data, and leaves everything else as it is', () => {
    expect(data({ keep: [1, true, null], [`x-${SECRET}`]: [`Bearer ${SECRET}`] })).toEqual({ keep: [1, true, null], [`x-${REDACTED}`]: [`Bearer ${REDACTED}`] })
  })

  it('knows a key of several lines by one of them', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJTU\n-----END PRIVATE KEY-----'
    const clean = scrubber([{ value: pem, replacement: REDACTED }])
    expect(clean.text('second line: AASCBKcwggSjAgEAAoIBAQC7VJTU')).toBe(`second line: ${REDACTED}`)
    expect(clean.text(JSON.stringify({ pem }))).toBe(`{"pem":"${REDACTED}"}`)
  })

  it('leaves values alone that are too short to tell', () => {
    expect(scrubber([{ value: 'abc', replacement: REDACTED }]).text('abcdef')).toBe('abcdef')
  })

  it('lets no piece of a streamed secret through, wherever it is cut, and all of the rest', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 60 }), (before, after, cuts) => {
        const whole = `${before}${SECRET}${after}`
        const passed: string[] = []
        const out = stream((piece) => void passed.push(piece))
        let at = 0
        for (let index = 0; at < whole.length; index++) {
          const length = cuts[index % cuts.length] ?? 1
          out.push(whole.slice(at, at + length))
          at += length
        }
        out.end()
        expect(passed.join('')).toBe(text(whole))
        expect(passed.join('')).not.toContain(SECRET)
      }),
      { numRuns: 500, seed: 11 },
    )
  })

  it('passes on at once what cannot become a secret', () => {
    const passed: string[] = []
    const out = stream((piece) => void passed.push(piece))
    out.push('Hello, ')
    out.push('wor')
    expect(passed.join('')).toBe('Hello, wor')
  })

  it('leaves JSON that is JSON, whatever surrounds the secret', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const clean = data({ [a]: `${b}${SECRET}${a}` })
        expect(JSON.stringify(clean)).not.toContain(JSON.stringify(SECRET).slice(1, -1))
        expect(JSON.parse(JSON.stringify(clean))).toEqual(clean)
      }),
      { numRuns: 300, seed: 5 },
    )
  })
})

describe('secrets of the environment', () => {
  it('are values of variables that are named like one, and passwords inside of addresses', () => {
    expect(
      environmentSecrets({
        OPENAI_API_KEY: 'sk-0123456789',
        GITHUB_TOKEN: 'ghp_0123456789abcdef',
        DATABASE_URL: 'postgres://app:hunter2hunter2@db/app',
        PGPASSWORD: 'not-named-so-1',
        DB_PASSWORD: 'correct horse battery staple',
        PATH: '/usr/bin:/bin/0123456789',
        KEYBOARD: 'qwertz0123456789',
        TOKENIZER: 'cl100k_base_000000000',
      }),
    ).toEqual(['sk-0123456789', 'ghp_0123456789abcdef', 'hunter2hunter2', 'hunter2hunter2', 'correct horse battery staple'])
  })

  it('are not ordinary words, which answers may hold', () => {
    expect(environmentSecrets({ DB_PASSWORD: 'postgres', API_KEY: 'none', AUTH_TOKEN: 'disabled' })).toEqual([])
  })
})
