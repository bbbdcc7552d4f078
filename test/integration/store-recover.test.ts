import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { assignSplits } from '../../main/app/data/split.ts'
import { addAnnotator, listAnnotators } from '../../main/app/store/annotators.ts'
import { writeAnnotatorsFile } from '../../main/app/store/annotators-file.ts'
import { requireDataset } from '../../main/app/store/datasets.ts'
import { journalPath, recordsPath } from '../../main/app/store/datasets-folder.ts'
import { beginFolder } from '../../main/app/store/datasets-marks.ts'
import { addAnswer, insertImportedLabels, readProgress, redoAnswer, undoAnswer } from '../../main/app/store/labels.ts'
import { iterateEvents } from '../../main/app/store/labels-journal.ts'
import { compareWithJournal, reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import { openStore, type WritableDb } from '../../main/app/store/open.ts'
import { iterateItems } from '../../main/app/store/items.ts'
import { readRecord } from '../../main/app/store/records.ts'
import { recoverStore, type RecoveryReport } from '../../main/app/store/recover.ts'
import { readSettings, writeSettings } from '../../main/app/store/settings.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'
import { createRandom } from '../support/seeded.ts'

const PAIRS = 400
const eva = { datasetId: 'set', annotatorId: 'Eva' }
/** Made once: every label waits for the disk. */
let original: string
let folder: string
let before: ReturnType<typeof everything>

/** All that must come back. */
function everything(db: WritableDb): unknown {
  return {
    datasets: ['set', 'other'].map((id) => requireDataset(db, id)),
    pairs: ['set', 'other'].map((id) => [...iterateItems(db, id)]),
    events: ['set', 'other'].map((id) => [...iterateEvents(db, id)]),
    answers: db.prepare('SELECT * FROM answers ORDER BY 1, 2, 3').all(),
    undone: db.prepare('SELECT * FROM undone_answers ORDER BY 1').all(),
    annotators: listAnnotators(db),
    progress: readProgress(db, eva),
  }
}

beforeAll(() => {
  original = temporaryFolder()
  folder = original
  const { db, close } = openStore(folder)
  addAnnotator(db, 'Eva', 1)
  writeAnnotatorsFile(db, folder)
  writeSettings(db, { theme: 'dark', slots: 3 })
  addDataset(db, folder, 'set', PAIRS)
  addDataset(db, folder, 'other', 10)
  insertImportedLabels(
    db,
    folder,
    'other',
    Array.from({ length: 10 }, (_, pairIndex) => ({
      pairIndex,
      annotator: 'annotator1',
      outcome: 'a' as const,
      strength: null,
    })),
    5,
  )
  for (let pair = 0; pair < PAIRS; pair += 1) {
    addAnswer(
      db,
      folder,
      {
        ...eva,
        pairId: `pair-${pair}`,
        outcome: pair % 2 === 0 ? 'a' : 'b',
        strength: 'far',
        comment: `because of ${pair}`,
        shownOrder: 'ba',
        durationMs: pair,
        clientKey: `client-${pair}`,
      },
      pair,
    )
  }
  for (let count = 0; count < 5; count += 1) undoAnswer(db, folder, { ...eva, clientKey: `undo-${count}` }, 999)
  redoAnswer(db, folder, { ...eva, clientKey: 'redo-once' }, 999)
  before = everything(db)
  close()
})
afterAll(() => rmSync(original, { recursive: true }))
beforeEach(() => {
  folder = temporaryFolder()
  cpSync(original, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

function overwrite(file: string, offset: number, length: number): void {
  const handle = openSync(file, 'r+')
  writeSync(handle, Buffer.alloc(length, 0xa5), 0, length, offset)
  closeSync(handle)
}

function recoverData(where: string): Promise<RecoveryReport> {
  return recoverStore(where, { assignSplits, nowMs: Date.now() })
}

async function recoverAndCompare(): Promise<RecoveryReport> {
  const report = await recoverData(folder)
  const { db, close } = openStore(folder)
  expect(reconcileJournals(db, folder)).toEqual([])
  expect(everything(db)).toEqual(before)
  expect(['set', 'other'].flatMap((id) => compareWithJournal(db, folder, id))).toEqual([])
  close()
  return report
}

describe('a damaged database', () => {
  test('is refused in words, and everything comes back, the damaged file kept', async () => {
    const file = path.join(folder, 'app.sqlite')
    const size = statSync(file).size
    overwrite(file, Math.floor(size / 2), Math.floor(size / 4))
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({ code: 'db-damaged', hint: expect.stringContaining('pairlab recover') }),
    )
    const damaged = readFileSync(file)
    const report = await recoverAndCompare()
    expect(
      report.datasets.map(({ datasetId, pairs, labelEvents, problems }) => ({
        datasetId,
        pairs,
        labelEvents,
        problems,
      })),
    ).toEqual([
      { datasetId: 'other', pairs: 10, labelEvents: 10, problems: [] },
      { datasetId: 'set', pairs: PAIRS, labelEvents: PAIRS + 6, problems: [] },
    ])
    expect(readFileSync(report.keptAs ?? '').equals(damaged)).toBe(true)
  })

  test('wherever the damage is', async () => {
    const file = path.join(folder, 'app.sqlite')
    const random = createRandom(11)
    const good = readFileSync(file)
    const refusals: unknown[] = []
    for (let round = 0; round < 15; round += 1) {
      writeFileSync(file, good)
      overwrite(file, Math.floor(random() * (good.length - 8192)), 1 + Math.floor(random() * 8192))
      try {
        openStore(folder).close()
      } catch (error) {
        refusals.push(error)
      }
      await recoverAndCompare()
    }
    expect(refusals.length).toBeGreaterThan(5)
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'db-damaged' })
  }, 120_000)

  test('its header gone, cut short, or no database at all', async () => {
    const file = path.join(folder, 'app.sqlite')
    overwrite(file, 0, 100)
    expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'db-damaged' }))
    await recoverAndCompare()
    truncateSync(file, 9000)
    expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'db-damaged' }))
    await recoverAndCompare()
    unlinkSync(file)
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({ code: 'db-damaged', message: expect.stringContaining('2 data sets') }),
    )
    expect((await recoverAndCompare()).keptAs).toBeNull()
  })

  test('settings come back where they can still be read', async () => {
    await recoverAndCompare()
    const { db, close } = openStore(folder)
    expect(readSettings(db)).toMatchObject({ theme: 'dark', slots: 3 })
    close()
  })
})

