// Recordings as files. Invariant: what recordings of a folder share is written once, under its hash, before the recording
// that names it.
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fail } from '../failure/index.ts'
import { formatRecording, parseRecording, type Recording } from './recording.ts'

/** Folder beside recordings that holds what they share. */
const SHARED = 'shared'
const EXTENSION = '.jsonl'

const sharedPath = (path: string, hash: string): string => join(dirname(path), SHARED, `${hash}.json`)

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

/** Name of a recording for reports: its file without the ending. */
export const recordingName = (path: string): string => basename(path, EXTENSION)

/** Reads a recording from a file. @throws FailureError `usage` when it cannot be read or is newer than this version, `journal_corrupt`. */
export const readRecording = async (path: string): Promise<Recording> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) =>
    fail('usage', `Reading recording ${path} failed: ${error instanceof Error ? error.message : String(error)}. Name a file that \`stateloop record\` wrote.`, { cause: error }),
  )
  const shared = new Map<string, string>()
  const hashes = [...new Set(text.match(/[0-9a-f]{64}/g))].filter((hash) => isHash(hash) && existsSync(sharedPath(path, hash)))
  for (const hash of hashes) shared.set(hash, await readFile(sharedPath(path, hash), 'utf8'))
  return parseRecording(text, path, (hash) => shared.get(hash))
}

/**
 * Writes a recording, replacing the file as a whole.
 * @param apart keep what recordings of the folder have in common in files beside them. Default false: one file has it all.
 */
export const writeRecording = async (path: string, recording: Recording, { apart = false }: { readonly apart?: boolean } = {}): Promise<void> => {
  const shared = new Map<string, string>()
  const text = formatRecording(recording, apart ? (hash, line) => void shared.set(hash, line) : undefined)
  await mkdir(apart ? join(dirname(path), SHARED) : dirname(path), { recursive: true })
  for (const [hash, line] of shared) await writeFile(sharedPath(path, hash), `${line}\n`)
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

/** Paths of the recordings in a folder, in the order of their names. @throws FailureError `usage` when there is no such folder. */
export const recordingsIn = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch((error: unknown) => fail('usage', `Reading the folder ${folder} failed: ${error instanceof Error ? error.message : String(error)}.`, { cause: error }))
  return names
    .filter((name) => name.endsWith(EXTENSION))
    .sort()
    .map((name) => join(folder, name))
}
