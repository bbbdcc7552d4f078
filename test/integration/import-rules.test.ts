import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Runs the import rules over a small tree of planted files. */
function check(files: Readonly<Record<string, string>>): { status: number | null; output: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-rules-'))
  folders.push(folder)
  for (const name of ['shared', 'main', 'renderer']) mkdirSync(path.join(folder, name))
  cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'))
  for (const [name, text] of Object.entries({ 'shared/units.ts': 'export const one = 1\n', ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  const result = spawnSync(process.execPath, [path.join(root, 'main/launch/deps.mjs'), folder], { encoding: 'utf8' })
  return { status: result.status, output: result.stdout + result.stderr }
}

const planted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'shared reaches for Node': { 'shared/a.ts': "import 'node:fs'\n" },
  'the page imports the main process': { 'main/app.ts': 'export const x = 1\n', 'renderer/a.ts': "import { x } from '../main/app.ts'\nexport const y = x\n" },
  'Electron outside its folder': { 'main/headless/a.ts': "import 'electron'\n" },
  'SQL outside the store': { 'main/handlers/a.ts': "import 'better-sqlite3'\n" },
  'learn touches files': { 'main/learn/a.ts': "import 'node:fs'\n" },
  'the trainer opens the store': { 'main/store/open.ts': 'export const x = 1\n', 'main/trainer/a.ts': "import { x } from '../store/open.ts'\nexport const y = x\n" },
  'a circle': { 'shared/a.ts': "import { b } from './b.ts'\nexport const a = b\n", 'shared/b.ts': "import { a } from './a.ts'\nexport const b = a\n" },
}

it('accepts a lawful tree', () => {
  const { status, output } = check({ 'main/learn/a.ts': "import { one } from '../../shared/units.ts'\nexport const two = one + 1\n" })
  expect(output).toContain('0 forbidden imports')
  expect(status).toBe(0)
})

it.each(Object.entries(planted))('refuses: %s', (_name, files) => {
  const { status, output } = check(files)
  expect(output).not.toContain('0 forbidden imports')
  expect(status).toBe(1)
})
