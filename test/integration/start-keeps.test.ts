import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApp, recoverData } from '../../main/app/app.ts'
import { journalPath, recordsPath } from '../../main/app/store/datasets-folder.ts'
import { beginFolder, markDeleted } from '../../main/app/store/datasets-marks.ts'
import { openStore } from '../../main/app/store/open.ts'
import type { Client } from '../../shared/rpc.ts'
import { runCli } from '../support/cli.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'
import { filesOf, labelsOf, withAppOn } from '../support/kept-folder.ts'

const PAIRS = 40
let original: string
let folder: string
/** The labels as they were given. */
let before: unknown
const set = (name = ''): string => path.join(folder, 'datasets', 'set', name)
const database = (suffix = ''): string => path.join(folder, `app.sqlite${suffix}`)

const withApp = <T>(work: (client: Client) => Promise<T>): Promise<T> => withAppOn(folder, work)

beforeAll(async () => {
  original = temporaryFolder()
  folder = original
  const { db, close } = openStore(folder)
  addDataset(db, folder, 'set', PAIRS)
  close()
  await withApp(async (client) => {
    const { annotatorId } = await client.call('annotators.add', { name: 'Eva' })
    const who = { datasetId: 'set' as never, annotatorId }
    for (let pair = 0; pair < 12; pair += 1)
      await client.call('labels.add', {
        ...who,
        pairId: `pair-${pair}`,
        outcome: pair % 2 === 0 ? 'a' : 'b',
        strength: null,
        comment: `note ${pair}`,
        shownOrder: 'ab',
        durationMs: 1,
        clientKey: `answer-${pair}`,
      })
    await client.call('labels.undo', { ...who, clientKey: 'undo-last' })
    before = await labelsOf(client, 'set')
  })
})
afterAll(() => rmSync(original, { recursive: true }))
beforeEach(() => {
  folder = temporaryFolder()
  cpSync(original, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a start deletes nothing', () => {
  test('a data set that lost its row and its dataset.json is made again from records and journal', async () => {
    for (const damage of [
      () => rmSync(set('dataset.json')),
      () => writeFileSync(set('dataset.json'), ''),
      () => writeFileSync(set('dataset.json'), '{"formatVersion":1,"datase'),
    ]) {
      damage()
      const { db, close } = openStore(folder)
      db.exec('UPDATE datasets SET ready = 0; DELETE FROM datasets; DELETE FROM annotators; DELETE FROM settings')
      close()
      const records = readFileSync(recordsPath(folder, 'set'))
      const journal = readFileSync(journalPath(folder, 'set'))
      rmSync(path.join(folder, 'annotators.json'), { force: true })
      await withApp(async (client) => {
        expect(await client.call('datasets.list', {})).toMatchObject([
          {
            datasetId: 'set',
            name: 'recovered set',
            kind: 'response-pairs',
            itemCount: PAIRS,
            labelCount: 11,
            annotators: ['Eva'],
          },
        ])
        expect(await labelsOf(client, 'set')).toEqual(before)
        expect((await client.call('annotators.list', {})).map(({ name, imported }) => ({ name, imported }))).toEqual([
          { name: 'Eva', imported: false },
        ])
        expect((await client.call('datasets.get', { datasetId: 'set' as never })).split.counts.test).toBeGreaterThan(0)
      })
      expect(readFileSync(recordsPath(folder, 'set'))).toEqual(records)
      expect(readFileSync(journalPath(folder, 'set'))).toEqual(journal)
      expect(readFileSync(path.join(folder, 'app.log'), 'utf8')).toContain('recovered "recovered set"')
    }
  })

  test('whatever a person puts under datasets/ stays there, byte for byte, and is named', async () => {
    const strange = path.join(folder, 'datasets')
    writeFileSync(path.join(strange, 'notes.txt'), 'mine')
    mkdirSync(path.join(strange, 'my own work/deep'), { recursive: true })
    writeFileSync(path.join(strange, 'my own work/deep/thesis.tex'), 'years of it')
    mkdirSync(path.join(strange, 'empty'))
    mkdirSync(path.join(strange, 'only labels'))
    cpSync(journalPath(folder, 'set'), path.join(strange, 'only labels/labels.jsonl'))
    const mine = filesOf(strange)
    const troubles = await withApp((client) => client.call('system.troubles', {}))
    expect(filesOf(strange)).toEqual(mine)
    expect(troubles.map((one) => [path.basename(one.path), one.trouble])).toEqual([
      ['empty', expect.stringContaining('empty')],
      ['my own work', expect.stringContaining('no data set')],
      ['notes.txt', expect.stringContaining('file')],
      ['only labels', expect.stringContaining('13 label events')],
    ])
    rmSync(database())
    const report = await recoverData(folder)
    expect(report.problems).toHaveLength(4)
    expect(filesOf(strange)).toEqual(mine)
  })

  test('a copy of a data set becomes one of its own, with its own labels', async () => {
    cpSync(set(), path.join(folder, 'datasets', 'copy'), { recursive: true })
    await withApp(async (client) => {
      expect(
        (await client.call('datasets.list', {}))
          .map(({ datasetId, name, labelCount }) => [datasetId, name, labelCount])
          .sort(),
      ).toEqual([
        ['copy', 'Set set (2)', 11],
        ['set', 'Set set', 11],
      ])
      const [one, other] = await Promise.all([labelsOf(client, 'set'), labelsOf(client, 'copy')])
      expect(other).toEqual(one)
      await client.call('labels.undo', {
        datasetId: 'copy' as never,
        annotatorId: 'Eva' as never,
        clientKey: 'undo-in-copy',
      })
    })
    await withApp(async (client) => {
      expect(
        (await client.call('datasets.list', {})).map(({ datasetId, labelCount }) => [datasetId, labelCount]).sort(),
      ).toEqual([
        ['copy', 10],
        ['set', 11],
      ])
      expect(await client.call('system.troubles', {})).toEqual([])
    })
  })

  test('an import that died goes to the trash; one that people labeled since does not', async () => {
    for (const id of ['dead', 'alive']) {
      beginFolder(folder, id)
      cpSync(recordsPath(folder, 'set'), recordsPath(folder, id))
    }
    cpSync(journalPath(folder, 'set'), journalPath(folder, 'alive'))
    await withApp(async (client) => {
      expect(
        (await client.call('datasets.list', {})).map(({ datasetId, labelCount }) => [datasetId, labelCount]).sort(),
      ).toEqual([
        ['alive', 11],
        ['set', 11],
      ])
    })
    const trash = readdirSync(path.join(folder, 'trash'))
    expect(trash).toEqual([expect.stringMatching(/^dead-/)])
    expect(readFileSync(path.join(folder, 'trash', trash[0] ?? '', 'records.jsonl'))).toEqual(
      readFileSync(recordsPath(folder, 'set')),
    )
  })

  test('a dataset.json that was lost or damaged is written again while the database knows it; the damaged one stays beside it', async () => {
    const good = readFileSync(set('dataset.json'), 'utf8')
    writeFileSync(set('dataset.json'), good.slice(0, 100))
    await withApp((client) => client.call('datasets.list', {}))
    expect(readFileSync(set('dataset.json'), 'utf8')).toBe(good)
    expect(readdirSync(set()).filter((name) => name.startsWith('dataset.json.damaged-'))).toHaveLength(1)
  })
})

test('a dataset.json that says other than the database is written anew at the start, and what it held stays beside it', async () => {
  const good = readFileSync(set('dataset.json'), 'utf8')
  const other = good.replace('"guideline": "', '"guideline": "of another time ')
  expect(other).not.toBe(good)
  writeFileSync(set('dataset.json'), other)
  await withApp((client) => client.call('datasets.list', {}))
  expect(readFileSync(set('dataset.json'), 'utf8')).toBe(good)
  const kept = readdirSync(set()).filter((name) => name.startsWith('dataset.json.before-'))
  expect(kept.map((name) => readFileSync(set(name), 'utf8'))).toEqual([other])
  await withApp((client) => client.call('datasets.list', {}))
  expect(readdirSync(set()).filter((name) => name.startsWith('dataset.json.before-'))).toEqual(kept)
})

describe('a database that is no longer ours', () => {
  const losses: readonly (readonly [string, () => void])[] = [
    ['empty', () => truncateSync(database())],
    ['missing', () => rmSync(database())],
    [
      'missing, its log left behind',
      () => {
        const { db, close } = openStore(folder)
        db.exec("INSERT INTO settings VALUES ('later', '1')")
        cpSync(database('-wal'), `${folder}/kept-wal`)
        close()
        rmSync(database())
        renameSync(`${folder}/kept-wal`, database('-wal'))
      },
    ],
    [
      'of another program',
      () => {
        rmSync(database())
        expect(
          spawnSync(process.execPath, [
            '-e',
            `const D = require('better-sqlite3'); const d = new D(process.argv[1]); d.exec('CREATE TABLE bookmarks (url TEXT)'); d.close()`,
            database(),
          ]).status,
        ).toBe(0)
      },
    ],
    ['a page of text', () => writeFileSync(database(), 'once upon a time '.repeat(1000))],
    [
      'without its tables',
      () => {
        const { db, close } = openStore(folder)
        db.exec('DROP TABLE answers')
        close()
      },
    ],
    [
      'with no table at all',
      () => {
        rmSync(database())
        expect(
          spawnSync(process.execPath, [
            '-e',
            `const D = require('better-sqlite3'); const d = new D(process.argv[1]); d.exec('CREATE TABLE x (y); DROP TABLE x'); d.close()`,
            database(),
          ]).status,
        ).toBe(0)
      },
    ],
  ]
  for (const [what, lose] of losses) {
    test(`${what}: is refused with the way back, and everything comes back`, async () => {
      lose()
      const kept = filesOf(path.join(folder, 'datasets'))
      await expect(createApp({ dataFolder: folder })).rejects.toMatchObject({
        code: 'db-damaged',
        hint: expect.stringContaining('pairlab recover'),
      })
      expect(filesOf(path.join(folder, 'datasets'))).toEqual(kept)
      await recoverData(folder)
      await withApp(async (client) => {
        expect(await client.call('datasets.list', {})).toMatchObject([
          { datasetId: 'set', name: 'Set set', labelCount: 11 },
        ])
        expect(await labelsOf(client, 'set')).toEqual(before)
      })
    })
  }

  test('valid and empty: the data sets are taken in again', async () => {
    rmSync(database())
    const elsewhere = temporaryFolder()
    openStore(elsewhere).close()
    renameSync(path.join(elsewhere, 'app.sqlite'), database())
    rmSync(elsewhere, { recursive: true })
    await withApp(async (client) =>
      expect(await client.call('datasets.list', {})).toMatchObject([
        { datasetId: 'set', name: 'Set set', labelCount: 11 },
      ]),
    )
  })

  test('the command line says so, with the status of a damaged database', async () => {
    truncateSync(database())
    const { status, stdout, stderr } = await runCli(['datasets'], { dataFolder: folder })
    expect({ status, stdout }).toEqual({ status: 8, stdout: '' })
    expect(stderr).toContain('pairlab recover')
  })
})

describe('a deletion that was interrupted ends in the trash', () => {
  const mark = { kind: 'dataset', id: 'set', name: 'Set set', deletedAtMs: 5, labelEvents: 13 } as const
  const moments: readonly (readonly [string, () => void])[] = [
    ['after the mark', () => markDeleted(set(), mark)],
    [
      'after it was hidden',
      () => {
        markDeleted(set(), mark)
        const { db, close } = openStore(folder)
        db.exec('UPDATE datasets SET ready = 0')
        close()
      },
    ],
    [
      'after the folder was moved',
      () => {
        markDeleted(set(), mark)
        mkdirSync(path.join(folder, 'trash'))
        renameSync(set(), path.join(folder, 'trash', 'set-abc123'))
        const { db, close } = openStore(folder)
        db.exec('UPDATE datasets SET ready = 0; DELETE FROM label_events WHERE label_id > 5')
        close()
      },
    ],
  ]
  for (const [when, interrupt] of moments) {
    test(when, async () => {
      const journal = readFileSync(journalPath(folder, 'set'), 'utf8')
      interrupt()
      await withApp(async (client) => {
        expect(await client.call('datasets.list', {})).toEqual([])
        expect(await client.call('system.troubles', {})).toEqual([])
      })
      const [trashed = ''] = readdirSync(path.join(folder, 'trash'))
      expect(existsSync(set())).toBe(false)
      expect(readFileSync(path.join(folder, 'trash', trashed, 'labels.jsonl'), 'utf8')).toBe(journal)
      const { db, close } = openStore(folder)
      expect(
        ['datasets', 'pairs', 'label_events', 'answers'].map((table) =>
          db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
        ),
      ).toEqual([0, 0, 0, 0])
      close()
    })
  }
})

describe('the trouble of one data set is its own', () => {
  test('a journal that cannot be opened: labels are in force, and every call says that it is behind', async () => {
    rmSync(journalPath(folder, 'set'))
    mkdirSync(journalPath(folder, 'set'))
    await withApp(async (client) => {
      expect(await client.call('system.troubles', {})).toMatchObject([
        { path: journalPath(folder, 'set'), trouble: expect.stringContaining('labels.jsonl') },
      ])
      const who = { datasetId: 'set' as never, annotatorId: 'Eva' as never }
      const { progress } = await client.call('labels.add', {
        ...who,
        pairId: 'pair-20',
        outcome: 'tie',
        strength: null,
        shownOrder: 'ab',
        durationMs: 1,
        clientKey: 'beside-the-journal',
      })
      expect(progress).toMatchObject({ answered: 12, journalTrouble: expect.stringContaining('labels.jsonl') })
      rmSync(journalPath(folder, 'set'), { recursive: true })
      expect(
        await client.call('labels.flag', { ...who, pairId: 'pair-20', flagged: true, clientKey: 'flag-after' }),
      ).toMatchObject({ journalTrouble: null })
    })
    expect(readFileSync(journalPath(folder, 'set'), 'utf8').trim().split('\n')).toHaveLength(15)
  })

  test('a data folder that is a file, or cannot be made, is refused in words', async () => {
    writeFileSync(path.join(folder, 'file'), 'x')
    for (const wanted of [path.join(folder, 'file'), path.join(folder, 'file', 'below')]) {
      await expect(createApp({ dataFolder: wanted })).rejects.toMatchObject({
        code: 'folder-unusable',
        hint: expect.stringContaining('--data-dir'),
      })
    }
  })
})

test('names that are gone from beside the database are written anew, and that is said', async () => {
  const file = path.join(folder, 'annotators.json')
  await withApp(() => Promise.resolve())
  const names = readFileSync(file, 'utf8')
  expect(names).toContain('Eva')
  rmSync(file)
  await withApp(() => Promise.resolve())
  expect(readFileSync(file, 'utf8')).toBe(names)
  expect(readFileSync(path.join(folder, 'app.log'), 'utf8')).toContain(
    'annotators.json was missing; it was written anew',
  )
})

test('a lock that is no file is named', async () => {
  rmSync(path.join(folder, 'app.lock'), { force: true })
  mkdirSync(path.join(folder, 'app.lock'))
  await expect(withApp(() => Promise.resolve())).rejects.toMatchObject({
    code: 'folder-unusable',
    message: expect.stringContaining('app.lock'),
  })
})
