// Compiles snippets the way a user's editor would: with the real compiler, all of them in one run, errors by file.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

const run = (folder: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`))
  })

const byFile = (output: string): { readonly [file: string]: string } => {
  const found: { [file: string]: string } = {}
  let file = ''
  for (const line of output.split('\n')) {
    const start = /^(?:.*[\\/])?([\w-]+\.ts)\(\d+,\d+\): error /.exec(line)
    if (start !== null) file = start[1] ?? ''
    if (line !== '') found[file] = `${found[file] ?? ''}${line}\n`
  }
  return found
}

/**
 * Compiles the TypeScript files of a folder inside this package, under its settings.
 * @returns what the compiler printed, by file name; files without errors are missing.
 */
export const compileFolder = async (folder: string, options: { readonly [name: string]: unknown } = {}): Promise<{ readonly [file: string]: string }> => {
  const settings = { extends: join(root, 'tsconfig.json'), compilerOptions: { noEmit: true, ...options }, include: [join(folder, '*.ts')], exclude: [] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  return byFile(await run(folder))
}

/** Compiles files in a folder of their own. They import from `stateloop`. */
export const compileFiles = async (files: { readonly [name: string]: string }, options: { readonly [name: string]: unknown } = {}): Promise<{ readonly [file: string]: string }> => {
  // Inside the package, so that `import 'stateloop'` is the package itself.
  await mkdir(join(root, '.stateloop'), { recursive: true })
  const folder = await mkdtemp(join(root, '.stateloop', 'types-'))
  try {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
    return await compileFolder(folder, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
