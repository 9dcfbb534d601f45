// Commands to be copied from the terminal. Invariant: what is printed, pasted into the platform's usual shell, gives
// exactly these arguments.
import type { Io } from './io.ts'

/** One argument, quoted where it must be. */
const quote = (text: string, platform: NodeJS.Platform): string => {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  // cmd.exe knows only double quotes; the C runtime takes \" inside of them.
  return platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text.replaceAll("'", "'\\''")}'`
}

/** A command line that starts this program again, as it was started. */
export const commandLine = (args: readonly string[], { platform, program }: Pick<Io, 'platform' | 'program'>): string => [program, ...args.map((text) => quote(text, platform))].join(' ')
