import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessibilityProblems, chromiumPath, openLab, removeFolder, type Lab } from './support.ts'

let files = ''
let lab: Lab

function write(name: string, labels: readonly unknown[]): string {
  const file = path.join(files, name)
  writeFileSync(
    file,
    labels
      .map((overall_preference, index) =>
        JSON.stringify({ prompt: `Task ${index}`, response1: 'one', response2: 'two', overall_preference }),
      )
      .join('\n'),
  )
  return file
}

describe.skipIf(chromiumPath === null)('the import page', () => {
  beforeAll(async () => {
    files = mkdtempSync(path.join(tmpdir(), 'pairlab-import-'))
    lab = await openLab()
  })

  afterAll(async () => {
    await lab.end()
    removeFolder(files)
  })

  test('a file can be given where there is no data set yet, without scrolling', async () => {
    const { page } = lab
    await lab.open('/data')
    await page.getByText('No data set yet').waitFor()
    const box = await page.getByRole('button', { name: 'Choose a file' }).boundingBox()
    expect(box!.y + box!.height).toBeLessThan(page.viewportSize()!.height)
  })

  test('waits until somebody says what the labels mean, and lets the answer decide who wins', async () => {
    const { page, client } = lab
    const file = write('signed.jsonl', [-1, 0, 1, -2, 3])
    for (const [direction, balance] of [
      ['negative means response1', { a: 2, b: 2, tie: 1 }],
      ['negative means response2', { a: 2, b: 2, tie: 1 }],
    ] as const) {
      await lab.open(`/data?import=${encodeURIComponent(file)}`)
      await page.getByText('the import waits for your answer').waitFor()
      const start = page.getByRole('button', { name: /^Import/ })
      expect(await start.isDisabled()).toBe(true)
      expect(await page.locator('.reading').count()).toBe(2)
      if (direction.endsWith('1')) expect(await accessibilityProblems(page)).toEqual([])
      const reading = page.locator('.reading', { hasText: direction })
      await reading.getByText('Row 1 says -1').waitFor()
      await reading.getByRole('button').click()
      await page.getByText('the import waits for your answer').waitFor({ state: 'detached' })
      const before = (await client.call('datasets.list', {})).length
      await start.click()
      await expect
        .poll(async () => (await client.call('datasets.list', {})).length, { timeout: 20_000 })
        .toBe(before + 1)
      const datasetId = (await client.call('datasets.list', {}))[0]!.datasetId
      expect((await client.call('datasets.get', { datasetId })).balance).toMatchObject(balance)
      const { rows } = await client.call('datasets.rows', { datasetId })
      expect(rows[0]?.labels[0]).toMatchObject({ outcome: direction.endsWith('1') ? 'a' : 'b', strength: 'slightly' })
      await lab.open(`/data/${datasetId}`)
      await page.getByText(`How the labels were read, as somebody said: ${direction}`).waitFor()
    }
    expect(lab.complaints).toEqual([])
  })

  test('takes the meaning of single values from its fields', async () => {
    const { page } = lab
    await lab.open(`/data?import=${encodeURIComponent(write('words.jsonl', ['erste', 'zweite', 'gleich']))}`)
    const start = page.getByRole('button', { name: /^Import/ })
    await page.getByText('the import waits for your answer').waitFor()
    expect(await start.isDisabled()).toBe(true)
    await page.getByLabel('First is better').fill('erste')
    await page.getByLabel('Second is better').focus()
    await page.getByText('Labels: erste means response1').waitFor()
    await page.getByLabel('Second is better').fill('zweite')
    await page.getByLabel('Tie').fill('gleich')
    await page.getByLabel('Skipped').focus()
    await page.getByText('gleich means a tie').waitFor()
    await expect.poll(() => start.isDisabled()).toBe(false)
  })
})
