// npm start: installs and builds what is missing, then opens the app in its window, or in the browser where there is
// no Electron.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { buildIfNeeded } from './build.mjs'
import { findElectron } from './electron-binary.mjs'
import { installIfNeeded } from './install.mjs'
import { findRuntime, root } from './runtime.mjs'

function run(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' })
  // Ctrl+C reaches the child as well; it decides when it is done.
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      if (signal === 'SIGTERM') child.kill(signal)
    })
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 0) : 0))
}

try {
  installIfNeeded()
  buildIfNeeded()
  const electron = findElectron()
  const args = process.argv.slice(2)
  if ('binary' in electron) {
    // Chromium's sandbox refuses to run as root, which is what containers are.
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    run(electron.binary, [...asRoot, root, ...args])
  } else {
    console.log(`No desktop window, because ${electron.reason}: opening the same app in the browser.`)
    run(findRuntime(), [path.join(root, 'main/doors/headless/cli.ts'), 'serve', '--open', ...args])
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
