// Builds the app when a source file is newer than the last build.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { findRuntime, findTool, root } from './runtime.mjs'

const stampPath = path.join(root, 'out', '.built')
const sources = ['main', 'renderer', 'shared', 'electron.config.ts', 'package-lock.json']

function newestChangeMs(target) {
  const stat = statSync(target)
  if (!stat.isDirectory()) return stat.mtimeMs
  let newest = stat.mtimeMs // a folder's own time tells of removed files
  for (const name of readdirSync(target)) newest = Math.max(newest, newestChangeMs(path.join(target, name)))
  return newest
}

export function buildIfNeeded() {
  const newest = Math.max(...sources.map((name) => newestChangeMs(path.join(root, name))))
  if (existsSync(stampPath) && statSync(stampPath).mtimeMs >= newest) return
  console.log('Building …')
  const result = spawnSync(findRuntime(), [findTool('electron-vite'), 'build', '--config', 'electron.config.ts', '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) throw new Error('The build failed. Its message stands above.')
  mkdirSync(path.dirname(stampPath), { recursive: true })
  writeFileSync(stampPath, '')
}
