// What a test starts, and so what is built before it runs. The rule, in full: tests of units start nothing; any other needs what
// the files that it imports lead to.
// - test/support/built-program.ts, main/app/app.ts: it starts our programs, or an app that starts them.
// - test/e2e/support.ts, or the word 'serve' as an argument: it shows the page; _electron: all of it, in the window.
// - none of them: nothing is built.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { PARTS } from './build.mjs'
import { root } from './runtime.mjs'

const IMPORT = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.tsx?)'/g
const LEADS_TO = [
  ['test/support/built-program.ts', 'programs'],
  ['main/app/app.ts', 'programs'],
  ['test/e2e/support.ts', 'page'],
]
const STARTS_NOTHING = path.join(root, 'test/unit') + path.sep
const SERVES = /['"]serve['"]/

/** Every file that one of these imports, directly or through another. */
function reach(files) {
  const found = new Set(files)
  for (const file of found) {
    const imported = [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, name]) =>
      path.resolve(path.dirname(file), name),
    )
    for (const name of imported) if (existsSync(name)) found.add(name) // not what stands in a text for another program
  }
  return [...found]
}

function testsBelow(target) {
  if (!statSync(target).isDirectory()) return [target]
  return readdirSync(target, { recursive: true })
    .map((name) => path.join(target, name))
    .filter((name) => /\.test\.tsx?$/.test(name))
}

/**
 * @param args of the test runner. Of arguments that are neither a flag nor a path nothing is known: then everything is built.
 * @returns parts of the build
 */
export function partsFor(args) {
  const targets = args.filter((arg) => !arg.startsWith('-')).map((arg) => path.resolve(root, arg))
  if (targets.length === 0 || targets.some((target) => statSync(target, { throwIfNoEntry: false }) === undefined))
    return PARTS
  const tests = targets.flatMap(testsBelow).filter((file) => !file.startsWith(STARTS_NOTHING))
  const reached = reach(tests).map((file) => path.relative(root, file).replaceAll(path.sep, '/'))
  const needs = new Set(LEADS_TO.filter(([file]) => reached.includes(file)).map(([, part]) => part))
  for (const text of tests.map((file) => readFileSync(file, 'utf8'))) {
    if (text.includes('_electron.launch')) return PARTS
    if (SERVES.test(text)) needs.add('page')
  }
  return PARTS.filter((part) => needs.has(part))
}
