// A prompt: a template with declared variables and a content hash, so that every completion can name the exact
// text it came from.
import type { Schema } from '../schema/index.ts'
import type { PromptDocument } from './document.ts'
import type { Message } from './message.ts'

/** One templated message; `{{name}}` stands for a variable. */
export interface PromptMessage {
  /** Who says it. */
  readonly role: 'system' | 'user' | 'assistant'
  /** The template, with its placeholders. */
  readonly content: string
}

/** A prompt with typed variables. */
export interface Prompt<V = never> {
  readonly kind: 'prompt'
  /** Names the prompt in traces, costs and the lock. */
  readonly id: string
  /** `promptHash`: SHA-256 of template, variable schema and resolved partials, hexadecimal. */
  readonly hash: string
  /** Accepts what `render` takes. */
  readonly vars: Schema
  /** Names of the declared variables. */
  readonly varNames: readonly string[]
  /** What `hash` is the hash of. */
  readonly document: PromptDocument
  /** The template with partials resolved, for showing and diffing. */
  readonly messages: readonly PromptMessage[]
  /**
   * Fills the template. Variables are data: they cannot add messages or change roles.
   * @throws FailureError `invalid_input` when the variables do not match.
   */
  readonly render: (vars: V) => readonly Message[]
}
