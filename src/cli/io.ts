// The world of a command: where it writes, what it reads, where it stands. Invariant: what models and tools said reaches a
// terminal without control characters, and a reader that goes away never stops a run.
import type { Readable, Writable } from 'node:stream'
import { styleText } from 'node:util'

/** Formats that the command line uses. */
export type Format = 'red' | 'green' | 'yellow' | 'cyan' | 'dim'

/** A terminal at which somebody can be asked. */
export interface Keyboard {
  readonly input: Readable
  readonly output: Writable
}

/** What a command may touch beside files. */
export interface Io {
  /** Writes to standard output. */
  readonly out: (text: string) => void
  /** Writes to standard error. */
  readonly err: (text: string) => void
  /** Standard input as text, to its end. */
  readonly readInput: () => Promise<string>
  /** True when standard output is a terminal that can redraw lines. */
  readonly terminal: boolean
  /** Where questions are asked; absent when input or output is no terminal. */
  readonly keyboard?: Keyboard
  /** Width of the terminal, characters. */
  readonly columns: () => number
  readonly style: (format: Format, text: string) => string
  readonly cwd: string
  readonly env: { readonly [name: string]: string | undefined }
  readonly platform: NodeJS.Platform
  /** What a user types to start this program: `stateloop`, or `npx stateloop` where it is not on the path. */
  readonly program: string
}

/** A writer that turns silent when its reader has gone. */
const writer = (stream: NodeJS.WriteStream): ((text: string) => void) => {
  let gone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
    gone = true
  })
  return (text) => {
    if (!gone) stream.write(text)
  }
}

const readAll = async (): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}

/** The process's own world. */
export const processIo = (): Io => {
  const { stdin, stdout, stderr, env } = process
  const terminal = stdout.isTTY && env['TERM'] !== 'dumb'
  return {
    out: writer(stdout),
    err: writer(stderr),
    readInput: readAll,
    terminal,
    ...(terminal && stdin.isTTY ? { keyboard: { input: stdin, output: stdout } } : {}),
    columns: () => stdout.columns || 80,
    style: (format, text) => (terminal ? styleText(format, text, { stream: stdout }) : text),
    cwd: process.cwd(),
    env,
    platform: process.platform,
    // npx and npm scripts find what the project installed; the user's own shell does not.
    program: env['npm_command'] === 'exec' || env['npm_lifecycle_event'] !== undefined ? 'npx stateloop' : 'stateloop',
  }
}

const CONTROL = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu

/** Text without what could steer a terminal: control characters and marks of writing direction. Keeps tabs and line ends. */
export const plain = (text: string): string => text.replaceAll('\r\n', '\n').replace(CONTROL, '')

/** Text on one line. */
export const oneLine = (text: string): string => plain(text).replace(/\s+/g, ' ').trim()
