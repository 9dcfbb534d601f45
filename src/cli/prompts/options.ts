// Options that the commands on prompts share.
import { COMMON, type Option } from '../command.ts'

/** Options of every command on prompts. */
export const PROMPT_OPTIONS: readonly Option[] = [
  ...COMMON,
  { flags: '--lock <file>', about: 'the lock of the prompts; default prompts.lock.json under the root of the project' },
  { flags: '--agent <agent>', about: 'look only at this agent; may be repeated; default: all of the settings and under agents/', many: true },
]

/** The argument that names a prompt. */
export const PROMPT_ARGUMENT = { name: 'id', about: 'id of a prompt' } as const
/** An argument that names a version. */
export const VERSION_ABOUT = 'a prompt, a hash or its beginning, or id@hash, id@code, id@active, id@variant; or the hash of a step'