describe('damaged files beside it', () => {
  test('a lost or garbled journal is written anew from the database', async () => {
    rmSync(journalPath(folder, 'other'))
    const journal = readFileSync(journalPath(folder, 'set'), 'utf8').split('\n')
    journal[20] = '{"garbled'
    writeFileSync(journalPath(folder, 'set'), journal.join('\n'))
    const report = await recoverAndCompare()
    expect(report.datasets.find((dataset) => dataset.datasetId === 'set')?.problems).toEqual([
      expect.stringContaining('line 21'),
      expect.stringContaining('written anew'),
    ])
    expect(
      readdirSync(path.dirname(journalPath(folder, 'set'))).some((name) => name.startsWith('labels.jsonl.before-')),
    ).toBe(true)
  })

  test('a damaged record keeps its place and its labels; the others stay readable', async () => {
    const lines = readFileSync(recordsPath(folder, 'set'), 'utf8').split('\n')
    lines[7] = `#${(lines[7] ?? '').slice(1)}`
    writeFileSync(recordsPath(folder, 'set'), lines.join('\n'))
    const report = await recoverData(folder)
    expect(report.datasets.find((dataset) => dataset.datasetId === 'set')).toMatchObject({
      pairs: PAIRS,
      labelEvents: PAIRS + 6,
      problems: [expect.stringContaining('record 8 is damaged'), expect.stringContaining('fingerprint')],
    })
    const { db, close } = openStore(folder)
    const pairs = [...iterateItems(db, 'set')]
    expect(pairs[7]).toMatchObject({ pairId: 'pair-7', title: '(this record is damaged)' })
    const [broken, whole] = [pairs[7], pairs[8]]
    if (broken === undefined || whole === undefined) throw new Error('pairs are missing')
    expect(() => readRecord(folder, 'set', broken)).toThrow(expect.objectContaining({ code: 'dataset-invalid' }))
    expect(readRecord(folder, 'set', whole).pairId).toBe('pair-8')
    close()
  })

  test('an import that never ended is not taken for a data set, and stays', async () => {
    rmSync(path.join(folder, 'datasets', 'other', 'dataset.json'))
    beginFolder(folder, 'other')
    rmSync(path.join(folder, 'app.sqlite'))
    const report = await recoverData(folder)
    expect(report.datasets.map((dataset) => dataset.datasetId)).toEqual(['set'])
    expect(report.problems).toEqual([expect.stringContaining('never ended')])
    expect(existsSync(recordsPath(folder, 'other'))).toBe(true)
  })
})

test('recovery waits until the app is closed, and says so when there is nothing', async () => {
  const store = openStore(folder)
  await expect(recoverData(folder)).rejects.toMatchObject({ code: 'db-locked' })
  store.close()
  const empty = temporaryFolder()
  await expect(recoverData(empty)).rejects.toMatchObject({ code: 'file-not-found' })
  rmSync(empty, { recursive: true })
})
