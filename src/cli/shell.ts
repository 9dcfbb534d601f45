// Commands to be copied from the terminal. Invariant: what is printed, pasted into the platform's usual shell, gives
// exactly these arguments.

/** One argument, quoted where it must be. */
const quote = (text: string, platform: NodeJS.Platform): string => {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  // cmd.exe knows only double quotes; the C runtime takes \" inside of them.
  return platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text.replaceAll("'", "'\\''")}'`
}

/** A `stateloop` command line. */
export const commandLine = (args: readonly string[], platform: NodeJS.Platform): string => ['stateloop', ...args.map((text) => quote(text, platform))].join(' ')
