// npm test: installs and builds what is missing, then runs every test. Commands, trainers and readers run as they are
// shipped, built: each starts in a third of the time that it takes from its source. Arguments go to the test runner.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { buildIfNeeded } from './build.mjs'
import { installIfNeeded } from './install.mjs'
import { findRuntime, findTool, root } from './runtime.mjs'

try {
  installIfNeeded()
  buildIfNeeded()
  const result = spawnSync(findRuntime(), [findTool('vitest'), 'run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env: { ...process.env, PAIRLAB_BUILT: path.join(root, 'out', 'main'), PAIRLAB_PAGE: path.join(root, 'out', 'renderer') } })
  process.exit(result.status ?? 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
