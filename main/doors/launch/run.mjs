// Runs a tool of node_modules/.bin's package under the Node that the app needs, whatever Node npm itself runs on.
import { spawnSync } from 'node:child_process'
import { installIfNeeded } from './install.mjs'
import { findRuntime, findTool } from './runtime.mjs'

installIfNeeded()
const [tool, ...args] = process.argv.slice(2)
const result = spawnSync(findRuntime(), [findTool(tool), ...args], { stdio: 'inherit' })
process.exit(result.status ?? 1)
