// The package that this program is part of, installed or in its repository. Invariant: it is read when it is asked for.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Versions = { readonly [name: string]: string }

/** What package.json says. */
export interface OwnManifest {
  readonly version: string
  readonly dependencies: Versions
  readonly devDependencies: Versions
  /** Packages that parts of this one need, with the versions that fit. */
  readonly peerDependencies: Versions
}

/** The package's folder. */
export const ownFolder = (): string => dirname(fileURLToPath(import.meta.resolve('stateloop/package.json')))

/** The package's manifest. */
export const ownManifest = (): OwnManifest => JSON.parse(readFileSync(join(ownFolder(), 'package.json'), 'utf8')) as OwnManifest
