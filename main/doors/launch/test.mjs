// npm test: installs and builds what is missing, then runs every test. Commands, trainers and readers run as they are
// shipped, built: each starts in a third of the time that it takes from its source. Arguments go to the test runner.
// Built is what the tests that it is given need, see test-needs.mjs.
// npm run test:watch: runs again what a change reaches; from the source, because a build would lag behind it.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { buildIfNeeded } from './build.mjs'
import { installIfNeeded } from './install.mjs'
import { findRuntime, findTool, root } from './runtime.mjs'
import { partsFor } from './test-needs.mjs'

try {
  const watch = process.argv[2] === '--watch'
  const args = process.argv.slice(watch ? 3 : 2)
  installIfNeeded()
  const parts = watch ? [] : partsFor(args)
  buildIfNeeded(parts)
  const places = {
    ...(parts.includes('programs') ? { PAIRLAB_BUILT: path.join(root, 'out/main') } : {}),
    ...(parts.includes('page') ? { PAIRLAB_PAGE: path.join(root, 'out/renderer') } : {}),
  }
  const result = spawnSync(
    findRuntime(),
    [findTool('vitest'), watch ? 'watch' : 'run', '--config', 'test/vitest.config.ts', ...args],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...places } },
  )
  process.exit(result.status ?? 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
