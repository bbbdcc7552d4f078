import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetId, RunId } from '../../shared/domain.ts'
import { formatNumber } from '../../shared/units.ts'
import { accessibilityInBothThemes, chromiumPath, openLab, type Lab } from './support.ts'

let lab: Lab
let datasetId: DatasetId

describe.skipIf(chromiumPath === null)('control without a terminal', () => {
  beforeAll(async () => {
    lab = await openLab()
    const { annotatorId } = await lab.client.call('annotators.add', { name: 'Mara' })
    await lab.client.call('settings.set', { annotatorId })
    await lab.page.emulateMedia({ reducedMotion: 'reduce' })
  })

  afterAll(() => lab.end())

  test('segments are collected on the page, for people to judge', async () => {
    const { page, client } = lab
    await lab.open('/label')
    await page.getByRole('link', { name: 'Collect in a world' }).click() // there is nothing to label yet
    await page.getByRole('radio', { name: /Reach / }).check()
    await page.getByLabel('Segments', { exact: true }).fill('one')
    await page.getByText('Segments must be a number, not “one”.').waitFor()
    await page.getByLabel('Segments', { exact: true }).fill('24')
    await page.getByLabel(/^Length/).fill('16')
    await page.getByLabel('Who judges').selectOption('none')
    const gives = page.getByLabel('What it gives')
    await gives.getByText('384 in 24 segments').waitFor()
    await gives.getByText(/^about .* here$/).waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
    await page.getByLabel('Name', { exact: true }).fill('By hand')
    await page.getByRole('button', { name: /^Collect/ }).click()
    await page.getByRole('heading', { name: 'By hand' }).waitFor()
    const [made] = await client.call('datasets.list', {})
    expect(made).toMatchObject({ name: 'By hand', itemCount: 12, labeledCount: 0 })
    datasetId = made!.datasetId
  })

  test('two of them are judged, and CPL learns from that', async () => {
    const { page, client } = lab
    await page.getByRole('button', { name: 'Label', exact: true }).last().click() // what to do next
    for (const key of ['1', '2']) {
      const shown = await page.locator('.segments').getAttribute('data-pair')
      await page.keyboard.press(key)
      await page.locator(`.segments:not([data-pair="${shown}"])`).waitFor()
    }
    expect((await client.call('datasets.list', {}))[0]!.labeledCount).toBe(2)
    await lab.open(`/train?data=${datasetId}`)
    await page
      .locator('.method')
      .filter({ has: page.getByText('CPL', { exact: true }) })
      .click()
    await page.getByText(/^All \d+$/).click()
    for (const [label, text] of [
      ['Steps', '6'],
      ['Batch', '2'],
      ['Evaluate every', '3'],
      ['Checkpoint every', '3'],
      ['Seeds', '1'],
      ['Validation share', '0'], // of two judged pairs none is held out
      ['Test share', '0'],
    ] as const)
      await page.getByLabel(label, { exact: true }).fill(text)
    const settings = await page.getByRole('region', { name: 'Settings' }).innerText()
    for (const word of ['token', 'prompt', 'ompletion', 'Sampling', 'LoRA', 'Micro-batch'])
      expect(settings).not.toContain(word)
    await page.getByText('Ready.').waitFor()
    await page.getByRole('button', { name: /^Start 1 run/ }).click()
    await page.locator('.run-head').getByText('finished').waitFor({ timeout: 110_000 })
  })

  test('its policy is watched beside the expert, step by step', async () => {
    const { page, client } = lab
    const [run] = await client.call('runs.list', {})
    await lab.open(`/runs/${run!.runId}`)
    await page.getByText('1 / 64', { exact: true }).waitFor() // whole, and still: motion is to be reduced
    await page.getByLabel('Checkpoint', { exact: true }).selectOption('last')
    await page.getByLabel('Beside').selectOption({ label: 'the expert script' })
    await page.getByRole('heading', { name: 'the expert script' }).waitFor()
    await page.getByText('1 / 64', { exact: true }).waitFor()
    for (let press = 0; press < 3; press += 1) await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowLeft')
    await page.getByText('3 / 64', { exact: true }).waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
    await page.getByRole('radio', { name: 'fast' }).check({ force: true })
    await page.getByRole('button', { name: /^Play/ }).click()
    await page.getByRole('button', { name: /^Play/ }).waitFor() // it ended by itself
    await page.getByText('64 / 64', { exact: true }).waitFor()
    const total = await watchedReturn(run!.runId)
    const said = page.getByLabel('Watch the policy act').locator('output')
    expect(await said.innerText()).toMatch(
      /^Step 64 of 64\. CPL: return .*, done\. the expert script: return .*, done\.$/,
    )
    expect(await page.locator('.segment-pane').first().innerText()).toContain(total)
    await page.keyboard.press('a')
    await page.getByText('1 / 64', { exact: true }).waitFor()
    expect(await page.getByLabel('Episode', { exact: true }).inputValue()).toBe('1')
    expect(await page.locator('.segment-pane').first().innerText()).not.toContain(total)
    expect(lab.complaints).toEqual([])
  })
})

/** As the page writes it, of the first start of the evaluations. */
async function watchedReturn(runId: RunId): Promise<string> {
  const { rewards } = await lab.client.call('watch.act', {
    world: 'reach',
    player: { kind: 'run', runId, checkpoint: 'last' },
    start: { seed: 1_000_001 },
    from: 0,
    steps: 64,
  })
  return formatNumber(rewards.reduce((sum, reward) => sum + reward, 0))
}
