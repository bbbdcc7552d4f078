// Builds what is older than its sources: the programs (window, command line, trainer, reader), the page, or both.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { findRuntime, findTool, root } from './runtime.mjs'

const everyPart = ['electron.config.ts', 'package-lock.json', 'shared']
const sources = {
  programs: [...everyPart, 'main', 'resources/samples', 'resources/docs'],
  page: [...everyPart, 'renderer'],
}
export const PARTS = Object.keys(sources)

const stampPath = (part) => path.join(root, 'out', `.built-${part}`)

function newestChangeMs(target) {
  const stat = statSync(target)
  if (!stat.isDirectory()) return stat.mtimeMs
  let newest = stat.mtimeMs // a folder's own time tells of removed files
  for (const name of readdirSync(target)) newest = Math.max(newest, newestChangeMs(path.join(target, name)))
  return newest
}

function isBuilt(part) {
  const newest = Math.max(...sources[part].map((name) => newestChangeMs(path.join(root, name))))
  return existsSync(stampPath(part)) && statSync(stampPath(part)).mtimeMs >= newest
}

/** @param parts of PARTS */
export function buildIfNeeded(parts = PARTS) {
  const missing = parts.filter((part) => !isBuilt(part))
  if (missing.length === 0) return
  const alone = missing.length === 1 ? missing[0] : undefined
  console.log(alone === undefined ? 'Building …' : `Building the ${alone} …`)
  // electron-vite warns of the part that is left out.
  const args = ['build', '--config', 'electron.config.ts', '--logLevel', alone === undefined ? 'warn' : 'error']
  const result = spawnSync(findRuntime(), [findTool('electron-vite'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PAIRLAB_BUILD_ONLY: alone ?? '' },
  })
  if (result.status !== 0) throw new Error('The build failed. Its message stands above.')
  mkdirSync(path.join(root, 'out'), { recursive: true })
  for (const part of missing) writeFileSync(stampPath(part), '')
}

/** Something else was written where a part lies. */
export function forgetBuild(part) {
  rmSync(stampPath(part), { force: true })
}
