// Installs what is missing: packages by the lock file, and the Node that the app runs on.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { findRuntime, root } from './runtime.mjs'

const modules = path.join(root, 'node_modules')
const stampPath = path.join(modules, '.pairlab', 'installed')

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')
}

/** npm as a script, so that no shell has to be found and no path has to be quoted. */
function npm(args) {
  const script = process.env.npm_execpath
  const isScript = script !== undefined && /\.c?js$/.test(script)
  const result = isScript
    ? spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
        cwd: root,
        stdio: 'inherit',
        shell: process.platform === 'win32',
      })
  return result.status ?? 1
}

/**
 * Brings node_modules in line with the lock file. Install scripts are off: npm 10 and npm 11 treat them differently,
 * and none is needed.
 */
export function installIfNeeded() {
  const wanted = lockHash()
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted) return
  console.log('Installing packages (once; this needs the npm registry) …')
  if (npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']) !== 0) {
    throw new Error(
      'npm could not install the packages. Read its message above; with no registry at hand, copy node_modules from a machine that has it.',
    )
  }
  findRuntime()
  mkdirSync(path.dirname(stampPath), { recursive: true })
  writeFileSync(stampPath, wanted)
}
