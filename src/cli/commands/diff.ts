// `stateloop diff`: two runs side by side, step by step. Reads journals and recordings only; no agent is loaded.
import { diffRuns, formatRunDiff } from '../../replay/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { plain } from '../io.ts'
import type { CommonOptions } from '../open-runtime.ts'
import { runOrRecording } from '../recordings.ts'

/** `stateloop diff <run a> <run b>`. */
export const diffCommand: CommandDefinition<CommonOptions> = {
  name: 'diff',
  about: 'compare two runs: their steps, values, output and cost',
  args: [
    { name: 'before', about: 'id of a run, or a recording' },
    { name: 'after', about: 'id of another, or a recording' },
  ],
  options: COMMON,
  run: async (io, [before = '', after = ''], options) => {
    const difference = diffRuns(await runOrRecording(io, before, options), await runOrRecording(io, after, options))
    io.out(options.json === true ? `${JSON.stringify(difference, null, 2)}\n` : `${plain(formatRunDiff(difference))}\n`)
    return EXIT.done
  },
}
