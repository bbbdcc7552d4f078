import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const asked = [
  ['test/unit/form.test.ts'],
  ['test/unit'],
  ['test/integration/migrations.test.ts'],
  ['test/integration/trainer.test.ts'],
  ['test/integration/cli.test.ts'],
  ['test/e2e/label.test.ts'],
  ['test/e2e/electron.test.ts'],
  ['test/integration/migrations.test.ts', 'test/integration/trainer.test.ts'],
  ['test/integration'],
  [],
  ['--bail=1', 'test/unit/form.test.ts'],
  ['-t', 'a name'],
  ['labels'],
]

// In a process of its own, as it runs before anything is built: plain JavaScript that no type check reads.
it('builds for a test what it starts, and everything for what it does not know', () => {
  const code = `import { partsFor } from './main/doors/launch/test-needs.mjs'; console.log(JSON.stringify(${JSON.stringify(asked)}.map((args) => partsFor(args).join(' '))))`
  const answers = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' }),
  ) as string[]
  expect(Object.fromEntries(asked.map((args, index) => [args.join(' '), answers[index]]))).toEqual({
    'test/unit/form.test.ts': '',
    'test/unit': '',
    'test/integration/migrations.test.ts': '',
    'test/integration/trainer.test.ts': 'programs',
    'test/integration/cli.test.ts': 'programs page',
    'test/e2e/label.test.ts': 'programs page',
    'test/e2e/electron.test.ts': 'programs page',
    'test/integration/migrations.test.ts test/integration/trainer.test.ts': 'programs',
    'test/integration': 'programs page',
    '': 'programs page',
    '--bail=1 test/unit/form.test.ts': '',
    '-t a name': 'programs page',
    labels: 'programs page',
  })
})
