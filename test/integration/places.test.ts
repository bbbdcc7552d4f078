import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp } from '../../main/app/app.ts'
import { inProcess } from '../../shared/rpc.ts'
import { temporaryFolder } from '../support/filled-store.ts'

// Something else stands where the app keeps one of its own: it opens all the same, or says which thing is in the way.

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
  cpSync(fileURLToPath(new URL('../fixtures/data-folder-0.1', import.meta.url)), folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

async function open(): Promise<string[]> {
  const app = await createApp({ dataFolder: folder })
  try {
    const client = inProcess(app.handlers)
    expect(await client.call('trash.list', {})).toEqual([])
    return (await client.call('datasets.list', {})).map(({ name }) => name)
  } finally {
    await app.close('continue')
  }
}

test.each(['trash', 'exports', 'engines', 'papers'])(
  'a file in the place of %s/ is left alone, and the app opens',
  async (name) => {
    const place = path.join(folder, name)
    expect(existsSync(place)).toBe(false)
    writeFileSync(place, 'somebody’s notes')
    expect(await open()).toHaveLength(2)
    expect(readFileSync(place, 'utf8')).toBe('somebody’s notes')
  },
)

test.each(['cache', 'runs', 'datasets', 'models', 'incoming'])('a file in the place of %s/ is named', async (name) => {
  const place = path.join(folder, name)
  rmSync(place, { recursive: true, force: true })
  writeFileSync(place, 'somebody’s notes')
  await expect(open()).rejects.toMatchObject({
    code: 'folder-unusable',
    message: expect.stringContaining(place),
    hint: expect.stringMatching(/Move (it|that file) away/),
  })
  expect(readFileSync(place, 'utf8')).toBe('somebody’s notes')
})

test.each(['app.log', 'serve.json', 'annotators.json', 'app.sqlite.sha256'])(
  'a folder in the place of %s keeps nobody out',
  async (name) => {
    rmSync(path.join(folder, name), { force: true })
    mkdirSync(path.join(folder, name))
    expect(await open()).toHaveLength(2)
  },
)
