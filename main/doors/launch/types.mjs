// npm run types: one type check a runtime, so that a stray `window` or `process` does not compile.
import { spawnSync } from 'node:child_process'
import { installIfNeeded } from './install.mjs'
import { findRuntime, findTool, root } from './runtime.mjs'

const projects = ['shared', 'main/core/learn', 'main', 'renderer', 'test']
installIfNeeded()
let failed = false
for (const project of projects) {
  const result = spawnSync(findRuntime(), [findTool('tsc'), '-p', `${project}/tsconfig.json`], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status !== 0) failed = true
}
process.exit(failed ? 1 : 0)
