import type { CommandDefinition } from '../../command.ts'
import { checkPromptsCommand } from './check.ts'
import { comparePromptCommand } from './compare.ts'
import { diffPromptsCommand } from './diff.ts'
import { listPromptsCommand } from './list.ts'
import { logPromptCommand } from './log.ts'
import { releasePromptsCommand } from './release.ts'
import { rollbackPromptCommand } from './rollback.ts'
import { rolloutPromptCommand } from './rollout.ts'
import { showPromptCommand } from './show.ts'

/** The commands of `stateloop prompts`. */
export const PROMPT_COMMANDS: readonly CommandDefinition<never>[] = [
  listPromptsCommand,
  showPromptCommand,
  diffPromptsCommand,
  logPromptCommand,
  comparePromptCommand,
  checkPromptsCommand,
  releasePromptsCommand,
  rolloutPromptCommand,
  rollbackPromptCommand,
]
