// The real clock, running fast: for tests over real sockets whose time limits and waits would take minutes.
import { systemClock, type Clock } from '../../src/clock/index.ts'

/** A clock on which `times` seconds pass in one. */
export const fastClock = (times: number): Clock => {
  const [startMs, startMonotonic] = [systemClock.now(), systemClock.monotonic()]
  const passed = (): number => (systemClock.monotonic() - startMonotonic) * times
  return {
    ...systemClock,
    now: () => Math.floor(startMs + passed()),
    monotonic: () => startMonotonic + passed(),
    timer: (delayMs, fire, background) => systemClock.timer(delayMs / times, fire, background),
  }
}
