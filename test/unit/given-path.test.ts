import { homedir } from 'node:os'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { givenPath, resolveGiven } from '../../main/base/files/given-path.ts'
import { refuseKernelPlace } from '../../main/base/files/writable-place.ts'
import { ownFolder } from '../support/own-folder.ts'

const own = ownFolder('given paths')

test.each([
  ['"/data/my pairs.jsonl"', '/data/my pairs.jsonl'],
  ["'/data/pairs.jsonl' ", '/data/pairs.jsonl'],
  ['  /data/pairs.jsonl\n', '/data/pairs.jsonl'],
  ['"C:\\Users\\Ada\\pairs.jsonl"', 'C:\\Users\\Ada\\pairs.jsonl'],
  ['~', homedir()],
  ['~/pairs.jsonl', path.join(homedir(), 'pairs.jsonl')],
  ['"~/my pairs.jsonl"', path.join(homedir(), 'my pairs.jsonl')],
  ['~ada/pairs.jsonl', '~ada/pairs.jsonl'],
  ['pairs~.jsonl', 'pairs~.jsonl'],
  ['"half a quote', '"half a quote'],
  [String(pathToFileURL('/data/my päirs.jsonl')), '/data/my päirs.jsonl'],
  ['file://elsewhere/data', 'file://elsewhere/data'],
])('%s is %s', (given, meant) => {
  expect(givenPath(given)).toBe(meant)
})

test('what exists as it is written is meant so', () => {
  for (const name of ['"quoted"', ' spaced ', "'one'"]) {
    const file = path.join(own.path, name)
    writeFileSync(file, '')
    expect(resolveGiven(file)).toBe(file)
  }
  const folder = path.join(own.path, '~')
  mkdirSync(folder)
  expect(resolveGiven(folder)).toBe(folder)
})

test.skipIf(process.platform === 'win32')(
  'nothing is written among what the kernel makes up, through no link either',
  () => {
    const link = path.join(own.path, 'link')
    symlinkSync('/dev', link)
    for (const place of [
      '/proc',
      '/proc/self/out',
      '/sys/x/y',
      '/dev/null',
      '/dev/stdout',
      '/proc/../dev/x',
      link,
      path.join(link, 'new'),
    ])
      expect(() => refuseKernelPlace(place), place).toThrow(
        expect.objectContaining({ code: 'input-invalid', message: expect.stringContaining('no place for files') }),
      )
    for (const place of ['/dev/shm/out', '/process/out', '/devices', path.join(own.path, 'new', 'folder')])
      expect(() => refuseKernelPlace(place), place).not.toThrow()
  },
)
