import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, type Migration } from '../../main/app/store/migrate.ts'
import { migrations } from '../../main/app/store/migrations/list.ts'
import { openStore } from '../../main/app/store/open.ts'
import { temporaryFolder } from '../support/filled-store.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = temporaryFolder()
  file = path.join(folder, 'app.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A released step is never edited: a change is a new step with a line of its own here. */
const FROZEN: Readonly<Record<string, string>> = {
  initial: 'f2b661d01ae7b274',
  runs: '9ede6da18da4a345',
  models: 'c48049cbea6f410b',
  people: '8e2cf3d8ad77c39a',
  'trained-time': 'd1bb3d45f7189914',
  sides: 'a7c7fedbd4659048',
  'events-in-order': '17268d2af08ecf83',
}

test('no released migration was edited', () => {
  expect(
    Object.fromEntries(
      migrations.map((step) => [step.name, createHash('sha256').update(step.sql).digest('hex').slice(0, 16)]),
    ),
  ).toEqual(FROZEN)
})

test('the schema after all of them is test/golden/schema.sql', async () => {
  const { db, close } = openStore(folder)
  const rows = db
    .prepare<[], { type: string; sql: string }>(
      "SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name",
    )
    .all()
  await expect(`${rows.map((row) => `${row.sql};`).join('\n\n')}\n`).toMatchFileSnapshot('../golden/schema.sql')
  close()
})

/** Rows as they stand after the first step; the tests below carry them to the last. */
function databaseAt(version: number): void {
  const db = new Database(file)
  migrate(db, file, migrations.slice(0, version))
  db.exec(`
    INSERT INTO settings VALUES ('theme', '"dark"');
    INSERT INTO annotators VALUES ('Eva', 'Eva', 0, 5);
    INSERT INTO datasets VALUES ('set', 1, 'Set', 'response-pairs', 'f', 's', NULL, 6, 1, 1, 0, 0, '{}', '', 'Q', 0, 0.1, 0.2, 'seed');
    INSERT INTO pairs VALUES ('set', 0, 'p', 1, 0, 10, 'h', 1, 2, 0, 0, 'title', 'train');
    INSERT INTO label_events VALUES (7, 'set', 'Eva', 'answer', 0, 'a', 'far', 'c', 'ab', 1.5, NULL, 'key-12345', 8);
    INSERT INTO answers VALUES ('set', 0, 'Eva', 7, 'a', 'far');`)
  db.close()
}

test('rows of the first schema are the same in the last, and a copy of the file was kept', () => {
  databaseAt(1)
  const tables = ['settings', 'annotators', 'datasets', 'pairs', 'label_events', 'answers']
  const old = new Database(file, { readonly: true })
  const before = tables.map((table) => old.prepare(`SELECT * FROM ${table}`).all())
  old.close()
  const { db, close } = openStore(folder)
  expect(db.pragma('user_version', { simple: true })).toBe(migrations.length)
  const after = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all())
  expect(after).toEqual(
    before.map((rows, at) =>
      tables[at] === 'annotators'
        ? rows.map((row) => ({ ...(row as object), name_key: 'Eva', dataset_id: null }))
        : rows,
    ),
  )
  expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
  close()
  const kept = new Database(`${file}.before-${migrations.length}`, { readonly: true })
  expect(kept.pragma('user_version', { simple: true })).toBe(1)
  expect(tables.map((table) => kept.prepare(`SELECT * FROM ${table}`).all())).toEqual(before)
  kept.close()
})

test('a database that is up to date, or new, is not copied', () => {
  openStore(folder).close()
  openStore(folder).close()
  expect(readdirSync(folder).filter((name) => name.includes('before'))).toEqual([])
})

test('a database from the future is refused with the way out, and left as it is', () => {
  openStore(folder).close()
  const future = new Database(file)
  future.pragma('user_version = 99')
  future.close()
  expect(() => openStore(folder)).toThrow(
    expect.objectContaining({
      code: 'db-from-future',
      hint: expect.stringContaining('newer version'),
      details: expect.objectContaining({ found: 99, known: migrations.length }),
    }),
  )
  expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'db-from-future' })) // not locked by the failed try
})

test('a step that fails leaves the old schema', () => {
  const db = new Database(file)
  migrate(db, file, migrations.slice(0, 1))
  const broken: Migration = {
    version: 2,
    name: 'broken',
    sql: 'CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);',
  }
  expect(() => migrate(db, file, [...migrations.slice(0, 1), broken])).toThrow(/nowhere/)
  expect(db.pragma('user_version', { simple: true })).toBe(1)
  expect(db.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'half'").pluck().get()).toBe(0)
  db.close()
})

test('a list with a gap or a step out of order is a mistake of ours', () => {
  const db = new Database(':memory:')
  const step = (version: number): Migration => ({ version, name: `step ${version}`, sql: '' })
  expect(() => migrate(db, file, [step(1), step(3)])).toThrow(/must have version 2/)
  db.close()
})
