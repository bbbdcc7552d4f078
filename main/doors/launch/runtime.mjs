// Finds the Node that Pairlab runs on (24: better-sqlite3's prebuilt binary needs it, and it reads TypeScript as it
// stands). Plain JavaScript without dependencies, because it runs before anything is installed.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
export const MINIMUM_MAJOR = 24

// Every process that is started from here on keeps its compiled code: without it each one reads some hundred TypeScript
// files anew, which is half of what a command takes. It lies beside the packages, whom one has to trust as well.
process.env.NODE_COMPILE_CACHE ??= path.join(root, 'node_modules', '.cache', 'pairlab')

/** Path of a Node 24 or newer: the one this process runs on, else the one npm installed. */
export function findRuntime() {
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM_MAJOR && existsSync(process.execPath)) return process.execPath
  const installed = path.join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(installed)) return installed
  throw new Error(`Pairlab needs Node ${MINIMUM_MAJOR}, this is ${process.version}, and npm did not install one. Run "npm start" once, or install Node ${MINIMUM_MAJOR}.`)
}

/** The script behind a command of an installed package, so that it can be run by any Node. */
export function findTool(command) {
  const packages = { tsc: 'typescript', depcruise: 'dependency-cruiser' }
  const name = packages[command] ?? command
  const folder = path.join(root, 'node_modules', name)
  const bin = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).bin
  return path.join(folder, typeof bin === 'string' ? bin : bin[command])
}
