import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetId, RunId } from '../../shared/domain.ts'
import { accessibilityProblems, chromiumPath, openLab, type Lab } from './support.ts'

let lab: Lab
let datasetId: DatasetId

describe.skipIf(chromiumPath === null)('segments in the browser', () => {
  beforeAll(async () => {
    lab = await openLab()
    datasetId = (
      await lab.client.call('segments.collect', { world: 'reach', pairs: 12, segmentSteps: 16, name: 'Reach' })
    ).datasetId
    const { annotatorId } = await lab.client.call('annotators.add', { name: 'Mara' })
    await lab.client.call('settings.set', { annotatorId })
  })

  afterAll(() => lab.end())

  test('two segments are played, stepped and judged by key', async () => {
    const { page, client } = lab
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await lab.open(`/label/${datasetId}`)
    const first = await page.locator('.segments').getAttribute('data-pair')
    const frame = page.getByLabel('Frame', { exact: true })
    expect(await frame.inputValue()).toBe('0') // nothing moves by itself under reduced motion
    for (const key of ['.', '.', '.', ',']) await page.keyboard.press(key)
    expect(await frame.inputValue()).toBe('2')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: /^Pause/ }).waitFor()
    await page.getByRole('button', { name: /^Play/ }).waitFor() // it ended by itself
    expect(await frame.inputValue()).toBe('15')
    expect(await accessibilityProblems(page)).toEqual([])
    // A segment has no words to search and no length to prefer.
    await page.getByRole('heading', { name: 'Honesty meter' }).waitFor()
    expect(await page.getByLabel('Only pairs with these words').count()).toBe(0)
    expect(await page.getByText('Picked longer').count()).toBe(0)
    const drawn = await page
      .locator('.segment-picture')
      .first()
      .evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement
        const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
        return new Set(
          Array.from({ length: data.length / 4 }, (_, at) => `${data[4 * at]},${data[4 * at + 1]},${data[4 * at + 2]}`),
        ).size
      })
    expect(drawn).toBeGreaterThan(5)
    await page.keyboard.press('1')
    await page.locator(`.segments:not([data-pair="${first}"])`).waitFor()
    const { perAnnotator } = await client.call('datasets.get', { datasetId })
    expect(perAnnotator.find((one) => one.annotator !== 'regret')).toMatchObject({ skip: 0 })
  })

  test('the data set is looked through, with scores and who acted', async () => {
    await lab.open(`/data/${datasetId}`)
    await lab.page.getByText('segment pairs').waitFor()
    await lab.page.getByText('weak, noise 0.3').first().waitFor()
    await lab.page.getByRole('button', { name: 'Next pair' }).click()
    expect(await lab.page.getByLabel('Number of the pair').inputValue()).toBe('2')
    await lab.page.getByRole('button', { name: /^Export/ }).click()
    await lab.page.getByRole('button', { name: 'Save npz' }).click()
    await lab.page.getByText(/12 pairs written to .*\.npz/).waitFor()
  })

  test.each(['CPL', 'SFT on preferred', 'BC', '%BC', 'P-IQL'])(
    '%s is started by clicking and seen to finish',
    async (method) => {
      const { page, client } = lab
      await lab.open(`/train?data=${datasetId}`)
      await page
        .locator('.method')
        .filter({ has: page.getByText(method, { exact: true }) })
        .click()
      for (const [label, text] of [
        ['Steps', '6'],
        ['Batch', '4'],
        ['Evaluate every', '3'],
        ['Checkpoint every', '3'],
        ['Seeds', '1'],
      ] as const)
        await page.getByLabel(label, { exact: true }).fill(text)
      await page.getByText('Ready.').waitFor()
      await page.getByRole('button', { name: /^Start 1 run/ }).click()
      let runId: RunId | undefined
      while (runId === undefined) {
        runId = (await client.call('runs.list', {})).find((run) => run.methodName === method)?.runId
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await lab.open(`/runs/${runId}`)
      await page.locator('.run-head').getByText('finished').waitFor({ timeout: 110_000 })
      expect((await client.call('runs.get', { runId })).mainMetric).toBe('eval/return')
    },
  )

  test('methods are compared by return', async () => {
    const runs = await lab.client.call('runs.list', {})
    await lab.open(`/compare?runs=${runs.map((run) => run.runId).join(',')}`)
    await lab.page
      .getByText(/test return/)
      .first()
      .waitFor()
    // What is drawn is of the other side than what the table shows.
    await lab.page.getByText('curves: held-out return;').waitFor()
    expect(await lab.page.getByText('no samples yet').count()).toBe(0) // what acts writes nothing
    expect(lab.complaints).toEqual([])
  })
})
