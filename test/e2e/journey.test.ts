import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keyboard, pointer } from '../journeys/hand.ts'
import { KINDS, walk } from '../journeys/road.ts'
import { chromiumPath, openLab, type Lab } from './support.ts'

// The other kinds of data walk the same road in `npm run journeys`.
const [pairs] = KINDS

describe.skipIf(chromiumPath === null)('from the empty app to a compared pair of runs', () => {
  let lab: Lab
  beforeEach(async () => {
    lab = await openLab()
    await lab.open('/')
  })
  afterEach(() => lab.end())

  test.each([
    ['by the names and roles of the accessibility tree', pointer],
    ['by keys alone', keyboard],
  ] as const)('%s', async (_by, hand) => {
    const parts: string[] = []
    await walk(hand(lab.page), pairs!, (name) => parts.push(name))
    expect(parts).toHaveLength(6)
    // What was done is there, and the page says what state it is in.
    const [dataset] = await lab.client.call('datasets.list', {})
    const runs = await lab.client.call('runs.list', {})
    expect(runs.map(({ method, state }) => [method, state]).toSorted()).toEqual([
      ['dpo', 'finished'],
      ['sft', 'finished'],
    ])
    const [ada] = (await lab.client.call('annotators.list', {})).filter(({ name }) => name === 'Ada')
    const progress = await lab.client.call('labels.progress', {
      datasetId: dataset!.datasetId,
      annotatorId: ada!.annotatorId,
    })
    expect(progress.answered).toBe(pairs!.answers)
    const tree = await lab.page.locator('main').ariaSnapshot()
    for (const said of [
      'heading "Compare" [level=1]',
      'table "Configurations"',
      'radio "95 % t" [checked]',
      'button "Show SFT in the chart" [pressed]',
      'button "Show DPO in the chart" [pressed]',
    ])
      expect(tree).toContain(said)
    expect(lab.complaints).toEqual([])
  })
})
