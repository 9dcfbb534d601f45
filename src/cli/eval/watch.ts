// Runs evaluations again whenever a file that they depend on changes. Invariant: each round is a process of its own, since a
// module that was loaded once cannot be loaded anew.
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { dirname } from 'node:path'
import { sleep, systemClock } from '../../clock/index.ts'
import type { Io } from '../io.ts'
import { openProject } from '../project.ts'
import { findEvaluations } from './find-evaluations.ts'
import { openEvaluation } from './open-evaluation.ts'

/** How long changes are gathered before the next round, milliseconds. */
const SETTLE_MS = 200

const round = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const args = process.argv.slice(1).filter((argument) => argument !== '--watch')
    const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })

/** Resolves when one of the files changes, or is replaced as editors do. */
const changed = (files: readonly string[]): Promise<void> =>
  new Promise((resolve) => {
    const wanted = new Set(files)
    const folders = new Set(files.map((file) => dirname(file)))
    const watchers = [...folders].map((folder) =>
      watch(folder, (_event, name) => {
        if (name === null || ![...wanted].some((file) => file.endsWith(name))) return
        for (const watcher of watchers) watcher.close()
        resolve()
      }),
    )
  })

/** Watches until the process is told to stop. */
export const watchEvaluations = async (io: Io, names: readonly string[], { base }: { readonly base?: string }): Promise<number> => {
  const project = await openProject(io)
  const found = await findEvaluations(project, names)
  const open = await Promise.all(found.map((one) => openEvaluation(io, project, one)))
  const files = [...new Set([...found.map(({ file }) => file), ...open.flatMap(({ identity, evaluation }) => [...identity.files, ...('kind' in evaluation.cases ? [evaluation.cases.path] : [])])])]
  for (;;) {
    await round()
    io.err(`${io.style('dim', `watching ${files.length} files${base === undefined ? '' : `, compared with ${base}`}; Ctrl+C stops`)}\n`)
    await changed(files)
    await sleep(systemClock, SETTLE_MS)
  }
}
