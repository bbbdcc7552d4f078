import { appendFileSync, readFileSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Generation } from '../../shared/contract/playground.ts'
import type { Client } from '../../shared/rpc.ts'
import { recoverData } from '../../main/app/app.ts'
import { createKeeper, type Kept } from '../../main/app/data/growing-dataset.ts'
import { recordOf } from '../../main/app/requests/kept-answers.ts'
import { recordsPath } from '../../main/app/store/datasets-folder.ts'
import { openStore } from '../../main/app/store/open.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'
import { withAppOn } from '../support/kept-folder.ts'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => rmSync(folder, { recursive: true }))

function written(id: string, question: string, text: string, state: Generation['state'] = 'done'): Generation {
  return {
    generationId: `generation-${id}`,
    title: `writer of ${id}`,
    request: {
      source: { kind: 'run', runId: 'sft-1', checkpoint: 'best' },
      prompt: { kind: 'chat', messages: [{ role: 'user', content: question }] },
      settings: { temperature: 0.5 },
      template: true,
    },
    state,
    engine: 'wasm',
    layout: 'tags',
    completions: [{ seed: 7, text, tokens: [], reason: 'end', stopString: null }],
  } as unknown as Generation // the rest is not read
}

const pair = (n: number, question = `question ${n}`) =>
  recordOf(written(`l${n}`, question, `left ${n}\n`), written(`r${n}`, question, `right ${n}`))

async function keep(...work: ((keeper: ReturnType<typeof createKeeper>) => Promise<Kept>)[]): Promise<Kept[]> {
  const { db, close } = openStore(folder)
  const keeper = createKeeper({ db, dataFolder: folder })
  try {
    return await Promise.all(work.map((one) => one(keeper)))
  } finally {
    close()
  }
}

/** A data set with two pairs. */
async function begin(): Promise<Kept['datasetId']> {
  const [first] = await keep((keeper) => keeper.keep(pair(1), { name: 'By hand' }))
  await keep((keeper) => keeper.keep(pair(2), first!))
  return first!.datasetId
}

async function look(client: Client, datasetId: Kept['datasetId']) {
  const { rows } = await client.call('datasets.rows', { datasetId, limit: 50 })
  const verified = await client.call('system.verify', {})
  return { rows, troubles: verified.troubles, detail: await client.call('datasets.get', { datasetId }) }
}

describe('answers that were kept', () => {
  test('become pairs that can be labeled at once, in a data set that grows; sent again they are there once', async () => {
    const datasetId = await begin()
    const [again, more, other] = await keep(
      (keeper) => keeper.keep(pair(2), { datasetId }),
      (keeper) => keeper.keep(pair(3), { datasetId }),
      (keeper) => keeper.keep(pair(4), { datasetId }),
    )
    expect([again, more, other]).toMatchObject([
      { index: 1, added: false },
      { index: 2, added: true },
      { index: 3, added: true },
    ])
    await withAppOn(folder, async (client) => {
      const { rows, troubles, detail } = await look(client, datasetId)
      expect(troubles).toEqual([])
      expect(detail).toMatchObject({ name: 'By hand', itemCount: 4, promptCount: 4, source: 'playground' })
      expect(rows[0]).toMatchObject({
        prompt: [{ role: 'user', content: 'question 1' }],
        a: [{ role: 'assistant', content: 'left 1' }],
        b: [{ role: 'assistant', content: 'right 1' }],
      })
      const { annotatorId } = await client.call('annotators.add', { name: 'Eva' })
      const { items } = await client.call('labels.queue', { datasetId, annotatorId, filter: {}, limit: 9 })
      expect(items.map((item) => item.index)).toEqual([0, 1, 2, 3])
      // Who wrote it is in the record, and not in what a labeler gets.
      expect(readFileSync(recordsPath(folder, datasetId), 'utf8')).toContain('writer of l1')
      expect(JSON.stringify(items)).not.toContain('writer of')
    })
  })

  test('one alone is a single answer', async () => {
    const record = recordOf(written('x', 'q', 'an answer'), null)
    const [kept] = await keep((keeper) => keeper.keep(record, { name: 'Answers' }))
    await withAppOn(folder, async (client) => {
      const { detail, troubles } = await look(client, kept!.datasetId)
      expect(detail).toMatchObject({ kind: 'unpaired-responses', itemCount: 1 })
      expect(troubles).toEqual([])
    })
    await expect(keep((keeper) => keeper.keep(pair(1), kept!))).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('single answers'),
    })
  })

  test('nothing is added to what was imported', async () => {
    const { db, close } = openStore(folder)
    addDataset(db, folder, 'set', 3)
    close()
    await expect(keep((keeper) => keeper.keep(pair(1), { datasetId: 'set' as never }))).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('stays as it came'),
    })
  })

  test('a prompt keeps its side of the split while others come, also where sides were drawn anew', async () => {
    const datasetId = await begin()
    const sides = async (client: Client) =>
      Object.fromEntries(
        (await client.call('datasets.rows', { datasetId, limit: 200 })).rows.map((row) => [row.pairId, row.split]),
      )
    let before: Record<string, string> = {}
    await withAppOn(folder, async (client) => {
      await client.call('datasets.setSplit', { datasetId, seed: 3, validation: 0.3, test: 0.3 })
      before = await sides(client)
    })
    for (let n = 3; n < 40; n += 1) await keep((keeper) => keeper.keep(pair(n), { datasetId }))
    await withAppOn(folder, async (client) => {
      const after = await sides(client)
      expect(after).toMatchObject(before)
      expect(new Set(Object.values(after))).toEqual(new Set(['train', 'validation', 'test']))
      expect((await client.call('datasets.get', { datasetId })).split.counts).toSatisfy(
        (counts: Record<string, number>) => counts['train']! + counts['validation']! + counts['test']! === 39,
      )
    })
  })
})

