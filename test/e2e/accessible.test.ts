import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from 'playwright'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import { waitUntil } from '../support/make-app.ts'
import { importTiny, tinyRequest } from '../support/tiny-app.ts'
import { accessibilityInBothThemes, chromiumPath, loaded, openLab, type Lab } from './support.ts'

// Dialogs and states that no other test looks at while it goes by; pages as they stand are looked at in their own tests.
let lab: Lab
let datasetId = ''
let lists = ''
let texts = ''
let segments = ''

/** Ends the process that trains a run, as the system does when memory ends. */
function killTrainer(runId: string): void {
  const owner = lockOwner(path.join(lab.dataFolder, 'runs', runId))
  if (owner !== null) process.kill(owner.pid, 'SIGKILL')
}

const press =
  (...names: readonly (string | RegExp)[]) =>
  async (page: Page): Promise<void> => {
    for (const name of names)
      await page.getByRole('button', { name }).or(page.getByRole('menuitem', { name })).first().click()
  }

const DIALOG = 'dialog, [role="dialog"], [role="menu"]'
const DIALOGS: readonly (readonly [what: string, place: () => string, open: (page: Page) => Promise<void>])[] = [
  ['the deletion of a data set', () => `/data/${datasetId}`, press('Delete the data set')],
  ['the export of a data set', () => `/data/${datasetId}`, press(/^Export/)],
  ['the export of segments', () => `/data/${segments}`, press(/^Export/)],
  ['who is labeling', () => `/label/${datasetId}`, press('Change')],
  ['a run to clone', () => '/train', press('Clone a run')],
  ['the export of a run', () => '/runs/sft-1', press('More actions', /^Export model/)],
  ['a checkpoint that becomes a model', () => '/runs/sft-1', press('More actions', /^Add to the models/)],
  ['the deletion of a run', () => '/runs/sft-1', press('More actions', /^Delete/)],
  ['the runs of a comparison', () => '/compare?runs=sft-1,dpo-1', press(/^2 runs/)],
  ['the columns of a comparison', () => '/compare?runs=sft-1,dpo-1', press('Choose the columns')],
  ['a baseline to add', () => '/compare?runs=sft-1,dpo-1', press('Add a baseline')],
  ['one against another', () => '/compare?runs=sft-1,dpo-1', press('Versus')],
  ['what was deleted', () => '/settings', press(/for good$/)],
]

const PLACES: readonly (readonly [what: string, place: () => string])[] = [
  ['the runs', () => '/runs'],
  ['all data sets', () => '/data'],
  ['what can be labeled', () => '/label'],
  ['judged lists', () => `/data/${lists}`],
  ['a judged query', () => `/data/${lists}?query=2`],
  ['training on lists', () => `/train?data=${lists}`],
  ['training on texts', () => `/train?data=${texts}`],
  ['training on segments', () => `/train?data=${segments}`],
  ['segments to be collected', () => '/data?collect=reach'],
]

