// A run as a client of MCP hears of it while it waits for the result: progress by states, and log messages. Invariant: they
// name states, tools and codes, never what was said or with which arguments.
import type { LoggingLevel } from '@modelcontextprotocol/sdk/types.js'
import type { RunEvent } from '../../run/index.ts'

const LEVELS: readonly LoggingLevel[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

/** Tells whether a message is wanted by a client that asked for some level. Silent until it asks. */
export const isWanted = (level: LoggingLevel, least: LoggingLevel | undefined): boolean => least !== undefined && LEVELS.indexOf(level) >= LEVELS.indexOf(least)

/** A message of the log. */
export interface LogLine {
  readonly level: LoggingLevel
  readonly data: { readonly event: RunEvent['type']; readonly run: string } & { readonly [field: string]: string | number }
}

const line = (level: LoggingLevel, { type, run }: RunEvent, fields: { readonly [field: string]: string | number }): LogLine => ({ level, data: { event: type, run, ...fields } })

/** What the log says of an event; undefined for one that is not worth a line. */
export const logLine = (event: RunEvent): LogLine | undefined => {
  switch (event.type) {
    case 'state.entered':
      return line('info', event, { state: event.state })
    case 'effect.started':
      return line('debug', event, { state: event.state, kind: event.kind, name: event.name, attempt: event.attempt })
    case 'attempt.ended':
      return event.failure === undefined
        ? line('debug', event, { state: event.state, name: event.name, durationMs: event.durationMs })
        : line('warning', event, { state: event.state, name: event.name, code: event.failure.code, ...(event.retryInMs === undefined ? {} : { retryInMs: event.retryInMs }) })
    case 'failure.raised':
      return line('error', event, { state: event.state, code: event.failure.code })
    case 'breaker.changed':
      return line('warning', event, { state: event.state, to: event.to })
    case 'run.waiting':
      return line('notice', event, { waitsFor: event.waiting.map((wait) => wait.for).join(', ') })
    case 'run.ended':
      return line(event.outcome === 'done' ? 'info' : 'error', event, { outcome: event.outcome })
    default:
      return undefined
  }
}
