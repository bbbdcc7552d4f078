// npm run deps: checks who imports whom. Fails as well when nothing was read, which a missing parser would cause.
import { spawnSync } from 'node:child_process'
import { findRuntime, findTool, root } from './runtime.mjs'

const cwd = process.argv[2] ?? root
const args = [
  findTool('depcruise'),
  '--config',
  `${root}/.dependency-cruiser.cjs`,
  '--output-type',
  'json',
  'shared',
  'main',
  'renderer',
]
const result = spawnSync(findRuntime(), args, { cwd, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
const start = result.stdout.indexOf('{')
if (start < 0) {
  console.error(result.stderr || result.stdout)
  process.exit(1)
}
const { modules, summary } = JSON.parse(result.stdout.slice(start))
const typescript = modules.filter((module) => /\.tsx?$/.test(module.source) && !module.source.includes('node_modules'))
for (const violation of summary.violations) console.error(`${violation.rule.name}: ${violation.from} → ${violation.to}`)
if (typescript.length === 0) console.error('No TypeScript file was read: the parser is missing.')
const failed = summary.violations.length > 0 || typescript.length === 0
console.log(`${typescript.length} files, ${summary.violations.length} forbidden imports`)
process.exit(failed ? 1 : 0)
