// Performs one attempt for whichever port drives the run: seen by observers, and without secrets in what it gives.
// Invariant: it resolves with an outcome; what is thrown is a defect.
import type { Outcome } from '../journal/index.ts'
import type { StepIo, StepRequest } from './effect.ts'
import type { RunObserver } from './observer.ts'
import { outcomeOfThrown } from './perform-attempt.ts'
import type { RunSecrets } from './secrets.ts'

/** Streamed text without secrets, which may be split between its pieces. */
const cleanStream = (io: StepIo, { scrub }: RunSecrets): { readonly io: StepIo; readonly end: () => void } => {
  if (!io.watched) return { io, end: () => {} }
  let about: { readonly key: string; readonly state: string } = { key: '', state: '' }
  const stream = scrub.stream((text) => io.emit({ type: 'token.delta', ...about, text }))
  const emit: StepIo['emit'] = (event) => {
    if (event.type !== 'token.delta') return io.emit(event)
    about = { key: event.key, state: event.state }
    stream.push(event.text)
  }
  return { io: { ...io, emit }, end: stream.end }
}

/** Performs it. */
export const performStep = async (request: StepRequest, given: StepIo, observer: RunObserver | undefined, secrets: RunSecrets): Promise<Outcome> => {
  const { clock } = given.acting
  const started = clock.monotonic()
  const { io, end } = cleanStream(given, secrets)
  const perform = async (): Promise<Outcome> => {
    let outcome: Outcome
    try {
      outcome = await request.perform(io)
    } catch (thrown) {
      outcome = outcomeOfThrown(thrown, Math.round(clock.monotonic() - started))
    }
    end()
    return secrets.scrub.data(outcome)
  }
  return observer?.perform === undefined ? perform() : observer.perform(request, perform)
}
