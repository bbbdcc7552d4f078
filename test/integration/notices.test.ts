// What a package holds of others goes with the texts of their licences, or is not packed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'node_modules/.notices-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A package as its author published it. */
function publish(name: string, license: string, files: Readonly<Record<string, string>>): string {
  const at = path.join(folder, name)
  mkdirSync(at, { recursive: true })
  writeFileSync(path.join(at, 'package.json'), JSON.stringify({ name, version: '1.2.3', license }))
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(at, file), text)
  return path.relative(root, at)
}

/** In a process of its own: plain JavaScript that no type check reads. */
const script = (folders: readonly string[]): string[] => [
  '--input-type=module',
  '-e',
  `import { thirdPartyNotices } from './main/doors/launch/notices.mjs'; process.stdout.write(thirdPartyNotices(${JSON.stringify(folders)}))`,
]

it('takes the text from the licence, the notice, the README, or what is kept for a standard licence', () => {
  const folders = [
    publish('with-licence', 'MIT', { 'LICENSE.txt': 'Terms of the first', NOTICE: 'Also to be named' }),
    publish('with-readme', 'MIT', {
      'README.md': '# A thing\n\n## License\n\nPermission is hereby granted to one and all',
    }),
    publish('standard', 'Apache-2.0', {}),
    publish('the-same', 'MIT', { LICENSE: 'Terms of the first\n\nAlso to be named' }),
  ]
  const notices = execFileSync(
    process.execPath,
    script([
      ...folders,
      'node_modules/@mujoco/mujoco',
      'node_modules/@tensorflow/tfjs-core',
      'node_modules/not-for-this-platform',
    ]),
    { cwd: root, encoding: 'utf8' },
  )
  for (const text of [
    'the-same 1.2.3 (MIT)\nwith-licence 1.2.3 (MIT)\n\nTerms of the first\n\nAlso to be named',
    'one and all',
    'standard 1.2.3 (Apache-2.0)',
    '@mujoco/mujoco ',
    'Apache License',
  ])
    expect(notices).toContain(text)
  expect(notices.match(/TERMS AND CONDITIONS FOR USE/g)).toHaveLength(1)
})

it('fails where a text is missing, and names each package and where to put it', () => {
  const folders = [
    publish('bare', 'MIT', { 'README.md': '# License\n\nMIT' }),
    publish('mixed', 'Apache-2.0 AND MIT', {}),
    publish('fine', 'MIT', { COPYING: 'Terms' }),
  ]
  const { status, stderr } = spawnSync(process.execPath, script(folders), { cwd: root, encoding: 'utf8' })
  expect(status).not.toBe(0)
  expect(stderr).toContain("bare 1.2.3 (MIT): put its licence's text into resources/licences/bare.txt")
  expect(stderr).toContain('mixed 1.2.3')
  expect(stderr).not.toContain('fine 1.2.3')
})
