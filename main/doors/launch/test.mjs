// npm test: installs and builds what is missing, then runs every test. Commands, trainers and readers run as they are
// shipped, built: each starts in a third of the time that it takes from its source. Arguments go to the test runner.
// Where all paths that it is given are of tests which start no program, nothing is built.
// npm run test:watch: runs again what a change reaches; from the source, because a build would lag behind it.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { buildIfNeeded } from './build.mjs'
import { installIfNeeded } from './install.mjs'
import { findRuntime, findTool, root } from './runtime.mjs'

const WITHOUT_BUILD = ['test/unit', 'test/property', 'test/golden']

/** Of arguments that are neither a flag nor a path of such tests, nothing is known: then it is built. */
function needBuild(args) {
  const rest = args.filter((arg) => !arg.startsWith('-'))
  const builtNothing = (arg) => {
    const relative = path.relative(root, path.resolve(arg)).replaceAll(path.sep, '/')
    return WITHOUT_BUILD.some((folder) => relative === folder || relative.startsWith(`${folder}/`))
  }
  return rest.length === 0 || !rest.every(builtNothing)
}

try {
  const watch = process.argv[2] === '--watch'
  const args = process.argv.slice(watch ? 3 : 2)
  installIfNeeded()
  const built = !watch && needBuild(args)
  if (built) buildIfNeeded()
  const places = built ? { PAIRLAB_BUILT: path.join(root, 'out', 'main'), PAIRLAB_PAGE: path.join(root, 'out', 'renderer') } : {}
  const result = spawnSync(findRuntime(), [findTool('vitest'), watch ? 'watch' : 'run', '--config', 'test/vitest.config.ts', ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, ...places } })
  process.exit(result.status ?? 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
