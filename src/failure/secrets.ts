// Shapes of secrets that are known: keys of providers, tokens, private keys. Invariant: this is the only place that lists
// them, so that what scrubs and what refuses to write agree.

/** A secret found in a text. */
export interface FoundSecret {
  /** What it looks like. */
  readonly kind: string
  /** Position in the text. */
  readonly index: number
  readonly text: string
}

const SHAPES: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['an Anthropic key', /\bsk-ant-[\w-]{20,}/g],
  ['an OpenAI key', /\bsk-(?!ant-)(?:proj-|svcacct-|admin-)?[\w-]{20,}/g],
  ['an AWS access key id', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['a GitHub token', /\b(?:gh[pousr]_\w{36,}|github_pat_\w{22,})/g],
  ['a GitLab token', /\bglpat-[\w-]{20,}/g],
  ['a Slack token', /\bxox[abeprs]-[\w-]{10,}/g],
  ['a Google API key', /\bAIza[\w-]{35}/g],
  ['a Stripe key', /\b[rs]k_(?:live|test)_\w{16,}/g],
  ['an npm token', /\bnpm_\w{36}/g],
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g],
  ['a JSON web token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g],
  ['a bearer token', /\bBearer [\w.~+/-]{20,}=*/g],
  ['a password in an address', /\b[a-z][a-z\d+.-]*:\/\/[^\s/:@"']+:[^\s/:@"']+@/g],
]

/** Secrets of known shapes in a text, in the order in which they stand. */
export const findSecrets = (text: string): readonly FoundSecret[] =>
  SHAPES.flatMap(([kind, shape]) => [...text.matchAll(shape)].map((match) => ({ kind, index: match.index, text: match[0] }))).sort((a, b) => a.index - b.index)
