import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Locator } from 'playwright'
import { ENDED_STATES, type RunId } from '../../shared/domain.ts'
import { waitUntil } from '../support/make-app.ts'
import {
  accessibilityInBothThemes,
  chromiumPath,
  finished,
  importSample,
  openLab,
  savedData,
  type Lab,
} from './support.ts'

let lab: Lab

function start(): Locator {
  return lab.page.getByRole('button', { name: /^Start \d+ runs?/ })
}

/** Opens the form and waits until the host has checked it. */
async function openForm(path = '/train'): Promise<void> {
  await lab.open(path)
  await lab.page.getByText('Ready.').waitFor()
}

/** A run so small that it ends within seconds. */
async function makeTiny(): Promise<void> {
  await lab.page.getByLabel('Model', { exact: true }).selectOption('new:nano')
  for (const [label, text] of [
    ['Steps', '6'],
    ['Batch', '4'],
    ['Longest sequence', '48'],
    ['Evaluate every', '3'],
    ['Checkpoint every', '3'],
    ['Sample prompts', '2'],
  ] as const) {
    await lab.page.getByLabel(label, { exact: true }).fill(text)
  }
}

describe.skipIf(chromiumPath === null)('training and comparing in the browser', () => {
  beforeAll(async () => {
    lab = await openLab()
    await importSample(lab.client)
  })

  afterAll(() => lab.end())

  test('the form says what is wrong beside the field, marks what was changed, and takes it back', async () => {
    await openForm()
    const steps = lab.page.getByLabel('Steps', { exact: true })
    const preset = await steps.inputValue()
    await steps.fill('many')
    await lab.page.getByText('Steps must be a number, not “many”.').waitFor()
    expect(await start().isDisabled()).toBe(true)
    await lab.page.getByRole('button', { name: /^Take Steps back/ }).click()
    expect(await steps.inputValue()).toBe(preset)
    await lab.page.getByText('Ready.').waitFor()
    expect(await start().isDisabled()).toBe(false)
  })

  test('what is asked for by key before it is checked starts when it is, and not what the check refuses', async () => {
    const { page, client } = lab
    const count = async (): Promise<number> => (await client.call('runs.list', {})).length
    const before = await count()
    await openForm()
    await page.getByLabel('Seeds').fill('1')
    await page.getByText('Ready.').waitFor()
    await page.locator('.method', { hasText: 'CoPG' }).first().click()
    await page.getByLabel('Reward', { exact: true }).selectOption('column')
    await page.keyboard.press('Control+Enter')
    await page.getByText(/needs attention/).waitFor()
    await page.getByLabel('Reward', { exact: true }).selectOption('label')
    await page.getByText('Ready.').waitFor()
    expect(await count()).toBe(before)
    await page.getByLabel('Steps', { exact: true }).fill('1')
    await page.keyboard.press('Control+Enter')
    await page.waitForURL(/#\/runs\//)
    const [run] = await client.call('runs.list', {})
    expect([await count(), run?.totalSteps]).toEqual([before + 1, 1])
    await client.call('runs.stop', { runId: run!.runId, mode: 'stop' })
    await waitUntil('the run to end', async () => {
      const { state } = await client.call('runs.get', { runId: run!.runId })
      return ENDED_STATES.includes(state)
    })
    await client.call('runs.delete', { runId: run!.runId })
  })

  test('a reload keeps what was filled in', async () => {
    await openForm()
    await lab.page.getByLabel('Seeds').fill('5 6')
    await lab.page.reload()
    await lab.page.getByText('Ready.').waitFor()
    expect(await lab.page.getByLabel('Seeds').inputValue()).toBe('5 6')
    await lab.page.getByLabel('Seeds').fill('1 2 3')
  })

  test('methods that need other data are shown with their reason', async () => {
    await openForm()
    expect(await lab.page.locator('.method', { hasText: 'CPL' }).textContent()).toContain('needs pairs of segments')
  })

  test('what the host refuses stands in the page, and the command follows the form', async () => {
    await openForm()
    await lab.page.locator('.method', { hasText: 'IPO' }).click()
    await lab.page.getByLabel('Seeds').fill('4-6')
    await lab.page.locator('.command', { hasText: 'ipo' }).waitFor()
    await lab.page.getByRole('button', { name: 'Start 3 runs' }).waitFor()
    await lab.page.getByLabel('Seeds').fill('1-11')
    await lab.page.getByText('At most 10 seeds at once, not 11.').waitFor()
    await lab.page.getByLabel('Seeds').fill('1')
    await lab.page.locator('.method', { hasText: 'CoPG' }).first().click()
    await lab.page.getByLabel('Reward', { exact: true }).selectOption('column')
    await lab.page
      .locator('.setting', { has: lab.page.getByLabel('Reward', { exact: true }) })
      .getByRole('alert')
      .filter({ hasText: 'some rows have no number there' })
      .waitFor()
    await lab.page.getByLabel('Reward', { exact: true }).selectOption('label')
    await lab.page.getByText('Ready.').waitFor()
  })

  test('the window does not scroll, however narrow it is and whichever method is chosen', async () => {
    const { page } = lab
    try {
      for (const width of [1024, 800]) {
        await page.setViewportSize({ width, height: 700 })
        await openForm()
        await page.locator('.method', { hasText: 'GRPO' }).click()
        await page.getByText('DAPO', { exact: true }).click()
        await page.getByText('its soft punishment of overlong answers').waitFor()
        expect(
          await page.evaluate(() => [window.scrollY, document.documentElement.scrollHeight - window.innerHeight]),
          `${width} pixels wide`,
        ).toEqual([0, 0])
      }
    } finally {
      await page.setViewportSize({ width: 1440, height: 900 })
    }
  })

  test('a dry run begins by itself where a person wants it, which is kept', async () => {
    await openForm()
    const box = lab.page.getByLabel('when settings rest')
    const kept = (wanted: boolean): Promise<void> =>
      waitUntil(
        'the change',
        async () => (await lab.client.call('settings.get', {})).view['train.estimateAtRest'] === wanted,
      )
    expect(await box.isChecked()).toBe(false)
    await makeTiny()
    await lab.page.getByText('Ready.').waitFor()
    await box.check()
    await lab.page.getByRole('button', { name: 'Measure again' }).waitFor()
    await lab.page.getByText('One run, evaluations included').waitFor()
    await kept(true)
    await openForm()
    expect(await box.isChecked()).toBe(true)
    await box.uncheck()
    await kept(false)
    await openForm()
    expect(await box.isChecked()).toBe(false)
  })

  test('a setting that is clicked stays so, whatever else changes before it is stored', async () => {
    await openForm()
    const box = lab.page.getByLabel('when settings rest')
    const after = await box.evaluate(async (element: HTMLInputElement) => {
      element.click()
      await Promise.resolve().then(() => undefined) // before any timer
      return element.checked
    })
    expect(after, 'right after the click').toBe(true)
    const { theme } = await lab.client.call('settings.get', {})
    const seen = lab.page.waitForResponse((response) => response.url().endsWith('settings.get'))
    await lab.client.call('settings.set', { theme })
    await seen
    await lab.page.waitForTimeout(50)
    expect(await box.isChecked(), 'after an answer that knows nothing of it').toBe(true)
    await box.uncheck()
    await waitUntil('the change', async () => !(await lab.client.call('settings.get', {})).view['train.estimateAtRest'])
  })

  test('who has gone elsewhere before a run was taken in stays there, and is told', async () => {
    await openForm()
    await makeTiny()
    await lab.page.getByLabel('Seeds').fill('1')
    await lab.page.getByText('Ready.').waitFor()
    let answer = (): void => undefined
    const held = new Promise<void>((resolve) => (answer = resolve))
    await lab.page.route('**/call/runs.start', async (route) => held.then(() => route.continue()), { times: 1 })
    await start().click()
    await lab.page.getByRole('link', { name: 'Data', exact: true }).click()
    await lab.page.getByRole('heading', { name: 'Data', level: 1 }).waitFor()
    answer()
    await lab.page.getByText('The run is in the queue.').waitFor()
    expect(lab.page.url()).toMatch(/#\/data$/)
    await lab.page.getByRole('button', { name: 'Open it' }).click()
    await lab.page.waitForURL(/#\/runs\//)
    const [run] = await lab.client.call('runs.list', {})
    await waitUntil(
      'its end',
      async () => (await lab.client.call('runs.get', { runId: run!.runId })).state === 'finished',
    )
    await lab.client.call('runs.delete', { runId: run!.runId })
  })

  test('two seeds are started by clicking and seen to finish, point for point as a reload shows them; the form of a clone is the run’s', async () => {
    await openForm()
    await lab.page.locator('.method', { hasText: 'DPO' }).first().click()
    await makeTiny()
    await lab.page.getByLabel('Seeds').fill('1 2')
    await lab.page.getByLabel('Name', { exact: true }).fill('tiny')
    await lab.page.getByText('Ready.').waitFor()
    await start().click()
    await lab.page.getByText('2 runs are in the queue.').waitFor()
    await lab.page.getByRole('button', { name: 'Open the first' }).click()
    await lab.page.waitForURL(/#\/runs\//)
    const runs = await lab.client.call('runs.list', {})
    expect(runs.map((run) => [run.method, run.seed, run.totalSteps]).toSorted()).toEqual([
      ['dpo', 1, 6],
      ['dpo', 2, 6],
    ])
    for (const run of runs) {
      await finished(lab, run.runId)
      const watched = await savedData(lab, 'Loss')
      expect(watched.split('\n')).toHaveLength(1 + 6 + 3 + 1) // a head, updates, evaluations, and the end of the last line
      await finished(lab, run.runId)
      expect(await savedData(lab, 'Loss')).toBe(watched)
    }
    const charts = await lab.page
      .locator('.run-cell figure')
      .evaluateAll((found) => found.map((figure) => figure.getAttribute('aria-label') ?? ''))
    expect(charts.filter((text) => text.startsWith('Loss over step: training ends at'))).toHaveLength(1)
    await openForm(`/train?from=${runs[0]?.runId}`)
    expect(await lab.page.getByLabel('Steps', { exact: true }).inputValue()).toBe('6')
    expect(await lab.page.getByLabel('Model', { exact: true }).inputValue()).toBe('new:nano')
  })

  test('the crosshair stands at the same step in every chart, a drag zooms them all, a double click takes it back', async () => {
    const [run] = await lab.client.call('runs.list', {})
    await finished(lab, run?.runId ?? '')
    const plots = lab.page.locator('.run-cell .chart-pointer')
    const box = await plots.first().boundingBox()
    if (box === null) throw new Error('the first chart is not shown')
    await lab.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await lab.page.waitForFunction(() => document.querySelectorAll('.chart-crosshair').length > 3)
    await lab.page.mouse.down()
    await lab.page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 5 })
    await lab.page.mouse.up()
    await lab.page.getByRole('button', { name: 'Whole run' }).waitFor()
    const places = await lab.page
      .locator('.chart-crosshair')
      .evaluateAll((lines) => lines.map((line) => (line as HTMLElement).style.transform))
    expect(places.length).toBeGreaterThan(3)
    await lab.page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2)
    await lab.page.getByText('drag to zoom').waitFor()
    expect(await lab.page.getByRole('button', { name: 'Whole run' }).count()).toBe(0)
    await lab.page.mouse.move(2, 2)
    await lab.page.waitForFunction(() => document.querySelectorAll('.chart-crosshair').length === 0)
  })

  test('a chart is saved as SVG from its data', async () => {
    const [run] = await lab.client.call('runs.list', {})
    await finished(lab, run?.runId ?? '')
    const saved = lab.page.waitForEvent('download')
    await lab.page.getByRole('button', { name: 'Export Loss' }).click()
    await lab.page.getByRole('menuitem', { name: 'Save as SVG' }).click()
    const file = await (await saved).path()
    const svg = readFileSync(file, 'utf8')
    expect([svg.startsWith('<svg xmlns='), svg.includes('>step<'), svg.includes('<path d="M')]).toEqual([
      true,
      true,
      true,
    ])
  })

  test('the two seeds become one row with n = 2; one seed alone concludes nothing', async () => {
    const runs = await lab.client.call('runs.list', {})
    const ids = runs.map((run) => run.runId as string)
    await lab.open('/compare')
    await lab.page.getByRole('button', { name: 'Choose these 2' }).click()
    await lab.page.getByRole('button', { name: 'Compare 2' }).click()
    await lab.page.waitForURL(/#\/compare\?runs=/)
    const row = lab.page.getByRole('table', { name: 'Configurations' }).locator('tbody tr')
    await row.first().waitFor()
    expect(await row.count()).toBe(1)
    expect(await row.first().locator('td').nth(2).textContent()).toBe('2')
    const saved = lab.page.waitForEvent('download')
    await lab.page.getByRole('button', { name: 'Export', exact: true }).click()
    await lab.page.getByRole('menuitem', { name: 'Table as LaTeX' }).click()
    expect(readFileSync(await (await saved).path(), 'utf8')).toContain('tabular')
    const alone = await lab.client.call('comparisons.get', {
      runIds: [ids[0] as RunId],
      metric: 'eval/rewards/accuracies',
    })
    await lab.open(`/compare?runs=${ids[0]}`)
    await lab.page.getByText(alone.conclusions[0] ?? 'no conclusion at all').waitFor()
    expect(alone.conclusions.join(' ')).toMatch(/nothing can be concluded/i)
  })

  test('the runs of a configuration are one choice to start from, seed by seed; a seed without a partner is named', async () => {
    await openForm()
    await lab.page.locator('.method', { hasText: 'DPO' }).first().click()
    const family = lab.page.getByLabel('Model', { exact: true }).locator('option', { hasText: 'seed by seed' })
    await lab.page.getByLabel('Model', { exact: true }).selectOption((await family.first().getAttribute('value'))!)
    await lab.page.getByText(/seed 1 from \S+, seed 2 from/).waitFor()
    await lab.page.getByLabel('Seeds').fill('1-3')
    await lab.page
      .getByText(/^Seed 3 has no partner/)
      .first()
      .waitFor()
    expect(await start().isDisabled()).toBe(true)
    await lab.page.getByLabel('Seeds').fill('1-2')
    await lab.page.locator('.command', { hasText: '--by-seed' }).waitFor()
    await lab.page.getByLabel('Weights of the').selectOption('3')
    await lab.page.locator('.command', { hasText: '@3' }).waitFor()
    await lab.page.getByText('Ready.').waitFor()
  })

  test('a run that ends while nobody looks is said in the page, in the title, and to the system where that was chosen', async () => {
    const { page, client } = lab
    await lab.open('/settings')
    await page.evaluate(() => {
      const notices: string[] = []
      class Recorder extends EventTarget {
        static permission = 'default'
        static requestPermission = async (): Promise<string> => (Recorder.permission = 'granted')
        constructor(title: string) {
          super()
          notices.push(title)
        }
      }
      Object.assign(window, { Notification: Recorder, notices, looks: false })
      document.hasFocus = () => (window as unknown as { looks: boolean }).looks
    })
    await page.getByLabel('Tell the system when a run ends or fails').check()
    const [first] = await client.call('runs.list', {})
    const request = await client.call('runs.request', { runId: first!.runId })
    const { runIds } = await client.call('runs.start', {
      request: {
        ...request,
        seeds: [31],
        training: { ...request.training, steps: 1, evalEvery: 0, checkpointEvery: 0 },
      },
    })
    await page.getByText(`${runIds[0]} finished.`).waitFor({ timeout: 60_000 })
    expect(await page.title()).toBe(`✓ ${runIds[0]} · Settings – Pairlab`)
    expect(await page.evaluate(() => (window as unknown as { notices: string[] }).notices)).toEqual([
      `${runIds[0]} finished`,
    ])
    await page.evaluate(() => {
      Object.assign(window, { looks: true })
      window.dispatchEvent(new Event('focus'))
    })
    expect(await page.title()).toBe('Settings – Pairlab')
    await page.getByRole('button', { name: 'Open', exact: true }).click()
    await page.waitForURL(new RegExp(`#/runs/${runIds[0]}`))
    await client.call('settings.set', { notifyOfRuns: false })
    await client.call('runs.delete', { runId: runIds[0]! })
  })

  test('one seed plays against the other: from the comparison, two clicks and a judge', async () => {
    const ids = (await lab.client.call('runs.list', {})).map((run) => run.runId)
    await lab.open(`/compare?runs=${ids.join(',')}`)
    await lab.page.getByRole('button', { name: 'Versus' }).click()
    const dialog = lab.page.getByRole('dialog')
    await dialog.getByLabel('Judge', { exact: true }).selectOption('length')
    expect(await dialog.getByRole('button', { name: 'Play', exact: true }).isDisabled()).toBe(true)
    await dialog.getByLabel('A length in characters').fill('20')
    await dialog.getByLabel('Prompts').fill('4')
    await dialog.getByLabel('Longest answer').fill('6')
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await dialog.getByRole('button', { name: 'Play', exact: true }).click()
    await lab.page.waitForURL(/#\/matches\/match-/)
    await lab.page.getByRole('heading', { name: 'Win rate of the first' }).waitFor()
    expect(await lab.page.locator('.match-bout').count()).toBe(4)
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    const [match] = await lab.client.call('matches.list', {})
    const { wins, ties, losses } = match!.result!.score!
    expect(wins + ties + losses).toBe(4)
    await lab.page.getByRole('link', { name: 'Matches' }).click()
    await lab.page.getByRole('link', { name: match!.title }).waitFor()
  })

  test.each(['/train', '/compare', '/runs/', '/compare?runs='])(
    '%s keeps the rules of accessibility in both themes',
    async (place) => {
      const [run] = await lab.client.call('runs.list', {})
      await lab.open(place.endsWith('/') || place.endsWith('=') ? `${place}${run?.runId}` : place)
      expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    },
  )

  test('the page complained about nothing', () => {
    expect(lab.complaints).toEqual([])
  })
})
