// Progress while a run goes on: a line per visit. On a terminal the visits under way stay at the bottom and are redrawn;
// in a pipe a line is written when its visit is over. Invariant: what was written above the redrawn lines never changes.
import type { Clock } from '../clock/index.ts'
import type { RunEvent } from '../run/index.ts'
import { showDuration } from './amounts.ts'
import { oneLine, type Io } from './io.ts'
import { LiveVisits } from './live-visits.ts'
import { joinLine, visitLine, type Standing, type Visit } from './visit.ts'

/** How often a terminal is redrawn while nothing happens, milliseconds. */
const REDRAW_MS = 250

/** Shows the events of one run. */
export interface LiveView {
  readonly take: (event: RunEvent) => void
  /** Writes the visits that are still open and stops redrawing. */
  readonly end: (ended: boolean) => void
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`)

/** A visit's line in colours, cut to the width that is there. */
export const drawVisit = (io: Io, visit: Visit, standing: Standing, now: number): string => {
  const line = visitLine(visit, standing, now)
  const text = io.terminal ? cut(joinLine(line), io.columns() - 1) : joinLine(line)
  const colour = visit.failed ? 'red' : standing === 'open' ? 'cyan' : 'green'
  return `${io.style(colour, line.mark)}${visit.failed ? io.style('red', text.slice(1)) : text.slice(1)}`
}

/**
 * Starts showing.
 * @param open visits that began before.
 */
export const liveView = (io: Io, clock: Clock, open: readonly Visit[] = []): LiveView => {
  const visits = new LiveVisits(open)
  let drawn = 0
  let stopTimer = (): void => {}
  const erase = (): void => {
    if (drawn > 0) io.out(`\u001b[${drawn}A\u001b[0J`)
    drawn = 0
  }
  const draw = (): void => {
    if (!io.terminal) return
    const lines = visits.open.flatMap(({ visit, said }) => {
      const tail = oneLine(said)
      const width = io.columns() - 5
      return [drawVisit(io, visit, 'open', clock.now()), ...(tail === '' ? [] : [`    ${io.style('dim', tail.length > width ? `…${tail.slice(1 - width)}` : tail)}`])]
    })
    for (const line of lines) io.out(`${line}\n`)
    drawn = lines.length
  }
  const tick = (): void => {
    erase()
    draw()
    stopTimer = clock.timer(REDRAW_MS, tick, true)
  }
  if (io.terminal) stopTimer = clock.timer(REDRAW_MS, tick, true)
  return {
    take(event) {
      const change = visits.take(event)
      if (change === undefined && event.type === 'token.delta') return
      erase()
      if (change?.type === 'over') io.out(`${drawVisit(io, change.visit, change.standing, event.at)}\n`)
      if (change?.type === 'retry') io.out(`${io.style('yellow', `  ${oneLine(change.visit.state)}: ${change.code}, trying again in ${showDuration(change.delayMs)}`)}\n`)
      draw()
    },
    end(ended) {
      stopTimer()
      erase()
      for (const { visit } of visits.open) io.out(`${drawVisit(io, visit, ended ? 'final' : 'open', clock.now())}\n`)
    },
  }
}