describe('what is no pair', () => {
  test.each([
    ['an answer that grows', () => recordOf(written('a', 'q', 'x', 'writing'), written('b', 'q', 'y')), 'not ended'],
    ['an empty answer', () => recordOf(written('a', 'q', ' '), null), 'wrote nothing'],
    ['the same twice', () => recordOf(written('a', 'q', 'x'), written('b', 'q', 'x')), 'the same'],
    ['two conversations', () => recordOf(written('a', 'q', 'x'), written('b', 'p', 'y')), 'different conversations'],
  ])('%s is refused in words', (_, make, words) => {
    expect(make).toThrow(expect.objectContaining({ code: 'input-invalid', message: expect.stringContaining(words) }))
  })
})

describe('an app that died while it added a record', () => {
  test('a whole line that the database lacks is taken in, half a line is cut', async () => {
    const datasetId = await begin()
    const file = recordsPath(folder, datasetId)
    const { kind: _, ...third } = pair(3) as Extract<ReturnType<typeof pair>, { kind: 'response-pairs' }>
    appendFileSync(
      file,
      `${JSON.stringify({ ...third, index: 2, line: 3, rewardA: null, rewardB: null, weight: 1 })}\n{"pairId":"wr`,
    )
    await withAppOn(folder, async (client) => {
      const { rows, troubles, detail } = await look(client, datasetId)
      expect(troubles).toEqual([])
      expect(detail.itemCount).toBe(3)
      expect(rows.at(-1)!.pairId).toBe(third.pairId)
    })
    const [again] = await keep((keeper) => keeper.keep(pair(3), { datasetId }))
    expect(again).toMatchObject({ index: 2, added: false })
  })

  test('the next record goes after what is whole, without a start in between', async () => {
    const datasetId = await begin()
    appendFileSync(recordsPath(folder, datasetId), '{"pairId":"wr')
    const [more] = await keep((keeper) => keeper.keep(pair(3), { datasetId }))
    expect(more).toMatchObject({ index: 2, added: true })
    await withAppOn(folder, async (client) => {
      expect((await look(client, datasetId)).troubles).toEqual([])
    })
  })

  test('recovered from its folder it is the same data set, and grows on', async () => {
    const datasetId = await begin()
    const sides = async (): Promise<unknown> =>
      withAppOn(folder, async (client) =>
        (await client.call('datasets.rows', { datasetId })).rows.map((row) => [row.pairId, row.split]),
      )
    const before = await sides()
    await recoverData(folder)
    expect(await sides()).toEqual(before)
    const [more] = await keep((keeper) => keeper.keep(pair(3), { datasetId }))
    expect(more).toMatchObject({ index: 2, added: true })
    await withAppOn(folder, async (client) => {
      expect((await look(client, datasetId)).troubles).toEqual([])
    })
  })
})
