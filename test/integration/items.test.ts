import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addDataset, type NewDataset } from '../../main/app/data/add-dataset.ts'
import type { NewPart } from '../../main/core/formats/parsed-rows.ts'
import { assignSplits } from '../../main/app/data/split.ts'
import { buildView, countView } from '../../main/app/data/view.ts'
import { listDatasets, requireDataset } from '../../main/app/store/datasets.ts'
import { databasePath, openStore, type Store } from '../../main/app/store/open.ts'
import { rebuildDataset } from '../../main/app/store/rebuild-dataset.ts'
import { recoverStore } from '../../main/app/store/recover.ts'
import { itemRow } from '../../shared/data-kinds.ts'
import type { DatasetId } from '../../shared/domain.ts'
import { temporaryFolder } from '../support/filled-store.ts'

let folder: string
let store: Store
beforeEach(() => {
  folder = temporaryFolder()
  store = openStore(folder)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

function item(index: number, changes: Partial<Extract<NewPart, { item: unknown }>['item']> = {}): NewPart {
  return {
    item: {
      pairId: `q${index}`,
      line: index + 1,
      group: `g${Math.floor(index / 2)}`,
      title: `Query ${index}`,
      split: null,
      data: { text: `Was ist Ü${index}?` },
      ...changes,
    },
  }
}
function dataset(parts: NewPart[]): NewDataset {
  return {
    name: 'Queries',
    kind: 'rankings',
    source: 'made by a test',
    licence: null,
    question: 'Which is better?',
    parts,
  }
}
const spec = (id: DatasetId) => ({
  datasetId: id,
  split: { seed: 1, validation: 0.2, test: 0.2 },
  annotators: [],
  aggregation: 'mean' as const,
})

test('items, what they refer to and what is wrong with them become a data set, and a view of it', async () => {
  const parts = [
    ...Array.from({ length: 20 }, (_, index) =>
      item(
        index,
        index === 7
          ? { split: 'test' }
          : index === 4
            ? { labels: [{ annotator: 'x', outcome: 'a', strength: null }] }
            : {},
      ),
    ),
    { problem: { line: 21, severity: 'error' as const, code: 'json-broken', reason: 'no JSON', hint: 'mend it' } },
    { extra: { extra: 'document', data: { id: 'd1', text: 'Erstes' } } },
    { extra: { extra: 'document', data: { id: 'd2', text: 'Zweites' } } },
  ]
  const added = await addDataset(dataset(parts), { db: store.db, dataFolder: folder })
  expect(added).toMatchObject({
    itemCount: 20,
    promptCount: 10,
    rejectedRowCount: 1,
    name: 'Queries',
    kind: 'rankings',
  })
  const view = await buildView(store.db, folder, spec(added.datasetId))
  const lines = readFileSync(view.viewPath, 'utf8').trim().split('\n')
  const rows = lines.slice(0, 20).map((line) => itemRow.parse(JSON.parse(line)))
  expect(rows.map((row) => row.pairId)).toEqual(Array.from({ length: 20 }, (_, index) => `q${index}`))
  expect(rows[7]).toMatchObject({ split: 'test', preferenceA: null, data: { text: 'Was ist Ü7?' } })
  expect(rows[4]).toMatchObject({ preferenceA: 1, labelCount: 1 })
  for (const [at, row] of rows.entries())
    if (at !== 7 && at !== 6 && at % 2 === 1) expect(row.split).toBe(rows[at - 1]!.split)
  expect(lines.slice(20).map((line) => JSON.parse(line) as unknown)).toEqual([
    { extra: 'document', data: { id: 'd1', text: 'Erstes' } },
    { extra: 'document', data: { id: 'd2', text: 'Zweites' } },
  ])
  expect(view.counts.train + view.counts.validation + view.counts.test).toBe(20)
})

test('a lost database is built again from the files', async () => {
  const added = await addDataset(
    dataset([...Array.from({ length: 6 }, (_, index) => item(index)), { extra: { extra: 'document', data: 1 } }]),
    { db: store.db, dataFolder: folder },
  )
  const before = await buildView(store.db, folder, spec(added.datasetId))
  store.close()
  rmSync(databasePath(folder))
  const report = await recoverStore(folder, { assignSplits, nowMs: 1 })
  expect(report.datasets).toMatchObject([{ pairs: 6, problems: [] }])
  store = openStore(folder)
  expect((await buildView(store.db, folder, spec(added.datasetId))).viewHash).toBe(before.viewHash)
})

test('nothing stays of a source that fails, is stopped, or is empty', async () => {
  function* failing(): Generator<NewPart> {
    yield item(0)
    throw new Error('the source broke')
  }
  await expect(addDataset({ ...dataset([]), parts: failing() }, { db: store.db, dataFolder: folder })).rejects.toThrow(
    'the source broke',
  )
  const stopped = new AbortController()
  stopped.abort()
  await expect(
    addDataset(dataset([item(0)]), { db: store.db, dataFolder: folder, signal: stopped.signal }),
  ).rejects.toThrow('aborted')
  await expect(addDataset(dataset([]), { db: store.db, dataFolder: folder })).rejects.toThrow('holds no rows.')
  expect(listDatasets(store.db)).toEqual([])
  const parent = path.join(folder, 'datasets')
  expect(existsSync(parent) ? readdirSync(parent) : []).toEqual([])
})

test('single answers whose description is lost are known by their records', async () => {
  const parts = Array.from({ length: 3 }, (_none, index) =>
    item(index, {
      labels: [{ annotator: 'x', outcome: index === 0 ? 'b' : 'a', strength: null }],
      data: { prompt: `q${index}`, completion: 'an answer', metadata: {} },
    }),
  )
  const { datasetId } = await addDataset(
    { ...dataset(parts), kind: 'unpaired-responses' },
    { db: store.db, dataFolder: folder },
  )
  const elsewhere = temporaryFolder()
  const other = openStore(elsewhere)
  cpSync(path.join(folder, 'datasets'), path.join(elsewhere, 'datasets'), { recursive: true })
  rmSync(path.join(elsewhere, 'datasets', datasetId, 'dataset.json'))
  await rebuildDataset(other.db, elsewhere, datasetId, null, { assignSplits, nowMs: 1 })
  expect(requireDataset(other.db, datasetId)).toMatchObject({ kind: 'unpaired-responses', itemCount: 3 })
  const { counts, examples } = await countView(other.db, elsewhere, spec(datasetId), {
    bothBad: true,
    answers: 'judged',
  })
  expect(counts.train + counts.validation + counts.test).toBe(3)
  expect(examples.desirable + examples.undesirable).toBe(counts.train)
  other.close()
  rmSync(elsewhere, { recursive: true })
})
