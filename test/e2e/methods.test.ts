import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataKind } from '../../shared/data-kinds.ts'
import { ENDED_STATES, type RunId } from '../../shared/domain.ts'
import { algorithms } from '../../main/core/learn/registry.ts'
import { waitUntil } from '../support/make-app.ts'
import { importTiny } from '../support/tiny-app.ts'
import { TINY_FORM } from '../support/tiny-form.ts'
import { writeLetor, writeTexts, writeUnpaired } from '../support/tiny-files.ts'
import { chromiumPath, openLab, type Lab } from './support.ts'

// The methods that act are started by clicking in segments.test.ts.
const methods = algorithms.filter((algorithm) => algorithm.data !== 'segment-pairs')
const KINDS = [...new Set(methods.map((algorithm) => algorithm.data))]

let lab: Lab
const datasets = new Map<DataKind, string>()
const filled = new Set<string>()

describe.skipIf(chromiumPath === null)('every method in the browser', () => {
  beforeAll(async () => {
    lab = await openLab()
    const { client } = lab
    await client.call('settings.set', { slots: 2 })
    datasets.set('response-pairs', await importTiny(client, lab.dataFolder))
    datasets.set(
      'rankings',
      (await client.call('rankings.import', { path: writeLetor(path.join(lab.dataFolder, 'letor')) })).datasetId,
    )
    datasets.set(
      'contrast-groups',
      (await client.call('texts.import', { path: writeTexts(lab.dataFolder, { train: 6, heldOut: 2 }) })).datasetId,
    )
  })

  afterAll(() => lab.end())

  test.each(methods.map((algorithm) => [algorithm.name, algorithm] as const))(
    '%s is started by clicking',
    async (name, algorithm) => {
      const { page } = lab
      await lab.open('/train')
      await page.locator('#train-data').selectOption(datasets.get(algorithm.data)!)
      await page
        .locator('.method')
        .filter({ has: page.getByText(name, { exact: true }) })
        .click()
      await page.getByText(/^All \d+$/).click()
      if (algorithm.models[0] === 'decoder') await page.locator('#train-model').selectOption('new:nano')
      for (const [label, text] of TINY_FORM) {
        const control = page.getByLabel(label, { exact: true })
        if ((await control.count()) === 0) continue // a setting of another method
        await control.fill(text)
        filled.add(label)
      }
      if (['rloo', 'grpo', 'online-dpo'].includes(algorithm.id))
        await page.getByLabel('Reward', { exact: true }).selectOption('length')
      await page.getByText('Ready.').waitFor()
      await page.getByRole('button', { name: /^Start 1 run/ }).click()
      await page.waitForURL(/#\/runs\//)
      const [run] = await lab.client.call('runs.list', { method: algorithm.id })
      const totalSteps = algorithm.learns === false ? 0 : 2
      expect(run).toMatchObject({ datasetId: datasets.get(algorithm.data), seed: 1, totalSteps })
    },
  )

  test('all of them finish, with the number that they are judged by', async () => {
    await waitUntil(
      'all runs to end',
      async () => (await lab.client.call('runs.list', {})).every((run) => ENDED_STATES.includes(run.state)),
      180_000,
    )
    const runs = await lab.client.call('runs.list', {})
    expect(runs.map((run) => [run.method, run.state]).toSorted()).toEqual(
      methods.map((algorithm) => [algorithm.id, 'finished']).toSorted(),
    )
    expect(runs.filter((run) => !Number.isFinite(run.mainValue)).map((run) => run.method)).toEqual([])
  }, 200_000)

  test.each(KINDS)('two methods that learn from %s are compared in one table', async (kind) => {
    const { page, client } = lab
    const two = (await client.call('runs.list', {}))
      .filter(
        (run) =>
          algorithms.find((algorithm) => algorithm.id === run.method)?.data === kind &&
          run.method !== 'reward-model' &&
          run.method !== 'language-model',
      )
      .slice(0, 2)
    expect(two).toHaveLength(2)
    await lab.open(`/compare?runs=${two.map((run): RunId => run.runId).join(',')}`)
    const rows = page.getByRole('table', { name: 'Configurations' }).locator('tbody tr')
    await rows.nth(1).waitFor()
    expect(await rows.count()).toBe(2)
    const text = (await rows.allTextContents()).join(' ')
    for (const run of two) expect(text).toContain(run.methodName)
    // The number in the table is the run's own.
    const { groups } = await client.call('comparisons.get', {
      runIds: two.map((run) => run.runId),
      metric: two[0]!.mainMetric!,
    })
    expect(groups.map((group) => group.values[two[0]!.mainMetric!]?.n)).toEqual([1, 1])
  })

  test('a comparison measures the rows that its runs began from', async () => {
    const { page, client } = lab
    const [run] = await client.call('runs.list', { method: 'pg-rank' })
    await lab.open(`/compare?runs=${run!.runId}`)
    const rows = page.getByRole('table', { name: 'Configurations' }).locator('tbody tr')
    for (const [item, label] of [
      ['BM25, the first stage', 'BM25'],
      ['Neural PG-RANK, before training', 'Neural PG-RANK, before training'],
    ] as const) {
      await rows.first().waitFor()
      await page.getByRole('button', { name: 'Add a baseline' }).click()
      await page.getByRole('menuitem', { name: item }).click()
      await rows.filter({ hasText: label }).waitFor()
    }
    expect(await rows.count()).toBe(3)
    const added = (await client.call('runs.list', {})).filter(({ totalSteps }) => totalSteps === 0).slice(0, 2)
    await waitUntil('both to be measured', async () =>
      (await client.call('runs.list', {}))
        .filter(({ runId }) => added.some((one) => one.runId === runId))
        .every(({ state, mainValue }) => state === 'finished' && mainValue !== null),
    )
    expect(added.map(({ method, seed }) => [method, seed]).toSorted()).toEqual([
      ['bm25', 1],
      ['pg-rank', 1],
    ])
  })

  test('in a narrow window the panel folds under its page', async () => {
    const { page, client } = lab
    const [run] = await client.call('runs.list', { method: 'pg-rank' })
    const size = page.viewportSize()
    for (const address of [`/compare?runs=${run!.runId}`, `/runs/${run!.runId}`, '/train', '/papers/copg-bandit']) {
      await lab.open(address)
      const panel = page.locator('.side-panel')
      await panel.waitFor()
      const placed = async (): Promise<{ readonly beside: boolean; readonly share: number }> => {
        const [own, work] = await Promise.all([
          panel.boundingBox(),
          panel.locator('xpath=..').locator('> :first-child').boundingBox(),
        ])
        return { beside: own!.y < work!.y + work!.height - 1, share: own!.width / work!.width }
      }
      await page.setViewportSize({ width: 800, height: 700 })
      expect([address, await placed()]).toEqual([address, { beside: false, share: expect.closeTo(1, 2) }])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(800)
      await page.setViewportSize({ width: 1280, height: 800 })
      expect((await placed()).beside).toBe(true)
    }
    if (size !== null) await page.setViewportSize(size)
  })

  test('home offers what belongs together: runs on one data set to compare, and data to label that people can label', async () => {
    const { page, client } = lab
    const [newest, ...others] = (await client.call('runs.list', {})).filter((run) => run.state === 'finished')
    const same = [newest!, ...others.filter((run) => run.datasetId === newest!.datasetId)]
    expect(same.length).toBeLessThan(methods.length)
    await lab.open('/')
    const link = page.getByRole('link', { name: `Compare the ${same.length} on ${newest!.datasetName}` })
    expect((await link.getAttribute('href'))!.split('runs=')[1]!.split(',')).toEqual(same.map((run) => run.runId))
    // Judged lists and texts were imported after the pairs, and nobody labels those.
    await page.getByRole('button', { name: 'Start labeling' }).click()
    await page.waitForURL(new RegExp(`#/label/${datasets.get('response-pairs')!}`))
    // A later data set does not take the place of the one that was labeled last.
    await waitUntil(
      'the last one to be remembered',
      async () => (await client.call('settings.get', {})).view['label.last'] === datasets.get('response-pairs'),
    )
    await client.call('unpaired.import', { path: writeUnpaired(lab.dataFolder) })
    await lab.open('/')
    await page.getByRole('button', { name: 'Start labeling' }).click()
    await page.waitForURL(new RegExp(`#/label/${datasets.get('response-pairs')!}`))
  })

  test('the page complained about nothing', () => {
    expect(lab.complaints).toEqual([])
    expect(TINY_FORM.filter(([label]) => !filled.has(label))).toEqual([]) // one method or another has each
  })
})
