import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest'
import { createApp } from '../../main/app/app.ts'
import { openStore } from '../../main/app/store/open.ts'
import { inProcess } from '../../shared/rpc.ts'
import { temporaryFolder } from '../support/filled-store.ts'
import { makeFullFolder } from '../support/full-folder.ts'

let root: string
let original: string
let folder: string

beforeAll(async () => {
  root = temporaryFolder()
  original = await makeFullFolder(root)
}, 120_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))
beforeEach(() => {
  folder = path.join(root, 'copy')
  cpSync(original, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Files that verify names, relative to the data folder, with what it says. */
async function verify(): Promise<Record<string, string>> {
  const app = await createApp({ dataFolder: folder })
  try {
    const { troubles } = await inProcess(app.handlers).call('system.verify', {})
    return Object.fromEntries(troubles.map((one) => [path.relative(folder, one.path), one.trouble]))
  } finally {
    await app.close()
  }
}

/** The first file below the folder whose relative path fits. */
function fileLike(pattern: RegExp): string {
  const found = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name))
    .sort()[0]
  if (found === undefined) throw new Error(`no file like ${pattern}`)
  return found
}

function flipLetter(file: string, from: string, to: string): void {
  const text = readFileSync(path.join(folder, file), 'latin1')
  expect(text).toContain(from)
  writeFileSync(path.join(folder, file), text.replace(from, to), 'latin1')
}

test('a folder as it was written has no troubles, and looking changes nothing', async () => {
  expect(await verify()).toEqual({})
  expect(await verify()).toEqual({})
})

test('each changed file is named, with what it was compared with', async () => {
  const { db, close } = openStore(folder)
  const labeled =
    db
      .prepare<[], string>('SELECT dataset_id FROM label_events GROUP BY dataset_id ORDER BY count(*) DESC LIMIT 1')
      .pluck()
      .get() ?? ''
  db.prepare('UPDATE pairs SET title = ? WHERE dataset_id <> ? AND idx = 2').run('another title', labeled)
  close()
  const [records, journal] = [`datasets/${labeled}/records.jsonl`, `datasets/${labeled}/labels.jsonl`]
  flipLetter(records, 'no no no', 'no no yes')
  flipLetter(journal, '"comment":"note 3"', '"comment":"note 8"')
  const view = fileLike(/views\/[0-9a-f]{64}\.jsonl$/)
  flipLetter(view, 'yes', 'yep')
  const events = fileLike(/events\.jsonl$/)
  flipLetter(events, '"loss":[', '"loss":[1')
  const spec = fileLike(/spec\.json$/)
  flipLetter(spec, '"seed": 1', '"seed": 2')
  const weights = fileLike(/model\.safetensors$/)
  truncateSync(path.join(folder, weights), 100)
  const found = await verify()
  expect(Object.keys(found)).toEqual(expect.arrayContaining([records, journal, view, events, spec, weights]))
  expect(found[records]).toContain('fingerprint')
  expect(found[journal]).toContain('1 label events differ')
  expect(found[weights]).toContain('sha256')
  const others = Object.keys(found).filter((name) => name.endsWith('records.jsonl') && name !== records)
  expect(others.map((name) => found[name])).toEqual([
    expect.stringContaining('the first is number 3'),
    expect.stringContaining('the first is number 3'),
  ])
}, 60_000)

test('what cannot be read is a trouble of its own, and the rest is looked at', async () => {
  const report = fileLike(/datasets\/[^/]+\/report\.jsonl$/)
  rmSync(path.join(folder, report))
  const state = fileLike(/state\.json$/)
  writeFileSync(path.join(folder, state), '{')
  const found = await verify()
  expect(found[report]).toContain('ENOENT')
  expect(found[state]).toContain('cannot be read')
}, 60_000)
