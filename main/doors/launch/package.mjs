// npm run package: the installable app for this platform. Where no Electron distribution can be had, the same steps
// run over a stand-in distribution, and what came out is checked.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { buildIfNeeded } from './build.mjs'
import { findElectronDistribution } from './electron-binary.mjs'
import { installIfNeeded } from './install.mjs'
import { writeNotices } from './notices.mjs'
import { findRuntime, findTool, root } from './runtime.mjs'
import { checkPackage } from './package-check.mjs'
import { makeStandIn } from './package-stand-in.mjs'

function build(args) {
  const result = spawnSync(
    findRuntime(),
    [findTool('electron-builder'), '--config', 'resources/electron-builder.yml', '--publish', 'never', ...args],
    { cwd: root, stdio: 'inherit' },
  )
  if (result.status !== 0) throw new Error('electron-builder failed. Its message stands above.')
}

try {
  installIfNeeded()
  buildIfNeeded()
  writeNotices()
  rmSync(path.join(root, 'release'), { recursive: true, force: true })
  const standIn = process.argv.includes('--stand-in') ? 'asked for by --stand-in' : findElectronDistribution()
  if (standIn === null) {
    build(process.argv.slice(2))
  } else {
    console.log(`No Electron distribution (${standIn}): packing over a stand-in, to check everything but the window.`)
    makeStandIn(path.join(root, 'fake-dist'))
    build(['--linux', 'dir', '-c.electronDist=fake-dist'])
    await checkPackage(path.join(root, 'release/linux-unpacked'))
    rmSync(path.join(root, 'fake-dist'), { recursive: true, force: true })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
