// npm run dev: the app while one works on it. A change of renderer/ is shown in place; a change of main/ or shared/ restarts the
// app behind the page. In the window where Electron is, else in the browser.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { forgetBuild } from './build.mjs'
import { findElectron } from './electron-binary.mjs'
import { installIfNeeded } from './install.mjs'
import { findRuntime, findTool, root } from './runtime.mjs'

function run(args, env) {
  const child = spawn(findRuntime(), args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      if (signal === 'SIGTERM') child.kill(signal)
    })
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 0) : 0))
}

try {
  installIfNeeded()
  const electron = findElectron()
  const args = process.argv.slice(2)
  if ('binary' in electron) {
    forgetBuild('programs') // what lies there from now on is for development
    const asRoot = process.getuid?.() === 0 ? { NO_SANDBOX: '1' } : {}
    run([findTool('electron-vite'), 'dev', '--watch', '--config', 'electron.config.ts', '--', ...args], {
      ELECTRON_EXEC_PATH: electron.binary,
      ...asRoot,
    })
  } else {
    console.log(`No desktop window, because ${electron.reason}: the page is for the browser.`)
    run([path.join(root, 'main/doors/launch/dev-browser.mjs'), ...args], {})
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
