import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keepFound } from '../../main/app/papers/report-files.ts'
import { studyReport } from '../../main/workers/reproduce/study.ts'
import { reproductionReport, type KeptReport } from '../../shared/contract/papers.ts'
import { accessibilityInBothThemes, chromiumPath, openLab, type Lab } from './support.ts'

/** A report with one of everything that a page can draw. */
const FOUND: Pick<KeptReport, 'report'> & { readonly device: string } = {
  device: 'made up',
  report: {
    id: 'copg-bandit',
    title: 'A made-up report',
    form: 'full',
    seeds: [1, 2],
    setup: 'nothing was run',
    tables: [
      {
        title: 'Returns',
        columns: ['method', 'return'],
        rows: [
          ['CoPG', { mean: 0.5, low: 0.4, high: 0.6, n: 2 }],
          ['none', null],
        ],
      },
    ],
    figures: [
      {
        kind: 'curves',
        title: 'Curves',
        x: 'step',
        y: 'return',
        series: [{ name: 'one', x: [0, 1, 2], mean: [0, 1, 2], low: [0, 0.5, 1], high: [0, 1.5, 3], n: 2 }],
      },
      {
        kind: 'paired',
        title: 'Queries',
        from: 'before',
        to: 'after',
        metric: 'nDCG@10',
        items: [
          { id: 'q1', before: 0.2, after: 0.6 },
          { id: 'q2', before: 0.5, after: 0.4 },
        ],
      },
      {
        kind: 'simplex',
        title: 'Paths',
        arms: ['one', 'two', 'three'],
        optimum: [0.7, 0.2, 0.1],
        paths: [
          {
            name: 'CoPG',
            points: [
              [1 / 3, 1 / 3, 1 / 3],
              [0.7, 0.2, 0.1],
            ],
          },
        ],
      },
      {
        kind: 'texts',
        title: 'Rationales',
        items: [{ name: 'first', before: 'so', after: 'thus', note: 'reward 0.1 → 0.4' }],
      },
    ],
    gates: [
      { claim: 'it rises', measured: '0.5 ± 0.1', required: '> 0.4', verdict: 'holds' },
      { claim: 'it stays', measured: '0.1', required: '> 0.2', verdict: 'does not hold' },
    ],
    verdict: 'does not hold',
    notes: ['made up'],
  },
}

describe.skipIf(chromiumPath === null)('papers in the browser', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab()
  })
  afterAll(() => lab.end())

  test('an experiment is run from its page, followed, and its verdict stands in the list', async () => {
    await lab.open('/papers')
    const row = lab.page.getByRole('row').filter({ hasText: 'copg-bandit' })
    await row.getByText('not run yet').waitFor()
    await row.getByRole('link', { name: 'copg-bandit' }).click()
    await lab.page.getByText('The quick form has not been run here.').waitFor()
    await lab.page.locator('.page-head .btn-primary').click()
    await lab.page.getByText('Running, the quick form').waitFor()
    await lab.page.getByText('CoPG reaches the optimum').waitFor({ timeout: 100_000 })
    await lab.open('/papers')
    await row.getByText('holds', { exact: true }).waitFor()
  })

  test('every kind of figure and cell is drawn', async () => {
    keepFound((await lab.client.call('system.info', {})).dataFolder, FOUND, { appVersion: '0.1.0', startedAtMs: 1 })
    await lab.open('/papers/copg-bandit')
    for (const text of [
      'A made-up report',
      'it rises',
      'does not hold',
      '1 gained, 1 lost, 0 as before.',
      'reward 0.1 → 0.4',
      'made up',
    ])
      await lab.page.getByText(text).first().waitFor()
    await lab.page.getByRole('img', { name: 'Queries: nDCG@10 of each query, before across and after up' }).waitFor()
    await lab.page.getByRole('img', { name: 'Paths', exact: true }).waitFor()
  })

  test('a study says what each setting is worth, beside the usual one', async () => {
    await lab.open('/papers')
    const row = lab.page.getByRole('table', { name: 'Studies' }).getByRole('row', { name: /^cpl-settings/ })
    await row.getByRole('button', { name: 'Run cpl-settings' }).waitFor()
    const report = studyReport({
      id: 'cpl-settings',
      title: 'A made-up study',
      form: 'quick',
      seeds: [1, 2, 3],
      setup: 'nothing was run',
      axes: [
        {
          title: 'λ',
          metric: 'return',
          goal: 'max',
          usual: { name: '0.5', values: [1, 2, 3] },
          others: [
            { name: '0.25', values: [2.1, 3, 3.9] },
            { name: '1', values: [1.5, Number.NaN, 2.9] },
          ],
        },
      ],
      notes: ['made up'],
    })
    keepFound(
      lab.dataFolder,
      { report: reproductionReport.parse(structuredClone(report)), device: 'made up' },
      { appVersion: '0.1.0', startedAtMs: 1 },
    )
    await lab.open('/papers')
    await row.getByText('quick,').waitFor()
    await row.getByRole('link', { name: 'cpl-settings' }).click()
    await lab.page.getByRole('heading', { name: 'A made-up study' }).waitFor()
    const plot = lab.page.getByRole('img', { name: 'λ: return less that of “0.5”, 95 % intervals' })
    await plot.getByText('higher').waitFor()
    await plot.getByText('cannot tell').waitFor()
    await lab.page.getByRole('table', { name: 'λ' }).getByText('1 (1 of 3 ran away)').waitFor()
    expect(await lab.page.getByText('Verdict').count()).toBe(0)
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
  })

  test.each(['/papers', '/papers/copg-bandit'])('%s keeps the rules of accessibility in both themes', async (place) => {
    await lab.open(place)
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
  })

  test('an unknown experiment has a page that says so, and nothing complained', async () => {
    await lab.open('/papers/nothing')
    await lab.page.getByText('There is no such experiment').waitFor()
    expect(lab.complaints).toEqual([])
  })
})
