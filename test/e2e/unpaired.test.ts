import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { accessibilityInBothThemes, chromiumPath, openLab, type Lab } from './support.ts'

let lab: Lab

describe.skipIf(chromiumPath === null)('answers that stand alone', () => {
  beforeAll(async () => {
    lab = await openLab()
  })
  afterAll(() => lab.end())

  async function datasetNamed(name: string): Promise<DatasetId> {
    return (await lab.client.call('datasets.list', {})).find((one) => one.name === name)!.datasetId
  }

  test('the import page sees what the file holds, and shows it after', async () => {
    const file = path.join(lab.dataFolder, 'thumbs.jsonl')
    const rows = Array.from({ length: 30 }, (_none, index) => ({
      prompt: `Name a colour, and say in a few words why you like it (${index}).`,
      completion: index % 3 === 0 ? 'No.' : `Blue ${index}: the sea is, on the days on which one looks at it.`,
      label: index % 3 !== 0,
    }))
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    await lab.open(`/data?import=${encodeURIComponent(file)}`)
    await lab.page.getByText('Looks like single answers').waitFor()
    await lab.page.getByText('whether it is good').first().waitFor()
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await lab.page.keyboard.press('Control+Enter')
    await lab.page.getByText('Imported 30 answers; no row left out').waitFor()
    await lab.page.getByText('single answers', { exact: true }).waitFor()
    await lab.page.getByText('file: bad').waitFor()
    expect(await lab.page.getByText('20 67 %').count()).toBe(1)
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await lab.page.getByRole('button', { name: /^Export/ }).click()
    await lab.page.getByRole('dialog').or(lab.page.getByRole('menu')).waitFor()
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await lab.page.keyboard.press('Escape')
  })

  test('one answer is shown, and a key says good or bad and brings the next', async () => {
    const datasetId = await datasetNamed('thumbs')
    const { annotatorId } = await lab.client.call('annotators.add', { name: 'Ann' })
    await lab.client.call('settings.set', { annotatorId })
    await lab.open(`/label/${datasetId}`)
    const shown = (): Promise<string | null> => lab.page.getAttribute('[data-pair]', 'data-pair')
    await lab.page.waitForSelector('[data-pair]')
    await lab.page.getByText('Is this a good answer?').first().waitFor()
    expect(await lab.page.getByRole('button', { name: /^(Tie|Both bad)/ }).count()).toBe(0)
    expect(await lab.page.getByRole('option', { name: 'Ties' }).count()).toBe(0)
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    const answered = async (): Promise<unknown[]> =>
      (await lab.client.call('labels.history', { datasetId, annotatorId })).events
        .filter((event) => event.kind === 'answer' && event.inForce)
        .map((event) => [event.pairId, event.outcome, event.strength])
    const first = await shown()
    for (const key of ['2', '3', '1', 'b', 's']) {
      const before = await shown()
      await lab.page.keyboard.press(key)
      if (key === '3') continue // a tie says nothing of one answer
      await lab.page.waitForFunction(
        (id) => document.querySelector('[data-pair]')?.getAttribute('data-pair') !== id,
        before,
      )
    }
    expect((await answered()).toReversed()).toEqual([
      ['row-1', 'b', null],
      ['row-2', 'a', null],
      ['row-3', 'b', null],
      ['row-4', 'skip', null],
    ])
    expect(first).toBe('row-1')
    await lab.page.keyboard.press('u')
    await lab.page.waitForSelector('[data-pair="row-4"]')
    expect(await answered()).toHaveLength(3)
    await lab.page.getByRole('region', { name: 'The answer' }).waitFor()
  })

  test('methods that compare are off on the Train page and say why', async () => {
    await lab.open(`/train?data=${await datasetNamed('thumbs')}`)
    const tile = lab.page.locator('label.method', { hasText: /^DPO/ }).first()
    await lab.page.getByText(/^\d+ methods for other data$/).click()
    await tile.waitFor()
    expect(await tile.textContent()).toContain('needs two answers to a prompt')
    // Not imitation, which would leave the bad ones out.
    const kto = lab.page.locator('label.method', { hasText: /^KTO/ }).first()
    expect([await kto.getAttribute('data-off'), await kto.getAttribute('data-on')]).toEqual(['false', 'true'])
    expect(lab.complaints).toEqual([])
  })
})
