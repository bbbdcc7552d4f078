import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importTiny } from '../support/tiny-app.ts'
import { waitUntil } from '../support/make-app.ts'
import { TINY_FORM } from '../support/tiny-form.ts'
import { chromiumPath, openLab, type Lab } from './support.ts'

// Small things at which a first hour gets stuck: what was typed is there again, what was hidden can be shown, and counts are one's own.
let lab: Lab
let datasetId = ''

describe.skipIf(chromiumPath === null)('the first hour', () => {
  beforeAll(async () => {
    lab = await openLab()
    datasetId = await importTiny(lab.client, lab.dataFolder)
    const { annotatorId } = await lab.client.call('annotators.add', { name: 'Ada' })
    await lab.client.call('settings.set', { annotatorId })
  })
  afterAll(() => lab.end())

  test('the guideline, and with it who labels, once hidden by a key is brought back by the pointer', async () => {
    const { page } = lab
    await lab.open(`/label/${datasetId}`)
    await page.waitForSelector('[data-pair]')
    const guideline = page.getByRole('heading', { name: 'Guideline' })
    await guideline.waitFor()
    await page.keyboard.press('i')
    await guideline.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /Guideline · Ada/ }).click()
    await guideline.waitFor()
    await page.getByRole('button', { name: 'Change' }).waitFor()
  })

  test('a number that is none is refused in words, and the place stays', async () => {
    const { page } = lab
    await lab.open(`/label/${datasetId}`)
    const jump = page.getByLabel('Number of the pair')
    await page.waitForSelector('[data-pair]')
    const before = await page.getAttribute('[data-pair]', 'data-pair')
    await jump.fill('abc')
    await jump.press('Enter')
    await page.getByText('Write a number from 1 to 40.').waitFor()
    await jump.press('Escape')
    expect([await jump.inputValue(), await page.getAttribute('[data-pair]', 'data-pair')]).toEqual(['1', before])
    expect(await page.getByText('Write a number from 1 to 40.').count()).toBe(0)
  })

  test('a search that finds nothing leads back, and is gone from its field too', async () => {
    const { page } = lab
    await lab.open(`/label/${datasetId}`)
    await page.waitForSelector('[data-pair]')
    const search = page.getByLabel('Only pairs with these words')
    await search.fill('zzzz')
    await search.press('Enter')
    await page.getByText('No pair passes the filter.').waitFor()
    await page.getByRole('button', { name: 'Show pairs without an answer' }).click()
    await page.waitForSelector('[data-pair]')
    expect(await search.inputValue()).toBe('')
  })

  test('Home counts what one has labeled oneself, not what came with the file', async () => {
    const { page } = lab
    await lab.open(`/label/${datasetId}`)
    for (const number of ['1', '2']) {
      await waitUntil('the pair', async () => (await page.getByLabel('Number of the pair').inputValue()) === number)
      await page.keyboard.press('1')
    }
    await waitUntil('the third', async () => (await page.getByLabel('Number of the pair').inputValue()) === '3')
    await lab.open('/')
    await page.getByText('You labeled 2 of 40').waitFor()
  })

  test('what was typed on Train is there again, after another page and after a reload', async () => {
    const { page } = lab
    await lab.open(`/train?data=${datasetId}`)
    await page.locator('.method', { hasText: 'DPO' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('half a thought')
    await page.getByLabel('Seeds').fill('4 5')
    const typed = async (): Promise<string[]> => [
      await page.getByLabel('Name', { exact: true }).inputValue(),
      await page.getByLabel('Seeds').inputValue(),
    ]
    await page.getByRole('link', { name: 'Runs', exact: true }).click()
    await page.waitForURL(/#\/runs$/)
    await page.getByRole('link', { name: 'Train', exact: true }).click()
    await page.getByLabel('Seeds').waitFor()
    expect(await typed()).toEqual(['half a thought', '4 5'])
    await page.reload()
    await page.getByLabel('Seeds').waitFor()
    expect(await typed()).toEqual(['half a thought', '4 5'])
  })

  test('Ctrl+Enter right after typing starts what was typed', async () => {
    const { page, client } = lab
    await lab.open(`/train?data=${datasetId}`)
    await page.locator('.method', { hasText: 'SFT' }).first().click()
    for (const [label, text] of TINY_FORM) {
      const field = page.getByLabel(label, { exact: true })
      if ((await field.count()) > 0) await field.fill(text)
    }
    const name = page.getByLabel('Name', { exact: true })
    await name.fill('typed fast')
    await name.press('Control+Enter') // before the check has answered
    await page.waitForURL(/#\/runs\//)
    const [run] = await client.call('runs.list', {})
    expect(run).toMatchObject({ name: 'typed fast', seed: 1 })
    await waitUntil('its end', async () =>
      (await client.call('runs.list', {})).every(({ state }) => state === 'finished'),
    )
    expect(lab.complaints).toEqual([])
  })
})
