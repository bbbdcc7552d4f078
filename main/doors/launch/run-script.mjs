// Runs one of our TypeScript files: node main/doors/launch/run-script.mjs test/bench/import.ts --rows 1000
import { spawnSync } from 'node:child_process'
import { buildIfNeeded } from './build.mjs'
import { installIfNeeded } from './install.mjs'
import { findRuntime, root } from './runtime.mjs'

installIfNeeded()
buildIfNeeded()
const result = spawnSync(findRuntime(), process.argv.slice(2), { cwd: root, stdio: 'inherit' })
process.exit(result.status ?? 1)
