import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createApp, recoverData } from '../../main/app/app.ts'
import type { Trouble } from '../../shared/contract/system.ts'
import { inProcess } from '../../shared/rpc.ts'
import { openStore } from '../../main/app/store/open.ts'
import { temporaryFolder } from '../support/filled-store.ts'
import { makeFullFolder } from '../support/full-folder.ts'

let root: string
let original: string
let folder: string
const database = (): string => path.join(folder, 'app.sqlite')
const sum = (): string => `${database()}.sha256`

beforeAll(async () => {
  root = temporaryFolder()
  original = await makeFullFolder(root)
})
afterAll(() => rmSync(root, { recursive: true }))
beforeEach(() => {
  folder = temporaryFolder()
  cpSync(original, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

async function troublesAtStart(): Promise<readonly Trouble[]> {
  const app = await createApp({ dataFolder: folder })
  try {
    return await inProcess(app.handlers).call('system.troubles', {})
  } finally {
    await app.close('continue')
  }
}

function foundAtOpening(): string {
  const store = openStore(folder)
  expect(existsSync(sum())).toBe(false) // whoever dies now leaves no word of a file that was written since
  store.close()
  return store.found
}

/** As another program, or a hand. */
function write(sql: string): void {
  const db = new Database(database())
  expect(db.prepare(sql).run().changes).toBeGreaterThan(0)
  db.close()
}

/** What one flipped bit does to it, at each place where a text stands in the file. */
function flippedAt(text: string): Buffer[] {
  const good = readFileSync(database())
  const found: Buffer[] = []
  for (let at = good.indexOf(text); at >= 0; at = good.indexOf(text, at + 1)) {
    const bytes = Buffer.from(good)
    bytes[at] = bytes[at]! ^ 1
    found.push(bytes)
  }
  return found
}

test('a closed database has the sum that everybody would compute, and is opened by it', () => {
  expect(execFileSync('sha256sum', ['-c', 'app.sqlite.sha256'], { cwd: folder, encoding: 'utf8' })).toContain('OK')
  expect([foundAtOpening(), foundAtOpening()]).toEqual(['as-left', 'as-left'])
})

test('a number, a text or a bit of one that something else wrote is said at the start', async () => {
  write("UPDATE run_samples SET items = replace(items, 'a', 'b')")
  expect(await troublesAtStart()).toMatchObject([
    {
      path: database(),
      trouble: expect.stringContaining('not what Pairlab wrote'),
      hint: expect.stringContaining('Settings → Files'),
    },
  ])
  expect(await troublesAtStart()).toEqual([])
  const [guideline] = flippedAt('The true one.')
  writeFileSync(database(), guideline!)
  expect(await troublesAtStart()).toHaveLength(1)
})

test('an index with a flipped bit, which the quick check lets pass, is refused every time until it is mended', async () => {
  const outcomes = flippedAt('damage-key-7').map((bytes) => {
    writeFileSync(database(), bytes)
    const db = new Database(database())
    const quick = db.pragma('quick_check', { simple: true })
    db.close()
    const open = (): string => {
      try {
        return foundAtOpening()
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    return [quick, open(), open()]
  })
  expect(outcomes).toEqual([
    ['ok', 'db-damaged', 'db-damaged'],
    ['ok', 'db-damaged', 'db-damaged'],
  ]) // in the table, in its index
  await recoverData(folder)
  expect(await troublesAtStart()).toEqual([])
})

test('after a kill, of an older version, and where the sum is no sum, nothing is known and nothing is said', async () => {
  write("UPDATE run_samples SET items = replace(items, 'a', 'b')")
  for (const spoil of [
    () => rmSync(sum(), { force: true }),
    () => writeFileSync(sum(), 'ab'),
    () => (rmSync(sum()), mkdirSync(sum())),
  ]) {
    spoil()
    expect(foundAtOpening()).toBe('unknown')
    expect(foundAtOpening()).toBe('as-left')
  }
})

test('a folder in the place of the database is named as such', () => {
  rmSync(database())
  mkdirSync(database())
  expect(() => openStore(folder)).toThrow(
    expect.objectContaining({ code: 'folder-unusable', message: expect.stringContaining('The database in') }),
  )
})

test.each([
  ['UPDATE runs SET facts = substr(facts, 1, length(facts) - 1)', 'the facts of'],
  ["UPDATE runs SET warnings = '{}'", 'the warnings of'],
  ["UPDATE runs SET state = 'finishee'", 'the state of'],
  ["UPDATE datasets SET mapping = '}'", 'the mapping of'],
])('what cannot be read in a row is told by its name, and is mended by recovery: %s', async (sql, named) => {
  write(sql)
  const ask = async (): Promise<unknown> => {
    const app = await createApp({ dataFolder: folder })
    try {
      const client = inProcess(app.handlers)
      return [
        (await client.call('datasets.list', {})).length,
        (await client.call('runs.list', {})).map(({ state }) => state),
      ]
    } finally {
      await app.close('continue')
    }
  }
  await expect(ask()).rejects.toMatchObject({
    code: 'db-damaged',
    message: expect.stringContaining(named),
    hint: expect.stringContaining('pairlab recover'),
  })
  await recoverData(folder)
  expect(await ask()).toEqual([3, ['finished']])
})
