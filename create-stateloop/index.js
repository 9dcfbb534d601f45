#!/usr/bin/env node
// `npm create stateloop@latest [name]` is `stateloop new [name]` of the newest version.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const manifest = createRequire(import.meta.url).resolve('stateloop/package.json')
const command = join(dirname(manifest), 'dist', 'cli', 'main.js')
const { status } = spawnSync(process.execPath, [command, 'new', ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 3)
