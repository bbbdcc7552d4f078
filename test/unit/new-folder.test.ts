import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { writeNewFolder } from '../../main/core/models/new-folder.ts'
import { ownFolder } from '../support/own-folder.ts'

const own = ownFolder('new folders')
const write = async (folder: string): Promise<void> => writeFileSync(path.join(folder, 'one'), '1')

test('a folder is there whole, or not at all', async () => {
  const target = path.join(own.path, 'a', 'b')
  expect(await writeNewFolder(target, write)).toEqual(['one'])
  await expect(writeNewFolder(target, write)).rejects.toMatchObject({ message: `${target} is not empty.` })
  const failing = writeNewFolder(path.join(own.path, 'c'), async (folder) => {
    await write(folder)
    throw new Error('half way')
  })
  await expect(failing).rejects.toThrow('half way')
  expect(readdirSync(own.path)).toEqual(['a'])
})

test.skipIf(process.platform !== 'linux')('where none can be made, the place is named', async () => {
  for (const place of ['/proc', '/proc/1'])
    await expect(writeNewFolder(path.join(place, 'out'), write)).rejects.toMatchObject({
      code: 'folder-unusable',
      message: `${place} takes no new folder.`,
      hint: expect.stringContaining('home folder'),
    })
})

test.skipIf(process.getuid?.() === 0)('nor where it may not (skipped: root may everywhere)', async () => {
  const closed = path.join(own.path, 'closed')
  mkdirSync(closed)
  chmodSync(closed, 0o500)
  await expect(writeNewFolder(path.join(closed, 'out'), write)).rejects.toMatchObject({ code: 'folder-unusable' })
  chmodSync(closed, 0o700)
})
