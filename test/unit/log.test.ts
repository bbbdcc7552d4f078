import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultDataFolder } from '../../main/base/data-folder.ts'
import { createLog } from '../../main/base/log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab log '))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('an entry is one line with time and level, details and causes included', () => {
  const log = createLog(folder)
  log.info('started\nFAKE error line')
  log.error('failed', new Error('outer', { cause: new Error('inner') }))
  log.debug('not at this level')
  const [first, second, ...rest] = log.tail(10)
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}started ⏎ FAKE error line$/)
  expect(second).toMatch(/error failed Error: outer.*caused by Error: inner/)
  expect(rest).toEqual([])
})

test('rotates into one older file and reads back across both', () => {
  const log = createLog(folder, { maxBytes: 2000 })
  for (let count = 0; count < 100; count += 1) log.info(`entry ${count}`)
  expect(readdirSync(folder).sort()).toEqual(['app.1.log', 'app.log'])
  expect(statSync(path.join(folder, 'app.log')).size).toBeLessThanOrEqual(2000)
  const lines = log.tail(40)
  expect(lines.map((line) => line.split(' ').at(-1))).toEqual(
    Array.from({ length: 40 }, (_, index) => String(index + 60)),
  )
  createLog(folder, { maxBytes: 2000 }).info('after a restart')
  expect(log.tail(2)[1]).toContain('after a restart')
})

test.each([
  ['linux', { PAIRLAB_DATA: '/given' }, '/given'],
  ['linux', {}, '/home/eva/.local/share/pairlab'],
  ['linux', { XDG_DATA_HOME: '/xdg' }, '/xdg/pairlab'],
  ['linux', { XDG_DATA_HOME: 'relative' }, '/home/eva/.local/share/pairlab'],
  ['darwin', {}, '/home/eva/Library/Application Support/pairlab'],
  ['win32', { APPDATA: 'C:\\Users\\eva\\AppData\\Roaming' }, 'C:\\Users\\eva\\AppData\\Roaming\\pairlab'],
] as const)('on %s with %o data go to %s', (platform, env, expected) => {
  expect(defaultDataFolder({ platform, env, home: '/home/eva' })).toBe(expected)
})
