import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildView, countView, type ViewContent } from '../../main/app/data/view.ts'
import type { ViewUse } from '../../main/app/data/view-rows.ts'
import { pruneViews } from '../../main/app/data/view-prune.ts'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { addAnswer, insertImportedLabels } from '../../main/app/store/labels.ts'
import { openStore, type Store } from '../../main/app/store/open.ts'
import { preferenceRow, type Outcome, type PreferenceRow, type Strength } from '../../shared/data-kinds.ts'
import type { DatasetId } from '../../shared/domain.ts'
import type { DataSpec } from '../../shared/run-spec.ts'
import { addDataset, makeRecord, temporaryFolder } from '../support/filled-store.ts'

const PAIRS = 40
let folder: string
let store: Store
beforeEach(() => {
  folder = temporaryFolder()
  store = openStore(folder)
  addDataset(store.db, folder, 'set', PAIRS)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

function spec(changes: Partial<DataSpec> = {}): DataSpec {
  return {
    datasetId: 'set' as DatasetId,
    split: { seed: 3, validation: 0.1, test: 0.2 },
    annotators: [],
    aggregation: 'mean',
    ...changes,
  }
}
function label(pairIndex: number, annotator: string, outcome: Outcome, strength: Strength | null = null): void {
  insertImportedLabels(store.db, folder, 'set', [{ pairIndex, annotator, outcome, strength }], 1)
}
function readRows(file: string): PreferenceRow[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => preferenceRow.parse(JSON.parse(line)))
}

test('a view holds the pairs that have a preference, reduced, with their records', async () => {
  label(0, 'x', 'a')
  label(0, 'y', 'a', 'slightly')
  label(0, 'z', 'b', 'clearly')
  label(1, 'x', 'tie')
  label(2, 'x', 'skip')
  label(3, 'x', 'both-bad')
  const view = await buildView(store.db, folder, spec())
  expect(view).toMatchObject({
    labelCount: 4,
    tieShare: 0.5,
    bothBadCount: 1,
    unlabeledCount: PAIRS - 3,
    datasetName: 'Set set',
  })
  const rows = readRows(view.viewPath)
  const { prompt, a, b } = makeRecord(0)
  expect(rows.map((row) => row.pairId)).toEqual(['pair-0', 'pair-1'])
  expect(rows[0]).toMatchObject({
    prompt,
    a,
    b,
    preferenceA: 2 / 3,
    strength: expect.closeTo(2 / 3, 12),
    labelCount: 3,
    weight: 1,
    rewardA: null,
  })
  expect(rows[1]).toMatchObject({ preferenceA: 0.5 })
  expect(view.counts.train + view.counts.validation + view.counts.test).toBe(2)
})

test('pairs whose answers are both bad are in it where the method can use them, and else leave no trace', async () => {
  for (let pair = 0; pair < PAIRS; pair += 2) label(pair, 'x', 'a')
  const without = await buildView(store.db, folder, spec())
  label(1, 'x', 'both-bad')
  label(1, 'y', 'both-bad')
  label(3, 'x', 'skip')
  label(3, 'y', 'both-bad')
  label(2, 'y', 'both-bad')
  const left = await buildView(store.db, folder, spec())
  expect([left.viewHash, left.bothBadCount, left.tieShare]).toEqual([without.viewHash, 2, 0])
  const used = await buildView(store.db, folder, spec(), { bothBad: true })
  const rows = readRows(used.viewPath)
  expect(rows.filter((row) => row.preferenceA === null).map((row) => [row.pairId, row.labelCount])).toEqual([
    ['pair-1', 2],
    ['pair-3', 1],
  ])
  expect(rows.find((row) => row.pairId === 'pair-2')).toMatchObject({ preferenceA: 1, labelCount: 1 })
  const bad = rows.filter((row) => row.preferenceA === null && row.split === 'train').length
  expect(used.examples).toEqual({ desirable: used.counts.train - bad, undesirable: used.counts.train + bad })
  expect([used.bothBadCount, used.tieShare, used.labelCount]).toEqual([2, 0, PAIRS / 2 + 3])
  const { viewPath: _path, viewHash: _hash, ...content } = used
  expect(await countView(store.db, folder, spec(), { bothBad: true })).toEqual(content)
})

test('is named after its content; later labels make another file and leave the first', async () => {
  for (let pair = 0; pair < PAIRS; pair += 1) label(pair, 'x', 'a')
  const first = await buildView(store.db, folder, spec())
  expect(await buildView(store.db, folder, spec())).toEqual(first)
  const bytes = readFileSync(first.viewPath)
  expect(path.basename(first.viewPath)).toBe(`${createHash('sha256').update(bytes).digest('hex')}.jsonl`)
  addAnnotator(store.db, 'Eva', 1)
  addAnswer(
    store.db,
    folder,
    {
      datasetId: 'set',
      annotatorId: 'Eva',
      pairId: 'pair-5',
      outcome: 'b',
      strength: null,
      comment: '',
      shownOrder: 'ab',
      durationMs: 1,
      clientKey: 'client-key',
    },
    2,
  )
  const second = await buildView(store.db, folder, spec())
  expect(second.viewHash).not.toBe(first.viewHash)
  expect(readFileSync(first.viewPath).equals(bytes)).toBe(true)
  expect(readdirSync(path.dirname(first.viewPath))).toHaveLength(2)
})

test('no prompt is on both sides, and the sides depend on the seed', async () => {
  for (let pair = 0; pair < PAIRS; pair += 1) label(pair, 'x', 'a')
  const view = await buildView(store.db, folder, spec())
  const sides = new Map<string, Set<string>>()
  for (const row of readRows(view.viewPath))
    sides.set(String(row.prompt), (sides.get(String(row.prompt)) ?? new Set()).add(row.split))
  expect([...sides.values()].every((set) => set.size === 1)).toBe(true)
  expect(view.counts).toEqual({ train: 28, validation: 4, test: 8 })
  expect(
    (await buildView(store.db, folder, spec({ split: { seed: 4, validation: 0.1, test: 0.2 } }))).viewHash,
  ).not.toBe(view.viewHash)
})

test('only the chosen annotators count; majority makes a winner', async () => {
  label(0, 'x', 'a')
  label(0, 'y', 'a')
  label(0, 'z', 'b')
  label(1, 'z', 'b')
  expect(readRows((await buildView(store.db, folder, spec({ aggregation: 'majority' }))).viewPath)[0]).toMatchObject({
    preferenceA: 1,
    labelCount: 3,
  })
  expect(readRows((await buildView(store.db, folder, spec({ annotators: ['z'] }))).viewPath)).toMatchObject([
    { pairId: 'pair-0', preferenceA: 0, labelCount: 1 },
    { pairId: 'pair-1', preferenceA: 0 },
  ])
})

test('without a label that counts there is nothing to train on, and no half file is left', async () => {
  label(0, 'x', 'skip')
  await expect(buildView(store.db, folder, spec())).rejects.toThrow(
    expect.objectContaining({ code: 'dataset-invalid', hint: expect.stringContaining('Label some pairs') }),
  )
  expect(readdirSync(path.join(folder, 'datasets', 'set', 'views'))).toEqual([])
  await expect(buildView(store.db, folder, spec({ datasetId: 'gone' as DatasetId }))).rejects.toThrow(
    expect.objectContaining({ code: 'not-found' }),
  )
})

test('views that no run uses go; those of runs stay, in the trash too, and those that are about to be used', async () => {
  const views = await Promise.all(
    (['x', 'y', 'z', 'w'] as const).map((annotator, index) => {
      label(index, annotator, 'a')
      return buildView(store.db, folder, spec({ annotators: [annotator] }))
    }),
  )
  const [used, trashed, unused, wanted] = views.map((view) => view.viewPath) as [string, string, string, string] // as many as names above
  for (const [run, viewPath] of [
    ['runs/one', used],
    ['trash/two', trashed],
  ] as const) {
    mkdirSync(path.join(folder, run), { recursive: true })
    writeFileSync(
      path.join(folder, run, 'spec.json'),
      JSON.stringify({ data: { viewPath: path.join('/moved', path.basename(viewPath)) } }),
    )
  }
  const { size } = statSync(unused)
  expect(await pruneViews(folder, (name) => name !== path.basename(wanted))).toBe(size)
  expect(readdirSync(path.dirname(used)).sort()).toEqual(
    [used, trashed, wanted].map((file) => path.basename(file)).sort(),
  )
})

test.each(['half a file', 'a folder', 'out of reach', 'without what is needed'])(
  'while the specification of one run is %s, no view goes: any may be its own',
  async (damage) => {
    label(0, 'x', 'a')
    const { viewPath } = await buildView(store.db, folder, spec({ annotators: ['x'] }))
    const file = path.join(folder, 'runs/one/spec.json')
    mkdirSync(damage === 'a folder' ? file : path.dirname(file), { recursive: true })
    if (damage === 'out of reach') symlinkSync(file, file) // as without rights, which a test that runs as root has always
    else if (damage !== 'a folder') writeFileSync(file, damage === 'half a file' ? '{"data":{"viewPa' : '{"data":{}}')
    expect(await pruneViews(folder)).toBe(0)
    expect(existsSync(viewPath)).toBe(true)
    rmSync(path.dirname(file), { recursive: true })
    expect(await pruneViews(folder)).toBeGreaterThan(0)
  },
)

test('a look at what there is to train on finds what a view would hold, and writes nothing', async () => {
  for (let pair = 0; pair < PAIRS; pair += 2) label(pair, 'x', pair % 3 === 0 ? 'tie' : 'a')
  label(1, 'y', 'both-bad')
  const counted = await countView(store.db, folder, spec())
  expect(existsSync(path.join(folder, 'datasets', 'set', 'views'))).toBe(false)
  const { viewPath: _path, viewHash: _hash, ...content } = await buildView(store.db, folder, spec())
  expect(counted).toEqual(content)
})

test('labels that come while a view is made are left for the next', async () => {
  for (let pair = 0; pair < PAIRS; pair += 1) label(pair, 'x', 'a')
  const alone = await buildView(store.db, folder, spec())
  const making = buildView(store.db, folder, spec())
  label(3, 'y', 'b')
  expect((await making).viewHash).toBe(alone.viewHash)
  expect((await buildView(store.db, folder, spec())).viewHash).not.toBe(alone.viewHash)
})

test('where the source has a test side and none to validate on, whole prompts are cut from training, and no other than those', async () => {
  const spread = (index: number): 'train' | 'test' => (index % 40 < 8 ? 'test' : 'train')
  addDataset(store.db, folder, 'sourced', 120, { prompts: 40, split: spread })
  insertImportedLabels(
    store.db,
    folder,
    'sourced',
    Array.from({ length: 120 }, (_none, pairIndex) => ({ pairIndex, annotator: 'x', outcome: 'a', strength: null })),
    1,
  )
  const sourced = spec({ datasetId: 'sourced' as DatasetId })
  const sides = async (use: ViewUse): Promise<[ViewContent, Map<string, PreferenceRow>]> => {
    const view = await buildView(store.db, folder, sourced, use)
    const { viewPath, viewHash: _hash, ...content } = view
    expect(await countView(store.db, folder, sourced, use)).toEqual(content)
    return [view, new Map(readRows(viewPath).map((row) => [row.pairId, row]))]
  }
  const [plain, before] = await sides({ bothBad: false })
  const [cut, after] = await sides({ bothBad: false, validates: true })
  expect([plain.counts.validation, plain.cutCount]).toEqual([0, 0])
  expect(cut.counts.validation).toBe(cut.cutCount)
  expect(Math.abs(cut.cutCount - 0.1 * plain.counts.train)).toBeLessThanOrEqual(3) // a prompt has three pairs
  expect(cut.counts.train + cut.cutCount).toBe(plain.counts.train)
  const prompts = new Set<unknown>()
  for (const [id, row] of after) {
    const was = before.get(id)!.split
    expect([id, row.split]).toEqual([id, row.split === 'validation' ? 'validation' : was])
    if (row.split === 'validation') {
      expect(was).toBe('train')
      prompts.add(row.prompt)
    }
  }
  expect([...after.values()].filter((row) => row.split === 'train' && prompts.has(row.prompt))).toEqual([])
  // A validation side that is there, or drawn, stays as it is.
  for (let pair = 0; pair < PAIRS; pair += 1) label(pair, 'x', 'a')
  expect((await buildView(store.db, folder, spec(), { bothBad: false, validates: true })).viewHash).toBe(
    (await buildView(store.db, folder, spec())).viewHash,
  )
})

test('of fewer than ten prompts none is taken from training; a share of nothing that is drawn is made up for too', async () => {
  addDataset(store.db, folder, 'few', 12, { prompts: 12, split: (index) => (index < 3 ? 'test' : 'train') })
  for (let pairIndex = 0; pairIndex < 12; pairIndex += 1)
    insertImportedLabels(store.db, folder, 'few', [{ pairIndex, annotator: 'x', outcome: 'a', strength: null }], 1)
  const few = await countView(store.db, folder, spec({ datasetId: 'few' as DatasetId }), {
    bothBad: false,
    validates: true,
  })
  expect([few.counts, few.cutCount]).toEqual([{ train: 9, validation: 0, test: 3 }, 0])
  for (let pair = 0; pair < PAIRS; pair += 1) label(pair, 'x', 'a')
  const drawn = await countView(store.db, folder, spec({ split: { seed: 3, validation: 0, test: 0.2 } }), {
    bothBad: false,
    validates: true,
  })
  expect(drawn.cutCount).toBeGreaterThan(0)
  expect(drawn.counts.validation).toBe(drawn.cutCount)
})
