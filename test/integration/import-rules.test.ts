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
  const result = spawnSync(process.execPath, [path.join(root, 'main/doors/launch/deps.mjs'), folder], {
    encoding: 'utf8',
  })
  return { status: result.status, output: result.stdout + result.stderr }
}

const LAWFUL = {
  'main/doors/headless/cli.ts': "import '../../app/app.ts'\n",
  'main/workers/entry.ts': "import './trainer/loop.ts'\n",
  'main/core/learn/ops.ts': "import { one } from '../../../shared/units.ts'\nexport const two = one + 1\n",
  'main/app/app.ts': "import './store/open.ts'\nimport '../core/formats/rows.ts'\n",
  'main/app/store/open.ts': 'export const x = 1\n',
  'main/workers/trainer/loop.ts': "import '../../core/learn/ops.ts'\nexport const x = 1\n",
  'main/core/formats/rows.ts': 'export const x = 1\n',
}
const OTHER_HALVES = {
  'shared/c.ts': "import { b } from './b.ts'\nexport const c = b\n",
  'shared/e.ts': "import type { D } from './d.ts'\nexport interface E { d: D }\n",
}
/** What is planted in one tree, and the rule that must name it. */
const planted: readonly (readonly [what: string, file: string, text: string, rule: string])[] = [
  ['shared reaches for Node', 'shared/a.ts', "import 'node:fs'\n", 'shared-imports-node'],
  [
    'the page imports the app',
    'renderer/a.ts',
    "import { x } from '../main/app/store/open.ts'\nexport const y = x\n",
    'renderer-imports-our-own',
  ],
  ['Electron outside its folder', 'main/doors/headless/a.ts', "import 'electron'\n", 'only-electron-imports-electron'],
  ['SQL outside the store', 'main/app/handlers/a.ts', "import 'better-sqlite3'\n", 'app-imports-package'],
  ['learn touches files', 'main/core/learn/a.ts', "import 'node:fs'\n", 'learn-imports-node'],
  [
    'a worker opens the store',
    'main/workers/trainer/a.ts',
    "import { x } from '../../app/store/open.ts'\nexport const y = x\n",
    'wing-workers',
  ],
  [
    'the app imports a worker',
    'main/app/handlers/b.ts',
    "import { x } from '../../workers/trainer/loop.ts'\nexport const y = x\n",
    'wing-app',
  ],
  [
    'core looks at the app',
    'main/core/formats/a.ts',
    "import { x } from '../../app/store/open.ts'\nexport const y = x\n",
    'wing-core',
  ],
  [
    'a door computes',
    'main/doors/headless/b.ts',
    "import { x } from '../../workers/trainer/loop.ts'\nexport const y = x\n",
    'wing-doors',
  ],
  [
    'base knows of core',
    'main/base/a.ts',
    "import { x } from '../core/formats/rows.ts'\nexport const y = x\n",
    'wing-base',
  ],
  ['a circle', 'shared/b.ts', "import { c } from './c.ts'\nexport const b = c\n", 'no-circular'],
  [
    'a circle of types alone',
    'shared/d.ts',
    "import type { E } from './e.ts'\nexport interface D { e: E }\n",
    'no-circular',
  ],
  ['a file that nothing reaches', 'main/app/store/left.ts', 'export const x = 1\n', 'reached-by-nothing'],
  [
    'a file that belongs nowhere',
    'main/elsewhere/a.ts',
    "import { one } from '../../shared/units.ts'\nexport const two = one\n",
    'uncategorised-file',
  ],
]

it('accepts a lawful tree', () => {
  const { status, output } = check(LAWFUL)
  expect(output).toContain('0 forbidden imports')
  expect(status).toBe(0)
})

it('refuses each forbidden import by the name of its rule', () => {
  const { status, output } = check({
    ...LAWFUL,
    ...OTHER_HALVES,
    ...Object.fromEntries(planted.map(([, file, text]) => [file, text])),
  })
  for (const [what, file, , rule] of planted) expect(output, what).toContain(`${rule}: ${file} `)
  for (const file of Object.keys(LAWFUL)) expect(output).not.toContain(`: ${file} →`)
  expect(status).toBe(1)
})
