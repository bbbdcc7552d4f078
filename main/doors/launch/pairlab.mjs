// npm run pairlab -- <verb>: the command line, under the Node that the app needs.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { installIfNeeded } from './install.mjs'
import { findRuntime, root } from './runtime.mjs'

try {
  installIfNeeded()
  const child = spawn(findRuntime(), [path.join(root, 'main/doors/headless/cli.ts'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.on('SIGINT', () => {}) // the terminal sends it to the child too, which ends in its own time
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 0) : 130))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