describe.skipIf(chromiumPath === null)('for every hand and eye', () => {
  beforeAll(async () => {
    lab = await openLab()
    const { client } = lab
    datasetId = await importTiny(client, lab.dataFolder)
    const { annotatorId } = await client.call('annotators.add', { name: 'Ada' })
    await client.call('settings.set', { annotatorId })
    for (const method of ['sft', 'dpo', 'ipo'])
      await client.call('runs.start', {
        request: { ...tinyRequest(datasetId as never, { method, name: method }), seeds: [1] },
      })
    await waitUntil(
      'the runs',
      async () => (await client.call('runs.list', {})).every(({ state }) => state === 'finished'),
      110_000,
    )
    await client.call('runs.delete', { runId: 'ipo-1' as never })
    const samples = await client.call('samples.list', {})
    const sample = async (kind: string): Promise<string> => {
      const { sampleId } = samples.find((one) => one.kind === kind)!
      return (await client.call('samples.open', { sampleId })).datasetId!
    }
    ;[lists, texts] = [await sample('rankings'), await sample('contrast-groups')]
    segments = (await client.call('segments.collect', { world: 'reacher', pairs: 3, label: 'none', name: 'Acted' }))
      .datasetId
  })
  afterAll(() => lab.end())

  test.each(DIALOGS)(
    '%s keeps the rules of accessibility, light and dark, and closes by a key',
    async (_what, place, open) => {
      await lab.open(place())
      await open(lab.page)
      await lab.page.getByRole('dialog').or(lab.page.getByRole('menu')).waitFor()
      expect(await accessibilityInBothThemes(lab.page, DIALOG)).toEqual([])
      await lab.page.keyboard.press('Escape')
      await lab.page.getByRole('dialog').or(lab.page.getByRole('menu')).waitFor({ state: 'detached' })
      expect(lab.complaints).toEqual([])
    },
  )

  test.each(PLACES)('%s: the page keeps the rules of accessibility, light and dark', async (_what, place) => {
    await lab.open(place())
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    expect(lab.complaints).toEqual([])
  })

  test('so do the page of a run that trains, its question before it stops unsaved, and what is there when its process was killed', async () => {
    const { page, client } = lab
    const request = tinyRequest(datasetId, { name: 'long' })
    const training = { ...request.training, steps: 100_000 }
    const [runId] = (await client.call('runs.start', { request: { ...request, training, seeds: [1] } })).runIds
    await lab.open(`/runs/${runId}`)
    await page.locator('.run-head').getByText('training').waitFor({ timeout: 60_000 })
    expect(await accessibilityInBothThemes(page)).toEqual([])
    await press('More actions', /^Stop without saving/)(page)
    await page.getByRole('dialog').waitFor()
    expect(await accessibilityInBothThemes(page, DIALOG)).toEqual([])
    await page.keyboard.press('Escape')
    killTrainer(runId!)
    await page.locator('.run-head').getByText('lost').waitFor({ timeout: 60_000 })
    expect(await accessibilityInBothThemes(page)).toEqual([])
    await lab.open('/runs')
    expect(await accessibilityInBothThemes(page)).toEqual([])
  })

  test('so does what nothing can be made of, on the import page', async () => {
    const file = path.join(lab.dataFolder, 'numbers.csv')
    writeFileSync(file, 'height,width\n1,2\n3,4\n')
    await lab.open(`/data?import=${encodeURIComponent(file)}`)
    await lab.page.getByText('height').first().waitFor()
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
  })

  test('nothing moves for whoever wants it still, and a chosen tile is seen in forced colours', async () => {
    const { page } = lab
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce', forcedColors: 'active' })
    for (const place of [
      '/',
      `/data/${datasetId}`,
      `/label/${datasetId}`,
      '/train',
      '/runs',
      '/runs/sft-1',
      '/compare?runs=sft-1,dpo-1',
    ]) {
      await lab.open(place)
      await loaded(page)
      const moving = await page.evaluate(() =>
        document
          .getAnimations()
          .filter((one) => one.playState === 'running' && one.effect?.getComputedTiming().duration !== 0.01)
          .map((one) => (one.effect as KeyframeEffect | null)?.target?.className ?? ''),
      )
      expect([place, moving]).toEqual([place, []])
    }
    await lab.open('/train')
    const outline = (on: boolean): Promise<string> =>
      page
        .locator(`.method[data-on="${on}"]`)
        .first()
        .evaluate((tile) => getComputedStyle(tile).outlineStyle)
    expect([await outline(true), await outline(false)]).toEqual(['solid', 'none'])
    // The system takes the backgrounds away that say what is chosen.
    for (const chosen of ['.rail-item[aria-current="page"]', '.segmented label:has(:checked)'])
      expect(
        await page
          .locator(chosen)
          .first()
          .evaluate((one) => getComputedStyle(one).outlineStyle),
      ).toBe('solid')
    const other = page.locator('.segmented label:not(:has(:checked))').first()
    expect(await other.evaluate((one) => getComputedStyle(one).outlineStyle)).toBe('none')
    await lab.open('/')
    const bar = page.locator('.progress').first()
    const paint = (target: typeof bar): Promise<string> =>
      target.evaluate((one) => getComputedStyle(one).backgroundColor)
    await bar.locator('> span').waitFor({ state: 'attached' })
    expect(await paint(bar.locator('> span'))).not.toBe(await paint(bar))
    await page.emulateMedia({ reducedMotion: null, forcedColors: null })
  })
})
