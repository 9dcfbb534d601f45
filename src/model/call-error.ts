// A failed attempt of a model call that still carries what was billed and what was said, so that neither is lost.
import { FailureError, type Failure } from '../failure/index.ts'
import type { Usage } from '../cost/index.ts'
import type { Message } from '../prompt/index.ts'

/** What a failed attempt still knows. */
export interface FailedAttempt {
  readonly usage?: Usage | null
  /** The model that answered. */
  readonly model?: string
  /** The reply that was rejected, for a repair turn. */
  readonly message?: Extract<Message, { readonly role: 'assistant' }>
}

/** Thrown by providers and by the checks behind them. */
export class ModelCallError extends FailureError {
  readonly attempt: FailedAttempt
  constructor(value: Failure, attempt: FailedAttempt = {}) {
    super(value)
    this.attempt = attempt
  }
}
