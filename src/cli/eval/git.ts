// What git knows of the project: the commit at hand, and those a base may stand for. Invariant: git is only read.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fail } from '../../failure/index.ts'

const run = promisify(execFile)

/** How far back a base is looked for, commits. */
const MOST_COMMITS = 500

const git = async (root: string, ...args: readonly string[]): Promise<string> => (await run('git', args, { cwd: root, maxBuffer: 64 * 1024 * 1024 })).stdout.trim()

/** The commit at hand; undefined outside of git, and when tracked files differ from it. */
export const cleanCommit = async (root: string): Promise<string | undefined> => {
  try {
    const changed = await git(root, 'status', '--porcelain', '--untracked-files=no')
    return changed === '' ? await git(root, 'rev-parse', 'HEAD') : undefined
  } catch {
    return undefined
  }
}

/**
 * Commits that a ref may stand for as a base, nearest first: where the work at hand left it, then what came before.
 * @throws FailureError `usage` when git does not know the ref or its history is cut off.
 */
export const baseCommits = async (root: string, ref: string): Promise<readonly string[]> => {
  try {
    const from = await git(root, 'merge-base', 'HEAD', ref)
    return (await git(root, 'rev-list', '--first-parent', `--max-count=${MOST_COMMITS}`, from)).split('\n')
  } catch (error) {
    const said = (error as { readonly stderr?: string }).stderr?.trim().split('\n')[0] ?? String(error)
    return fail(
      'usage',
      `Looking for the base ${JSON.stringify(ref)} failed: ${said || 'it has no commit in common with HEAD'}. Name a ref that git knows, fetch its history (actions/checkout with fetch-depth: 0), or use --base last for the run before.`,
    )
  }
}
