import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelCard } from '../../main/app/runs/model-card.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import type { RunSpec } from '../../shared/run-spec.ts'
import { makeTinyRun } from '../support/tiny-run.ts'

// The card's words about the data: whose labels they are, and what was counted.
let root: string
let spec: RunSpec
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab-card-'))
  spec = readSpec(makeTinyRun(root))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The rows of the card's first table, by their name. */
function rowsOf(data: Partial<RunSpec['data']>, kind: DataKind = 'response-pairs'): ReadonlyMap<string, string> {
  const card = modelCard({
    spec: { ...spec, data: { ...spec.data, ...data } },
    form: 'model',
    licence: null,
    methodName: 'SFT',
    kind,
    engine: 'cpu',
    paper: { cite: 'Someone, 2024', url: 'https://example.org' },
    step: 4,
    checkpointHash: 'c',
    heldOut: {},
    chosenBy: null,
    command: 'pairlab train',
  })
  return new Map([...card.matchAll(/^\| ([^|]+) \| (.+) \|$/gm)].map((row) => [row[1]!, row[2]!]))
}

test('labels are those of the people that were chosen, or of all, never of nobody', () => {
  const of = (annotators: readonly string[], labelCount: number): string | undefined =>
    rowsOf({ annotators: [...annotators], labelCount, viewHash: 'v' }).get('Labels')
  const rest = 'joined by mean; records, labels and split together `v`'
  expect(of([], 2999)).toBe(`2999 answers by all who labeled, ${rest}`)
  expect(of(['a'], 1)).toBe(`1 answer by 1 person, ${rest}`)
  expect(of(['a', 'b'], 7)).toBe(`7 answers by 2 people, ${rest}`)
  expect(of([], 0)).toBe('none; records, labels and split together `v`')
})

test('what is counted has the name that its kind of data gives it, and what nobody labels has no answers', () => {
  const counts = { train: 80, validation: 10, test: 20 }
  const count = '80 training, 10 validation, 20 test'
  expect(rowsOf({ counts }).get('Pairs')).toBe(count)
  const lists = rowsOf({ counts, viewHash: 'v' }, 'rankings')
  expect([lists.get('Queries'), lists.get('Pairs')]).toEqual([count, undefined])
  expect(lists.get('Labels')).toBe('those of the source; records, labels and split together `v`')
  expect(rowsOf({ counts }, 'contrast-groups').get('Texts')).toBe(count)
  expect(rowsOf({ counts }, 'unpaired-responses').get('Answers')).toBe(count)
})
